"""Consistency: clips that are louder, or sound as if made elsewhere, than most of the set."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from pipeline.catalogue import Limits, Subject, limit
from pipeline.readings import Loudness, Noise, Room, Spectrum, Speech
from pipeline.records import Clip, Evidence, Severity
from pipeline.set_readings import Consistency, Deviation

MIN_CLIPS = 5
MIN_SPEECH_S = 2.0
"""Less speech has no level and no colour of its own: a single vowel decides."""

MIN_BANDS = 8
SMOOTH_BANDS = 5
"""Third octaves are smoothed over five: what is said moves single formants, a microphone or a room moves whole regions."""

MAX_BAND_DB = 15.0
"""A band that a filter emptied counts as so far off, however empty it is."""

SHORT_DB2_S = 10.0
"""Square of the distance that two seconds apart of one reader have by chance, times the seconds: 2 dB at 2.5 s."""

LOW_BANDS, MIDDLE_BANDS, HIGH_BANDS = slice(0, 5), slice(5, 15), slice(15, None)
"""Of the third octaves from 100 Hz: up to 250 Hz, 315 Hz to 2.5 kHz, and from 3.15 kHz."""

VOICE_HZ = 11_000.0
"""Beyond this a wider band is the sample rate's or the codec's, and hardly heard."""

MOST_RATIO, FAR = 0.65, 2.0
"""Twice the distance that 65 % of the speech is within is outside the spread of the rest. A part of up to 35 % can be told to
be odd; of two sessions that share a set more evenly neither is, for nobody knows which of them is right."""


@dataclass(frozen=True, slots=True)
class ConsistencyLimits(Limits):
    """How far a clip may be from the middle of the set."""

    max_level_difference_db: float | None = limit(
        6.0, "one voice at one distance stays within 3 dB; 6 dB are twice the distance from the microphone"
    )
    max_spectrum_difference_db: float | None = limit(
        2.6, "chapters of one reader differ by up to 2.5 dB; 10 dB more bass, or 12 dB less treble, by over 3"
    )
    max_bandwidth_difference_octaves: float | None = limit(
        0.5, "8 kHz against 11.3: another sample rate or codec on the way"
    )
    max_t60_difference_s: float | None = limit(0.3, "a dry room against a hall; it is measured to about 0.1 s")
    max_floor_difference_db: float | None = limit(
        15.0, "against the level of the voice: another room or gain, or noise taken out of the others"
    )


class ConsistencyMeter:
    """Keeps a few numbers and some twenty bands a clip."""

    def __init__(self) -> None:
        self._clips: list[Clip] = []

    def feed(self, clip: Clip) -> None:
        """Take in a clip; one without enough speech is neither judged nor part of the middle."""
        if _speech_s(clip) >= MIN_SPEECH_S:
            self._clips.append(clip)

    def read(self) -> Consistency:
        """How far every clip is from the middle of those that pass, each with the weight of its speech."""
        clips = sorted(self._clips, key=lambda clip: clip.source.id)
        passing = [clip for clip in clips if clip.verdict.counts]
        if len(passing) < MIN_CLIPS:
            return Consistency()
        middle = _Middle(passing)
        deviations = tuple(middle.deviations(clips))
        within = [d for d, clip in zip(deviations, clips, strict=True) if clip.verdict.counts]
        return Consistency(deviations, middle.usual(within))


class _Middle:
    """The weighted medians of a set of clips."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        self._weights = np.array([_speech_s(clip) for clip in clips])
        self._level = self._median([_level_dbfs(clip) for clip in clips])
        self._t60 = self._median([_t60_s(clip) for clip in clips])
        self._octave = self._median([_octave(clip) for clip in clips])
        self._floor = self._median([_floor_db(clip) for clip in clips])
        bands = [_bands_db(clip) for clip in clips]
        columns = ([b[i] if i < len(b) else None for b in bands] for i in range(max(map(len, bands))))
        self._bands = np.array([value for c in columns if (value := self._median(c)) is not None])

    def deviations(self, clips: Sequence[Clip]) -> Iterator[Deviation]:
        """How far each clip is from here."""
        spectra = self._spectra(clips)
        for clip in clips:
            spectrum_db, low_db, high_db = spectra.get(clip.source.id, (None, None, None))
            yield Deviation(
                clip.source.id,
                level_db=_difference(_level_dbfs(clip), self._level),
                bandwidth_octaves=_difference(_octave(clip), self._octave),
                t60_s=_difference(_t60_s(clip), self._t60),
                floor_db=_difference(_floor_db(clip), self._floor),
                spectrum_db=spectrum_db,
                low_db=low_db,
                high_db=high_db,
            )

    def _spectra(self, clips: Sequence[Clip]) -> dict[str, tuple[float, float, float | None]]:
        """By the id of each clip with enough bands: the distance of its spectrum, and how its ends differ; all of one width at once."""
        of_width: dict[int, list[Clip]] = {}
        for clip in clips:
            of_width.setdefault(min(len(_bands_db(clip)), len(self._bands)), []).append(clip)
        found: dict[str, tuple[float, float, float | None]] = {}
        for width, alike in of_width.items():
            if width < MIN_BANDS:
                continue
            off = np.array([_bands_db(clip)[:width] for clip in alike]) - self._bands[:width]
            off -= np.median(off[:, MIDDLE_BANDS], axis=1, keepdims=True)
            by_chance = SHORT_DB2_S / np.array([_speech_s(clip) for clip in alike])
            distances = np.sqrt(np.maximum(_distances_db2(off) - by_chance, 0.0)).tolist()
            lows = off[:, LOW_BANDS].mean(axis=1).tolist()
            highs = off[:, HIGH_BANDS].mean(axis=1).tolist() if width > HIGH_BANDS.start else [None] * len(alike)
            found |= zip((clip.source.id for clip in alike), zip(distances, lows, highs, strict=True), strict=True)
        return found

    def usual(self, deviations: Sequence[Deviation]) -> Deviation:
        """The distance that most of these clips are within, quantity by quantity."""
        names = [f.name for f in fields(Deviation) if f.name != "clip"]
        columns = {name: [getattr(d, name) for d in deviations] for name in names}
        return Deviation(
            "",
            **{
                name: self._upto([None if value is None else abs(value) for value in column], MOST_RATIO)
                for name, column in columns.items()
            },
        )

    def _median(self, values: Sequence[float | None]) -> float | None:
        return self._upto(values, 0.5)

    def _upto(self, values: Sequence[float | None], ratio: float) -> float | None:
        """The value that this part of the speech does not exceed; `None` where fewer than five clips have one."""
        known = np.array([i for i, value in enumerate(values) if value is not None], np.int64)
        if len(known) < MIN_CLIPS:
            return None
        numbers, weights = np.array([values[i] for i in known], np.float64), self._weights[known]
        order = np.argsort(numbers, kind="stable")
        so_far = np.cumsum(weights[order])
        return float(numbers[order][np.searchsorted(so_far, so_far[-1] * ratio)])


def _distances_db2(off: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean squares of differences of spectra (clips, bands), smoothed, whatever their level."""
    bounded = np.clip(off, -MAX_BAND_DB, MAX_BAND_DB)
    bounded -= bounded.mean(axis=1, keepdims=True)
    reach = SMOOTH_BANDS // 2
    filled = np.pad(bounded, ((0, 0), (reach, reach)), mode="edge")
    smoothed = np.lib.stride_tricks.sliding_window_view(filled, SMOOTH_BANDS, axis=1).mean(axis=2)
    distances: NDArray[np.float64] = np.square(smoothed).mean(axis=1)
    return distances


def _difference(value: float | None, middle: float | None) -> float | None:
    return None if value is None or middle is None else value - middle


def _speech_s(clip: Clip) -> float:
    return (clip.readings.get(Speech) or Speech()).speech_s or 0.0


def _level_dbfs(clip: Clip) -> float | None:
    loudness = clip.readings.get(Loudness) or Loudness()
    level = loudness.active_speech_level_dbfs
    return loudness.integrated_lufs if level is None else level


def _bands_db(clip: Clip) -> tuple[float, ...]:
    return (clip.readings.get(Spectrum) or Spectrum()).bands_db


def _octave(clip: Clip) -> float | None:
    """The bandwidth in octaves over 1 Hz, as far as it tells of the voice."""
    bandwidth_hz = (clip.readings.get(Spectrum) or Spectrum()).bandwidth_hz
    return float(np.log2(min(bandwidth_hz, VOICE_HZ))) if bandwidth_hz else None


def _t60_s(clip: Clip) -> float | None:
    return (clip.readings.get(Room) or Room()).t60_s


def _floor_db(clip: Clip) -> float | None:
    """The noise against the voice: a clip that is louder as a whole is no other room."""
    return _difference((clip.readings.get(Noise) or Noise()).floor_dbfs, _level_dbfs(clip))


SUBJECT = Subject("consistency", ConsistencyLimits, Consistency, ConsistencyMeter, turn="compare")


@SUBJECT.check(
    "ODD_LEVEL",
    Severity.WARNING,
    says="is {detail} than most of the set; less than {limit:g} dB apart is wanted",
    hint="Bring all clips to one level by plain gain, by {value:.1f} dB here.",
    means="A clone follows its data: where clips differ in level, its own level wanders.",
)
def odd_level(found: Consistency, limits: ConsistencyLimits) -> Iterator[Evidence]:
    """Fires for a clip whose active speech level is far from the median, and outside the spread of the rest."""
    most, usual = limits.max_level_difference_db, found.usual
    for clip in found.deviations:
        if most is not None and usual is not None and _far(clip.level_db, usual.level_db, most):
            off = clip.level_db or 0.0
            told = f"{abs(off):.1f} dB {'louder' if off > 0 else 'quieter'}"
            yield Evidence(abs(off), most, clips=(clip.clip,), detail=told)


@SUBJECT.check(
    "ODD_SOUND",
    Severity.WARNING,
    says="sounds unlike most of the set: {detail}",
    hint="Listen to it beside the others: it may be of another microphone, another room or through other processing. "
    "Record it again as the others were, or leave it out.",
    means="A clone follows its data: clips that were made with another microphone, in another room or through other "
    "processing teach it a second voice, and it wavers between the two.",
)
def odd_sound(found: Consistency, limits: ConsistencyLimits) -> Iterator[Evidence]:
    """Fires for a clip whose spectrum, bandwidth, room or noise is far from the median and outside the spread of the rest."""
    usual = found.usual
    if usual is None:
        return
    for clip in found.deviations:
        far = [each for each in _looked_at(clip, usual, limits) if each.far]
        if far:
            worst = max(far, key=lambda each: abs(each.off) / max(each.most, 1e-9))
            told = " and ".join(f"{each.told} ({abs(each.off):.1f} where {each.most:g} is let pass)" for each in far)
            yield Evidence(abs(worst.off), worst.most, clips=(clip.clip,), detail=told)


@dataclass(frozen=True, slots=True)
class _Look:
    """One quantity of a clip: how far off it is, how far it may be, and what that means in words."""

    off: float
    most: float
    far: bool
    told: str


def _looked_at(clip: Deviation, usual: Deviation, limits: ConsistencyLimits) -> Iterator[_Look]:
    """The quantities that are known and have a limit."""
    for off, usually, most, told in (
        (clip.spectrum_db, usual.spectrum_db, limits.max_spectrum_difference_db, _colour(clip)),
        (
            clip.bandwidth_octaves,
            usual.bandwidth_octaves,
            limits.max_bandwidth_difference_octaves,
            _told(clip.bandwidth_octaves, "its band is {:.1f} octaves", "wider", "narrower"),
        ),
        (
            clip.t60_s,
            usual.t60_s,
            limits.max_t60_difference_s,
            _told(clip.t60_s, "it rings {:.1f} s", "longer", "shorter"),
        ),
        (
            clip.floor_db,
            usual.floor_db,
            limits.max_floor_difference_db,
            _told(clip.floor_db, "the noise under its voice is {:.0f} dB", "louder", "fainter"),
        ),
    ):
        if off is not None and most is not None:
            yield _Look(off, most, _far(off, usually, most), told)


def _far(off: float | None, usual: float | None, most: float) -> bool:
    return off is not None and usual is not None and abs(off) > max(most, FAR * usual)


def _told(off: float | None, text: str, more: str, less: str) -> str:
    return f"{text.format(abs(off or 0.0))} {more if (off or 0.0) > 0 else less}"


def _colour(clip: Deviation) -> str:
    """Which end of the spectrum is most unlike the others', in words."""
    low, high = clip.low_db or 0.0, clip.high_db or 0.0
    if abs(low) >= abs(high):
        return _told(low, "its lows, under 300 Hz, are {:.0f} dB", "stronger", "weaker")
    return _told(high, "its highs, over 3 kHz, are {:.0f} dB", "stronger", "weaker")
