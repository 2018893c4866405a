"""Music: where instruments play under or between the speech, told by partials that keep still."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.catalogue import Limits, Subject, limit
from pipeline.dsp import Doubles, quantiles, runs
from pipeline.meters.tonality import HOP, RATE_HZ, STEADY_FRAMES, SteadyPartials
from pipeline.readings import Music
from pipeline.records import Block, Evidence, Severity, Span, StreamInfo

FRAME_S = HOP / RATE_HZ
REACH_S = (STEADY_FRAMES + 1) * FRAME_S
"""A steady peak stands for this long, from its frame on."""

FULL_HZ, LEAST_WEIGHT = 500.0, 0.25
"""Low partials of a voice move by few hertz, so that below this a steady peak counts in proportion to its frequency."""

MOST = 3.0
"""More partials than this at once make a moment no more musical: a car's horn is loud, full and short."""

MUSICAL = ((50, 0.6), (100, 0.42))
"""Frames, and the mean weight of steady partials over them that speech does not reach: in 134 readers the most was 0.4 over 5 s
and 0.26 over 10 s; in a room of 0.7 s, where the tails of vowels stand still for a while, 0.56 and 0.35."""

EDGE_FRAMES, EDGE_RATIO = 10, 0.3
"""Music begins where the mean over 1 s first has this share of what the stretch has in the middle."""

JOIN_S, MIN_MUSIC_S = 4.0, 2.5

TONE_FRAMES, TONE_RATIO = 150, 0.25
"""What sounds at one frequency for a quarter of 15 s is a constant tone: a machine's or a drone's."""

MIN_TONE_FRAMES = 60

TONE_HZ = 4.0
MAINS_HZ = (50.0, 60.0)
MAINS_OFF_HZ, MAINS_OFF_RATIO = 1.0, 0.001
"""What the interpolation and the mains themselves are off by. Of the notes of the tempered scale few lie so near."""

HUM_FRAMES, HUM_RATIO = 50, 0.5
"""A hum stands still somewhere in half of all stretches of 5 s."""

HARMONIC_RATIO, MOSTLY = 0.004, 0.8
"""How near a harmonic a tone must lie, and how many of the tones, to be one's harmonics."""

LEADING_RATIO = 0.5
"""Tones that come half as often as the most common one are looked at when a stretch may be a single one."""

MIN_DRONES = 4
"""A chord held for a minute has at least so many partials that are not one machine's harmonics."""


@dataclass(frozen=True, slots=True)
class MusicLimits(Limits):
    """How much music a clip may have."""

    max_music_s: float | None = limit(
        4.0, "shorter stretches are ringtones, chimes and horns, which are not told from music for certain"
    )


class MusicMeter:
    """Keeps two bytes for each frame of 0.1 s and each steady partial in it: up to 1 MB an hour of full music."""

    def __init__(self, _info: StreamInfo) -> None:
        self._partials = SteadyPartials()
        self._samples = 0

    def feed(self, block: Block) -> None:
        """Take in a block with its 16 kHz mono."""
        if block.mono16k is not None:
            self._samples += len(block.mono16k)
            self._partials.feed(block.mono16k)

    def read(self) -> Music:
        """Where music plays in everything fed so far."""
        if not self._samples:
            return Music(why="no samples")
        total_s = self._samples / RATE_HZ
        self._partials.finish()
        if not self._partials.frames():
            return Music((), 0.0, 0.0)
        frame, hz = self._partials.steady()
        frames = self._partials.frames()
        for unwanted in (hum_tones, machine_tones):
            kept = ~unwanted(frame, hz, frames)
            frame, hz = frame[kept], hz[kept]
        spans = stretches(frame, hz, frames, total_s)
        music_s = float(sum(span.length_s for span in spans))
        return Music(spans, music_s, music_s / total_s)


def machine_tones(frame: NDArray[np.int64], hz: Doubles, frames: int) -> NDArray[np.bool_]:
    """Which steady peaks belong to constant tones that no music makes: a whistle, one machine's harmonics."""
    machine = np.zeros(len(hz), bool)
    parts = max(round(frames / TONE_FRAMES), 1)
    edges = np.linspace(0, frames, parts + 1).astype(int)
    if edges[1] < MIN_TONE_FRAMES:
        return machine
    for first, end in pairwise(edges):
        part = slice(*np.searchsorted(frame, (first, end)))
        constant, tones = common(hz[part], TONE_RATIO * (end - first))
        if len(tones) < MIN_DRONES or harmonic(tones):
            machine[part] = constant
    return machine


def common(hz: Doubles, least: float) -> tuple[NDArray[np.bool_], Doubles]:
    """Which of some frequencies come more often than `least`, within 4 Hz, and which those are."""
    if not len(hz):
        return np.zeros(0, bool), hz
    cell = (hz / TONE_HZ).astype(int)
    counts = np.concatenate(([0], np.bincount(cell), [0]))
    often = counts[:-2] + counts[1:-1] + counts[2:] > least
    peaks = np.flatnonzero(often & (counts[1:-1] == np.maximum(np.maximum(counts[:-2], counts[2:]), counts[1:-1])))
    return often[cell], np.array([np.median(hz[np.abs(cell - peak) <= 1]) for peak in peaks])


def hum_tones(frame: NDArray[np.int64], hz: Doubles, frames: int) -> NDArray[np.bool_]:
    """Which steady peaks are harmonics of the mains, which hum all the time; a note that lies near one sounds now and then."""
    near = [np.abs(hz / base - np.round(hz / base)) * base < MAINS_OFF_HZ + MAINS_OFF_RATIO * hz for base in MAINS_HZ]
    both: NDArray[np.bool_] = near[0] | near[1]
    parts = len(np.unique(frame[both] // HUM_FRAMES))
    return both if parts >= HUM_RATIO * frames / HUM_FRAMES else np.zeros(len(hz), bool)


def harmonic(tones: Doubles) -> bool:
    """Whether nearly all are harmonics of one fundamental, the lowest of them or half of it.

    A major chord has the ratios of a fourth, fifth and sixth harmonic, and must not pass for one tone.
    """
    if len(tones) < 2:
        return True
    for part in (1, 2):
        ratio = tones * part / tones.min()
        off_hz = np.abs(ratio - np.round(ratio)) * tones.min() / part
        if np.mean(off_hz < HARMONIC_RATIO * tones + 0.5) > MOSTLY:
            return True
    return False


def stretches(frame: NDArray[np.int64], hz: Doubles, frames: int, total_s: float) -> tuple[Span, ...]:
    """Where steady peaks make music, near stretches joined, those that ring on one tone left out."""
    weights = np.clip(hz / FULL_HZ, LEAST_WEIGHT, 1.0)
    steady = np.minimum(np.bincount(frame, weights, minlength=frames), MOST)
    spans: list[Span] = []
    for first, end in _musical(steady):
        if _one_tone(hz[slice(*np.searchsorted(frame, (first, end)))]):
            continue
        inside = _mean(steady[first:end], EDGE_FRAMES)
        loud = np.flatnonzero((inside >= EDGE_RATIO * quantiles(inside, 0.9)[0]) & (steady[first:end] > 0))
        span = Span(float(first + loud[0]) * FRAME_S, min(float(first + loud[-1]) * FRAME_S + REACH_S, total_s))
        if spans and span.start_s - spans[-1].end_s < JOIN_S:
            span = Span(spans.pop().start_s, span.end_s)
        spans.append(span)
    return tuple(span for span in spans if span.length_s >= MIN_MUSIC_S)


def _musical(steady: Doubles) -> list[tuple[int, int]]:
    """The first frames and ends of the stretches in which steady partials are dense enough."""
    dense = np.zeros(len(steady), bool)
    for frames, least in MUSICAL:
        half = frames // 2
        for middle, until in runs(_mean(steady, frames) >= least):
            dense[max(middle - half, 0) : until + half] = True
    return [(int(first), int(end)) for first, end in runs(dense)]


def _one_tone(hz: Doubles) -> bool:
    """Whether nearly all of a stretch is one tone and its harmonics, as of a whistle, a horn or beeps."""
    often, tones = common(hz, LEADING_RATIO * np.bincount((hz / TONE_HZ).astype(int)).max())
    return harmonic(tones) and bool(np.mean(often) > MOSTLY)


def _mean(values: Doubles, size: int) -> Doubles:
    """The running mean over that many, with zeros before and after."""
    half = size // 2
    filled = np.concatenate((np.zeros(half), values, np.zeros(size - 1 - half)))
    mean: Doubles = np.convolve(filled, np.ones(size) / size, "valid")
    return mean


SUBJECT = Subject("music", MusicLimits, Music, MusicMeter, needs=("mono16k",))


@SUBJECT.check(
    "MUSIC",
    Severity.WARNING,
    says="has music in it for {value:.1f} s, {detail}; up to {limit:g} s are let pass",
    hint="Export the voice track again without the music bed, and cut out jingles at these times. A separator that takes "
    "music out of a finished mix leaves artefacts in the voice; use it last.",
    means="Instruments play under the voice or between its sentences. A clone learns them as part of the voice, and sings "
    "or hums along.",
)
def music(music: Music, limits: MusicLimits) -> Iterator[Evidence]:
    """Fires when music plays for longer in all than the limit."""
    most = limits.max_music_s
    if music.music_s is None or music.music_ratio is None or most is None or music.music_s <= most:
        return
    yield Evidence(music.music_s, most, music.spans, detail=f"{music.music_ratio:.0%} of it")
