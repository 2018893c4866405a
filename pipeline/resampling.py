"""Another sample rate, as a stream: what comes out sounds alike whatever the rate before was, the same one included."""

from functools import cache
from typing import Protocol

import numpy as np
import soxr

from pipeline.records import Floats

REACH = 91
"""How far the low-pass of soxr goes to either side, in samples; behind it are taps under 1e-7."""


class Resampler(Protocol):
    """Samples (frames,) in blocks, as they were and as they are made."""

    def feed(self, samples: Floats) -> Floats:
        """Those that became certain with these."""
        ...

    def finish(self, samples: Floats) -> Floats:
        """The same with the last ones, and all that is still owed."""
        ...


def resampler(from_hz: int, to_hz: int) -> Resampler:
    """soxr; where the rates are equal already, its low-pass alone, so that models hear a voice alike at every rate.

    With what lies between .95 and 1 of half the rate, which soxr takes away elsewhere, PyanNet hears the air of a room as
    speech in readers' short pauses (tests/checks/test_short_pauses.py).
    """
    return _LowPass() if from_hz == to_hz else _Soxr(from_hz, to_hz)


class _Soxr:
    def __init__(self, from_hz: int, to_hz: int) -> None:
        self._stream = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32")

    def feed(self, samples: Floats) -> Floats:
        made: Floats = self._stream.resample_chunk(np.ascontiguousarray(samples)) if len(samples) else samples
        return made

    def finish(self, samples: Floats) -> Floats:
        made: Floats = self._stream.resample_chunk(np.ascontiguousarray(samples), last=True)
        return made


class _LowPass:
    """What a stream of soxr would do between equal rates if it did not pass them on. Keeps 182 samples."""

    def __init__(self) -> None:
        self._held = np.zeros(REACH, np.float32)

    def feed(self, samples: Floats) -> Floats:
        held = np.concatenate((self._held, samples))
        self._held = held[max(len(held) - 2 * REACH, 0) :]
        return np.convolve(held, _low_pass(), "valid") if len(held) > 2 * REACH else held[:0]

    def finish(self, samples: Floats) -> Floats:
        return self.feed(np.concatenate((samples, np.zeros(REACH, np.float32))))


@cache
def _low_pass() -> Floats:
    """The taps (2 * REACH + 1,): what soxr makes of an impulse at three times the rate."""
    impulse = np.zeros(12 * REACH, np.float32)
    impulse[6 * REACH] = 3
    taps: Floats = soxr.resample(impulse, 3, 1)
    return taps[REACH : 3 * REACH + 1]


def low_passed(samples: Floats, band_hz: int, rate_hz: int) -> Floats:
    """As many samples (frames,) without what lies over `band_hz`: halved there, 70 dB less from a 40th of the rate over it on."""
    passed: Floats = np.convolve(samples, _sinc(band_hz, rate_hz), "same")
    return passed


@cache
def _sinc(band_hz: int, rate_hz: int) -> Floats:
    """A sinc under a Kaiser window, (101,)."""
    at = np.arange(-50, 51)
    taps = np.sinc(2 * band_hz / rate_hz * at) * np.kaiser(len(at), 8)
    made: Floats = (taps / taps.sum()).astype(np.float32)
    return made
