"""Channels: whether the sides of a clip carry the same voice, both of them, and in phase."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline import kernels
from pipeline.catalogue import Limits, Subject, limit
from pipeline.dsp import DEAD_DB, FLOOR_DBFS, fast_length, grid, hann
from pipeline.readings import Channels
from pipeline.records import Block, Evidence, Floats, Severity, StreamInfo
from pipeline.series import Series
from pipeline.windows import Windows

LEVEL_HZ = 20
ACTIVE_DB, DEEP_DB = 20.0, 40.0
"""Levels are compared while either side is within 20 dB of its loud passages: two voices may well pause together. What
lies 40 dB under those is all the same."""

MIN_ACTIVE_S = 2.0

WINDOW_S, BAND_HZ = 0.064, (80.0, 6_000.0)
"""Longer than sound takes from one microphone to another in a room, and where a voice is."""

MAX_COHERENT = 8
"""Of more channels than 7.1 has, no spectra are kept."""


@dataclass(frozen=True, slots=True)
class ChannelsLimits(Limits):
    """When two channels count as inverted or as different."""

    min_correlation: float | None = limit(
        -0.5, "two good channels of one voice correlate positively; inverted ones near -1"
    )
    min_same_coherence: float | None = limit(
        0.6, "two takes stay under 0.3, an interview's two microphones under 0.6; one voice in a dry room is over 0.8"
    )
    min_same_level_correlation: float | None = limit(
        0.35, "two voices stay under it, one voice on two microphones over it, even metres apart in a hall"
    )


FIRST_WINDOWS, EVERY = 940, 4
"""The first minute of windows is taken whole; of what follows every fourth, for a mean over minutes needs no more."""


class ChannelsMeter:
    """Keeps sums, for two channels and more a level per 50 ms and channel, 288 kB an hour each, and up to 8 x 8 spectra."""

    def __init__(self, info: StreamInfo) -> None:
        self._rate, self._count = info.sample_rate, info.channels
        self._products = np.zeros((info.channels, info.channels))
        self._frames = 0
        self._cell = np.zeros(info.channels)
        self._levels = Series(np.float32, info.channels)
        self._spectra = CrossSpectra(info.sample_rate, info.channels) if 1 < info.channels <= MAX_COHERENT else None

    def feed(self, block: Block) -> None:
        """Take in a block."""
        self._frames += len(block.samples)
        if self._count == 1:
            return
        sides = np.ascontiguousarray(block.samples.T)
        for first, second in itertools.combinations_with_replacement(range(self._count), 2):
            self._products[first, second] += np.dot(sides[first], sides[second])
        self._feed_levels(sides, block.start)
        if self._spectra is not None:
            self._spectra.feed(block.samples)

    def read(self) -> Channels:
        """How the channels fed so far relate."""
        if not self._frames:
            return Channels(self._count, why="no samples")
        if self._count == 1:
            return Channels()
        power = np.diag(self._products)
        if not power.max() > 0:
            return Channels(self._count, why="every sample is zero")
        alive = np.flatnonzero(power > power.max() * 10 ** (-DEAD_DB / 10))
        dead = tuple(int(i) + 1 for i in range(self._count) if i not in alive)
        if len(alive) < 2:
            return Channels(self._count, dead)
        first, second = (int(i) for i in alive[:2])
        correlation = self._products[first, second] / np.sqrt(power[first] * power[second])
        mean_power = (power[first] + power[second] + 2 * self._products[first, second]) / 4
        loss = 10 * np.log10(max(power[first], power[second]) / max(mean_power, power.max() * 1e-12))
        return Channels(
            count=self._count,
            dead=dead,
            correlation=float(np.clip(correlation, -1, 1)),
            coherence=None if self._spectra is None else self._spectra.coherence(first, second),
            level_correlation=self._level_correlation(first, second),
            downmix_loss_db=float(loss),
        )

    def _feed_levels(self, sides: Floats, start: int) -> None:
        _, sums = kernels.moments(sides, grid(start, sides.shape[1], self._rate, LEVEL_HZ))
        sums[:, 0] += self._cell
        self._cell = sums[:, -1].copy()
        self._levels.extend(sums[:, :-1].T)

    def _level_correlation(self, first: int, second: int) -> float | None:
        """Correlation of the two channels' levels in decibels while either is active; `None` when too short or steady."""
        levels = self._levels.array()
        if not len(levels):
            return None
        power = levels[:, [first, second]] / (self._rate / LEVEL_HZ)
        decibels = 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DBFS / 10)))
        decibels = np.maximum(decibels - np.percentile(decibels, 95, axis=0), -DEEP_DB)
        active = decibels[decibels.max(axis=1) > -ACTIVE_DB]
        spread = active.std(axis=0)
        if len(active) < MIN_ACTIVE_S * LEVEL_HZ or spread.min() < 1e-3:
            return None
        return float(np.clip(np.mean(np.prod(active - active.mean(axis=0), axis=1)) / np.prod(spread), -1, 1))


class CrossSpectra:
    """Mean cross-spectra of all channels over windows of 64 ms, after a minute every fourth; keeps less than a window of samples."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._size = fast_length(round(WINDOW_S * rate_hz))
        hz = np.fft.rfftfreq(self._size, 1 / rate_hz)
        self._band = tuple(np.searchsorted(hz, BAND_HZ).tolist())
        self._window = hann(self._size).astype(np.float32)
        self._windows = Windows(channels, self._size)
        self._sums = np.zeros((channels, channels, self._band[1] - self._band[0]), np.complex128)
        self._seen = 0

    def feed(self, samples: Floats) -> None:
        """Take in samples (frames, channels)."""
        until = (self._windows.end + len(samples)) // self._size
        taken = [number for number in range(self._seen, until) if number < FIRST_WINDOWS or number % EVERY == 0]
        parts = self._windows.cut(samples.T, [number * self._size for number in taken])
        self._seen = until
        windows, channels, size = parts.shape
        bins = kernels.spectra(parts.reshape(windows * channels, size), self._window, *self._band)
        bins = bins.reshape(windows, channels, bins.shape[1]).swapaxes(0, 1)
        for first in range(len(bins)):
            for second in range(first, len(bins)):
                self._sums[first, second] += np.einsum("wf,wf->f", bins[first].conj(), bins[second])

    def coherence(self, first: int, second: int) -> float | None:
        """0 for two that have nothing to do with each other to 1 for one signal through two fixed paths."""
        alone = np.sqrt((self._sums[first, first] * self._sums[second, second]).real)
        if not alone.sum() > 0:
            return None
        return min(float(np.abs(self._sums[first, second]).sum() / alone.sum()), 1.0)


SUBJECT = Subject("channels", ChannelsLimits, Channels, ChannelsMeter)


@SUBJECT.check(
    "DEAD_CHANNEL",
    Severity.WARNING,
    says="has {detail} silent",
    hint="Export it as mono from the live channel.",
    means="One side carries nothing. A provider that mixes to mono makes the voice 6 dB quieter, one that takes the "
    "first channel may get silence.",
)
def dead_channel(channels: Channels, limits: ChannelsLimits) -> Iterator[Evidence]:
    """Fires for channels 40 dB or more under the loudest."""
    if channels.dead and channels.why is None:
        numbers = ", ".join(map(str, channels.dead))
        yield Evidence(detail=f"channel{'s' * (len(channels.dead) > 1)} {numbers} of {channels.count}")


@SUBJECT.check(
    "INVERTED_CHANNELS",
    Severity.ERROR,
    says="has channels in opposite phase (correlation {value:.2f}, where {limit:.2f} is the least): mixed to mono, the "
    "voice cancels",
    hint="Invert one channel, or keep only one of them.",
    means="One side is the other upside down, often from a wrongly wired cable. It sounds hollow in stereo and vanishes "
    "in the mono mix that training uses.",
)
def inverted_channels(channels: Channels, limits: ChannelsLimits) -> Iterator[Evidence]:
    """Fires when the channels correlate negatively."""
    correlation, least = channels.correlation, limits.min_correlation
    if correlation is not None and least is not None and correlation < least:
        yield Evidence(correlation, least)


@SUBJECT.check(
    "DIFFERENT_CHANNELS",
    Severity.WARNING,
    says="carries two different signals (coherence {value:.2f}; one voice on both sides has {limit:.2f} and more)",
    hint="Export each side as a file of its own and keep the one with your voice.",
    means="Left and right are not the same recording: two microphones of an interview, or voice on one side and "
    "something else on the other. A downmix puts both into one.",
)
def different_channels(channels: Channels, limits: ChannelsLimits) -> Iterator[Evidence]:
    """Fires when neither the spectra nor the levels of the two channels go together."""
    coherence, levels = channels.coherence, channels.level_correlation
    least, least_levels = limits.min_same_coherence, limits.min_same_level_correlation
    if coherence is None or levels is None or least is None or least_levels is None:
        return
    if coherence < least and levels < least_levels:
        yield Evidence(coherence, least)
