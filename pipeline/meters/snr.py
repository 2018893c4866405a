"""Noise beside the voice and under it: the mean power of pauses at the native rate, and the valleys between the voice's own sounds.

Three looks at the same noise. In the pauses it is alone, at the full band. The quietest moments nearby, of speech and pauses,
bound it: a breath, a decaying room or a door is far over them, and lasting noise cannot be. And while the voice is
loud, every band has moments in which the voice leaves it free, so that the noise that a gate takes out of the pauses is
still seen (minimum statistics: Martin, IEEE Trans. Speech and Audio Processing 9, 2001).
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline import kernels
from pipeline.dsp import DEAD_DB, Doubles, gamma_quantile, runs
from pipeline.records import Activity, Floats
from pipeline.series import Series

Mask = NDArray[np.bool_]

SILENT_POWER, SILENT_RATIO = 1e-11, 1e-7
"""Digital silence: under -110 dBFS, or 70 dB under the voice, where no room and no microphone is."""

FADE_FRAMES = 3
"""50 ms beside digital silence are left out of the pauses: a gate's or an editor's fade."""

TAIL_SHARE, TAIL_FRAMES = 0.5, 12
"""Half a pause, up to 200 ms, is left to the dying of the word before it, and"""
BREATH_SHARE, BREATH_FRAMES = 0.25, 6
"""a quarter, up to 100 ms, to the breath before the next."""

LONG_FRAMES, ENOUGH_FRAMES = 12, 30
"""Where half a second of pauses are 0.2 s long and longer, shorter ones are left out: a soft syllable passes for one."""

MIN_PAUSE_FRAMES, MIN_SOUND_RATIO = 6, 0.2
"""100 ms of pauses that hold sound, and not only the edges of words among digital silence."""

NEAR_FRAMES, STEP_FRAMES, MIN_NEAR_FRAMES = 178, 59, 40
"""Quiet moments are looked for within 3 s to either side, anew for each second."""

QUIET_PERCENTILE, LASTING_RATIO = 5, 10**1.35
"""Noise moves: a tenth of a street's frames is 12 dB over its quiet moments, of a room where things are handled some are further.
What is 13.5 dB over them and more is a breath or a door, and counts as that."""

UNPAUSED_RATIO = 10**0.2
"""Without any pause: lasting noise is 1 dB (white) to 4 dB (engine) over the quiet moments of speech."""


class FramePowers:
    """Mean power of every activity frame (16.875 ms) at the native rate; keeps 8 bytes a frame and channel: 1.7 MB an hour."""

    def __init__(self, rate_hz: int, channels: int) -> None:
        self._rate = rate_hz
        self._channels = channels
        self._sums = Series(np.float32, 2 * channels)
        self._open = np.zeros(2 * channels)

    def feed(self, samples: Floats, start: int) -> None:
        """Take in samples (frames, channels) that begin at frame `start`."""
        frames = len(samples)
        first = start * Activity.RATE_HZ // (Activity.HOP * self._rate) + 1
        last = (start + frames) * Activity.RATE_HZ // (Activity.HOP * self._rate) + 1
        edges = self._edges(first, last) - start
        edges = edges[(edges > 0) & (edges <= frames)]
        sums = np.concatenate(kernels.moments(samples.T, edges))
        sums[:, 0] += self._open
        self._open = sums[:, -1].copy()
        self._sums.extend(sums[:, :-1].T)

    def powers(self) -> Doubles:
        """The mean of the channels that are alive, without their constant offset, of each whole frame."""
        kept = self._sums.array().astype(np.float64)
        if not len(kept):
            return np.empty(0)
        sums, squares = kept[:, : self._channels], kept[:, self._channels :]
        lengths = np.diff(self._edges(0, len(kept)))[:, None]
        offset = sums.sum(axis=0) / lengths.sum()
        powers = np.maximum((squares - 2 * offset * sums) / lengths + np.square(offset), 0.0)
        powers[squares <= SILENT_POWER * lengths] = 0.0
        total = powers.sum(axis=0)
        mean: Doubles = powers[:, total >= total.max() * 10 ** (-DEAD_DB / 10)].mean(axis=1)
        return mean

    def _edges(self, first: int, last: int) -> NDArray[np.int64]:
        """The samples with which the frames from `first` to `last` begin."""
        return -(-np.arange(first, last + 1, dtype=np.int64) * Activity.HOP * self._rate // Activity.RATE_HZ)


def spoken_frames(stretches: NDArray[np.int64], frames: int) -> Mask:
    """Which frames lie in a stretch of speech."""
    spoken = np.zeros(frames, bool)
    for first, end in stretches:
        spoken[first:end] = True
    return spoken


def paused_frames(stretches: NDArray[np.int64], frames: int) -> Mask:
    """Which frames lie between stretches of speech, clear of the word before and of the breath after."""
    paused = np.zeros(frames, bool)
    starts, ends = np.append(0, stretches[:, 1]), np.append(stretches[:, 0], frames)
    for start, end in zip(starts, ends, strict=True):
        tail = min(TAIL_FRAMES, int(TAIL_SHARE * (end - start))) if start > 0 else 0
        breath = min(BREATH_FRAMES, int(BREATH_SHARE * (end - start))) if end < frames else 0
        paused[start + tail : end - breath] = True
    long = np.zeros(frames, bool)
    for first, end in runs(paused):
        long[first:end] = end - first >= LONG_FRAMES
    return long if int(long.sum()) >= ENOUGH_FRAMES else paused


def silent_frames(powers: Doubles, speech_power: float) -> Mask:
    """Which frames are digital silence, or the fade to it."""
    silent = powers <= max(SILENT_POWER, SILENT_RATIO * speech_power)
    for first, end in runs(silent):
        silent[max(first - FADE_FRAMES, 0) : end + FADE_FRAMES] = True
    return silent


def quiet_moments(powers: Doubles, silent: Mask) -> Doubles:
    """The power of the quiet moments around each frame, of speech and pauses; infinite where there is next to no sound."""
    quiet = np.full(len(powers), np.inf)
    for first in range(0, len(powers), STEP_FRAMES):
        near = slice(max(first - NEAR_FRAMES, 0), first + STEP_FRAMES + NEAR_FRAMES)
        found = powers[near][~silent[near]]
        if len(found) >= MIN_NEAR_FRAMES:
            rank = len(found) * QUIET_PERCENTILE // 100
            quiet[first : first + STEP_FRAMES] = np.partition(found, rank)[rank]
    return quiet


def pause_power(powers: Doubles, quiet: Doubles, paused: Mask, silent: Mask) -> float | None:
    """Mean noise power in the pauses, each frame no more than lasting noise can be; `None` for less than 100 ms of it."""
    sounding = paused & ~silent
    if int(sounding.sum()) < max(MIN_PAUSE_FRAMES, MIN_SOUND_RATIO * paused.sum()):
        return None
    return float(np.minimum(powers, quiet * LASTING_RATIO)[sounding].mean())


def unpaused_power(quiet: Doubles, spoken: Mask) -> float | None:
    """Mean noise power by the quiet moments of the speech alone; `None` where there are not enough."""
    found = quiet[spoken & np.isfinite(quiet)]
    return float(found.mean()) * UNPAUSED_RATIO if len(found) else None


@cache
def _bias_db(widths: tuple[int, ...], expected: float) -> Doubles:
    """How far that quantile of noise's power in bands of so many bins is under its mean."""
    half_freedom = np.maximum(0.75 * np.array(widths), 1.0)
    bias_db: Doubles = 10 * np.log10(gamma_quantile(half_freedom, expected) / half_freedom)
    return bias_db


class Valleys:
    """The ratio of speech to the noise under it, up to 8 kHz. Keeps counts of band powers by the level of their frame, 1.5 MB."""

    EDGES = np.array([2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 160, 192, 224])
    """First bins of the bands: 62 Hz wide at the bottom, 1 kHz at the top. A constant offset lies under them."""

    SPEECH = 0.5
    LOUD_DB, PERCENTILE = 20.0, 2.0
    """A gate is open up to 20 dB under the mean of speech."""

    VOICE_DB = 15.0
    """What good recordings read at least, by the sounds of the voice and the room alone."""

    EXPECTED = 0.1
    """A fifth of these moments is taken to be noise alone, of which the 2nd percentile of all is the 10th."""

    LEVEL_DB, POWER_DB = 2.0, 0.5
    FLOOR_DB, LEVELS, POWERS = -160.0, 64, 340
    MIN_FRAMES = 60
    MANY = 1 << 16

    def __init__(self) -> None:
        self._bias_db = _bias_db(tuple(np.diff(np.append(self.EDGES, 257)).tolist()), self.EXPECTED)
        self._counts: NDArray[np.int32] | None = None  # of (levels, bands x powers), for clips long enough
        self._keys = Series(np.int32)
        self._power, self._frames = 0.0, 0

    def feed(self, activity: Activity, spectra: Floats) -> None:
        """Take in the frames of a block."""
        spoken = activity.speech >= self.SPEECH
        if not spoken.any():
            return
        level = activity.level_dbfs[spoken].astype(np.float64)
        self._power += float((10 ** (level / 10)).sum())
        self._frames += len(level)
        bands = np.add.reduceat(spectra[spoken].astype(np.float64), self.EDGES, axis=1)
        power = (10 * np.log10(np.maximum(bands, 1e-16)) - self.FLOOR_DB) / self.POWER_DB
        which = np.clip(power.astype(np.int64), 0, self.POWERS - 1)
        rows = np.clip((level / self.LEVEL_DB + self.LEVELS - 2).astype(np.int64), 0, self.LEVELS - 1)
        keys = (rows[:, None] * len(self.EDGES) + np.arange(len(self.EDGES))) * self.POWERS + which
        self._keys.extend(keys.ravel())
        if len(self._keys) > self.MANY:
            self._count()

    def _count(self) -> None:
        """Count what was put by, for one look at many is quicker than many looks."""
        size = len(self.EDGES) * self.POWERS
        more = np.bincount(self._keys.array(), minlength=self.LEVELS * size).astype(np.int32).reshape(self.LEVELS, size)
        self._counts = more if self._counts is None else self._counts + more
        self._keys = Series(np.int32)

    def _counted_from(self, row: int) -> NDArray[np.int64]:
        """How many frames of that level and over had each power in each band, (bands, powers)."""
        size = len(self.EDGES) * self.POWERS
        keys = self._keys.array()
        counts = np.bincount(keys[keys >= row * size] % size, minlength=size)
        if self._counts is not None:
            counts += self._counts[row:].sum(axis=0)
        return counts.reshape(len(self.EDGES), self.POWERS)

    def snr_db(self) -> float | None:
        """`None` where a voice was loud for less than a second. It ends where voices leave no band free: at 26 to 45 dB."""
        if self._frames < self.MIN_FRAMES or self._power <= 0:
            return None
        speech_db = 10 * np.log10(self._power / self._frames)
        row = int(np.clip((speech_db - self.LOUD_DB) / self.LEVEL_DB + self.LEVELS - 2, 0, self.LEVELS - 1))
        counts = self._counted_from(row)
        if int(counts[0].sum()) < self.MIN_FRAMES:
            return None
        wanted = self.PERCENTILE / 100 * counts[0].sum()
        totals = np.concatenate((np.zeros((len(counts), 1)), np.cumsum(counts, axis=1)), axis=1)
        edges = self.FLOOR_DB + self.POWER_DB * np.arange(self.POWERS + 1)
        # Where a count is reached, for the first time: runs of equal totals must not be interpolated over.
        at = np.maximum((totals >= wanted).argmax(axis=1), 1)
        bands = np.arange(len(counts))
        share = (wanted - totals[bands, at - 1]) / np.maximum(counts[bands, at - 1], 1)
        level_db = edges[at - 1] + self.POWER_DB * share - self._bias_db
        noise = float((10 ** (level_db / 10)).sum())
        speech = max(10 ** (speech_db / 10) - noise, 0.01 * noise)
        return 10 * float(np.log10(speech / noise))
