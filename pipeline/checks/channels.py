"""Channels: whether the sides of a clip carry the same voice, both of them, and in phase."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.catalogue import Limits, Subject, limit
from pipeline.dsp import FLOOR_DBFS, grid
from pipeline.readings import Channels
from pipeline.records import Block, Evidence, Severity, StreamInfo

LEVEL_HZ = 10
DEAD_DB = 40.0
"""The same bound at which the downmix leaves a channel out: what it calls dead, the report calls dead."""


@dataclass(frozen=True, slots=True)
class ChannelsLimits(Limits):
    """When two channels count as inverted or as different."""

    min_correlation: float = limit(-0.5, "two good channels of one voice correlate positively; inverted ones near -1")
    min_same_correlation: float = limit(0.3, "spaced microphones in one room stay above it")
    min_same_level_correlation: float = limit(0.5, "the ups and downs of one voice are the same in both channels")


class ChannelsMeter:
    """Keeps sums per channel, and for two or more channels a level per 100 ms and channel: 144 kB an hour each."""

    def __init__(self, info: StreamInfo) -> None:
        self._rate, self._count = info.sample_rate, info.channels
        self._products = np.zeros((info.channels, info.channels))
        self._frames = 0
        self._cell = np.zeros(info.channels)
        self._levels: list[np.ndarray] = []

    def feed(self, block: Block) -> None:
        """Take in a block."""
        self._frames += len(block.samples)
        if self._count == 1:
            return
        samples = block.samples.astype(np.float64)
        self._products += samples.T @ samples
        self._feed_levels(samples**2, block.start)

    def read(self) -> Channels:
        """How the channels fed so far relate."""
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
        return Channels(self._count, dead, float(correlation), self._level_correlation(first, second), float(loss))

    def _feed_levels(self, squares: np.ndarray, start: int) -> None:
        edges = grid(start, len(squares), self._rate, LEVEL_HZ)
        at = 0
        for edge in edges:
            self._cell += squares[at:edge].sum(axis=0)
            self._levels.append(self._cell.astype(np.float32))
            self._cell, at = np.zeros(self._count), int(edge)
        self._cell += squares[at:].sum(axis=0)

    def _level_correlation(self, first: int, second: int) -> float | None:
        """Correlation of the two channels' levels in decibels, cell by cell; `None` when either never changes."""
        if len(self._levels) < 2 * LEVEL_HZ:
            return None
        power = np.maximum(
            np.array(self._levels)[:, [first, second]] / (self._rate / LEVEL_HZ), 10 ** (FLOOR_DBFS / 10)
        )
        decibels = 10 * np.log10(power)
        spread = decibels.std(axis=0)
        if spread.min() < 1e-3:
            return None
        return float(np.mean(np.prod(decibels - decibels.mean(axis=0), axis=1)) / np.prod(spread))


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
    says="has channels in opposite phase (correlation {value:.2f}): mixed to mono, the voice cancels",
    hint="Invert one channel, or keep only one of them.",
    means="One side is the other upside down, often from a wrongly wired cable. It sounds hollow in stereo and vanishes "
    "in the mono mix that training uses.",
)
def inverted_channels(channels: Channels, limits: ChannelsLimits) -> Iterator[Evidence]:
    """Fires when the channels correlate negatively."""
    if channels.correlation is not None and channels.correlation < limits.min_correlation:
        yield Evidence(channels.correlation, limits.min_correlation)


@SUBJECT.check(
    "DIFFERENT_CHANNELS",
    Severity.WARNING,
    says="carries two different signals (correlation {value:.2f})",
    hint="Export each side as a file of its own and keep the one with your voice.",
    means="Left and right are not the same recording: two microphones of an interview, or voice on one side and "
    "something else on the other. A downmix puts both into one.",
)
def different_channels(channels: Channels, limits: ChannelsLimits) -> Iterator[Evidence]:
    """Fires when neither the waveforms nor the levels of the two channels go together."""
    correlation, levels = channels.correlation, channels.level_correlation
    if correlation is None or levels is None:
        return
    if abs(correlation) < limits.min_same_correlation and levels < limits.min_same_level_correlation:
        yield Evidence(correlation, limits.min_same_correlation)
