"""Real recordings to build labelled cases from, each reader, noise and room on one of two sides: for tuning, or held out.

A third of the readers, told by a hash of their number, and half of the noises and rooms are never looked at when a threshold is
chosen; their scores stand apart.
"""

import functools
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import soxr

from pipeline.dsp import runs
from pipeline.meters.p56 import SpeechLevelMeter

AUDIO = Path(os.environ.get("VOXGATE_TEST_AUDIO", Path(__file__).parents[3] / "shared" / "audio"))
PARTS = ("tuning", "held out")
ACTIVE_DBFS = -26.0
"""The active speech level (ITU-T P.56) that every utterance is brought to."""

SURE_DB = 15.0
"""What comes so near the active level in 20 ms is surely speech."""

TAP = 10
"""100 ms: what is loud for no longer inside a reader's own pause is a tap or a breath."""

STREET = "thomasrosen__berlin_noise/audio/1CDCDA78-CA1D-449C-8294-E7C748BCAE99.m4a"
MARKET = "thomasrosen__berlin_noise/audio/64710754-D31E-453D-9BDA-F66386AA6731.wav"
NOISES = {
    "street": ("tuning", STREET, 0.0, 70.0),
    "engine": ("tuning", "speechbrain__speechbrain/tests/samples/noise/noise1.wav", 0.0, None),
    "street, later": ("held out", STREET, 75.0, None),
    "market": ("held out", MARKET, 0.0, 13.0),  # then someone calls
    "room": ("tuning", "speechbrain__speechbrain/tests/samples/noise/noise2.wav", 0.0, None),
}
"""Part, file, and from when until when."""

RESPONSES = {
    "rir1": ("tuning", "speechbrain__speechbrain/tests/samples/RIRs/rir1.wav"),
    "rir48000": ("tuning", "iver56__audiomentations/demo/ir/rir48000.wav"),
    "rir2": ("held out", "speechbrain__speechbrain/tests/samples/RIRs/rir2.wav"),
    "impulse_response_0": ("held out", "iver56__audiomentations/demo/ir/impulse_response_0.wav"),
}


@dataclass(frozen=True)
class Utterance:
    """One reader's utterance, mono at its own rate, at -26 dBFS active level.

    `range_db` is how far the active level stands over the recording's own floor (5th percentile of 20 ms levels), `own_pause_s`
    the longest time that the reader pauses for.
    """

    name: str
    reader: str
    part: str
    samples: np.ndarray
    rate_hz: int
    range_db: float
    own_pause_s: float

    def at(self, rate_hz):
        """The samples at another rate."""
        return (
            self.samples
            if rate_hz == self.rate_hz
            else soxr.resample(self.samples, self.rate_hz, rate_hz).astype(np.float32)
        )


def decoded(path):
    """The mean of a file's channels, float32, and its rate."""
    with av.open(str(path)) as file:
        rate_hz = file.streams.audio[0].rate
        resampler = av.AudioResampler("fltp", None, rate_hz)
        frames = [part for frame in file.decode(audio=0) for part in resampler.resample(frame)]
        frames += resampler.resample(None)
    return np.concatenate([frame.to_ndarray().mean(axis=0) for frame in frames]).astype(np.float32), rate_hz


@functools.cache
def utterances(part):
    """Every LibriSpeech and LJSpeech utterance of that part, by name."""
    files = [*AUDIO.glob("resemble-ai__Resemblyzer/audio_data/*/**/*.flac")]
    files += AUDIO.glob("idiap__coqui-ai-TTS/**/ljspeech/wavs/*.wav")
    return tuple(_utterance(path) for path in sorted(files) if _part(_reader(path)) == part)


def clean(part, range_db=45.0):
    """The utterances that stand so far over their own floor that they count as recorded without noise."""
    return [u for u in utterances(part) if u.range_db >= range_db]


@functools.cache
def unpiled(part):
    """The utterances whose tops do not pile up under a ceiling: the others were clipped or limited before they were published."""
    return tuple(u for u in utterances(part) if not piled_up(u))


def piled_up(utterance):
    """Whether on either side some decibel near the highest top holds 20 local maxima, no fewer than either of the next two
    decibels under it, and at most a third as many lie above. A voice as it is spoken has fewer tops in every higher decibel.
    """
    return any(_ceiling(side) for side in (utterance.samples, -utterance.samples))


def _ceiling(side):
    tops = side[1:-1][(side[1:-1] > side[:-2]) & (side[1:-1] >= side[2:]) & (side[1:-1] > 0)]
    under_db = np.sort(20 * np.log10(tops.max(initial=1e-9) / tops))
    for first_db in np.arange(0, 3.01, 0.25):
        above, until, next_db, last = np.searchsorted(under_db, first_db + np.arange(4))
        if until - above >= max(20, next_db - until, last - next_db, 3 * above):
            return True
    return False


def long_clean(part, rate_hz, seconds, random, range_db=45.0, gap_s=(0.3, 0.8)):
    """About that much of one reader, or of several where one has not enough: utterances with pauses of digital silence.

    Returns the samples and a mask of where the utterances are.
    """
    found = clean(part, range_db)
    pieces, spoken, total = [], [], 0
    for i in random.permutation(len(found)):
        samples = found[i].at(rate_hz)
        gap = np.zeros(round(random.uniform(*gap_s) * rate_hz), np.float32)
        pieces += [samples, gap]
        spoken += [np.ones(len(samples), bool), np.zeros(len(gap), bool)]
        total += len(samples) + len(gap)
        if total >= seconds * rate_hz:
            break
    return np.concatenate(pieces), np.concatenate(spoken)


@functools.cache
def noise(name, rate_hz):
    """A recorded noise at that rate, with mean power 1."""
    _, path, from_s, until_s = NOISES[name]
    samples, own_hz = decoded(AUDIO / path)
    samples = samples[round(from_s * own_hz) : None if until_s is None else round(until_s * own_hz)]
    return unit(samples if own_hz == rate_hz else soxr.resample(samples, own_hz, rate_hz))


def noise_for(kind, frames, rate_hz, random):
    """That many samples of white, pink or recorded noise with mean power 1, from a random place of the recording."""
    if kind == "white":
        return unit(random.standard_normal(frames))
    if kind == "pink":
        hz = np.fft.rfftfreq(1 << 19, 1 / rate_hz)
        bins = random.standard_normal(len(hz)) + 1j * random.standard_normal(len(hz))
        return unit(np.resize(np.fft.irfft(np.where(hz < 20, 0, bins / np.sqrt(np.maximum(hz, 20)))), frames))
    recorded = noise(kind, rate_hz)
    return unit(np.resize(np.roll(recorded, -int(random.integers(len(recorded)))), frames))


@functools.cache
def response(name, rate_hz):
    """A room's impulse response at that rate, its direct sound first and of height 1."""
    samples, own_hz = decoded(AUDIO / RESPONSES[name][1])
    samples = samples if own_hz == rate_hz else soxr.resample(samples, own_hz, rate_hz)
    samples = samples[int(np.abs(samples).argmax()) :]
    return (samples / np.abs(samples[0])).astype(np.float32)


def of_part(table, part):
    """The names in NOISES or RESPONSES that belong to a part."""
    return [name for name, row in table.items() if row[0] == part]


def unit(samples):
    """The same at mean power 1."""
    return (samples / np.sqrt(np.mean(np.square(samples, dtype=np.float64)))).astype(np.float32)


def decibels(value_db):
    return np.float32(10 ** (value_db / 20))


def _reader(path):
    return "lj" if path.name.startswith("LJ") else path.name.split("-")[0]


def _part(reader):
    return PARTS[zlib.crc32(reader.encode()) % 3 == 0]


def _utterance(path):
    samples, rate_hz = decoded(path)
    meter = SpeechLevelMeter(rate_hz)
    meter.feed(samples)
    samples *= decibels(ACTIVE_DBFS - meter.level()[0])
    level_db = levels_db(samples, rate_hz)
    loud = runs(level_db > -SURE_DB)
    words = loud[loud[:, 1] - loud[:, 0] > TAP]
    own_pause_s = float(max(words[1:, 0] - words[:-1, 1], default=0)) / 100
    return Utterance(
        path.stem,
        _reader(path),
        _part(_reader(path)),
        samples,
        rate_hz,
        -float(np.percentile(level_db, 5)),
        own_pause_s,
    )


def levels_db(samples, rate_hz):
    """The level of 20 ms every 10 ms, relative to the active level of an utterance."""
    hop = rate_hz // 100
    energy = np.concatenate(([0.0], np.cumsum(np.square(samples, dtype=np.float64))))
    starts = np.arange(0, len(samples) - 2 * hop, hop)
    return 10 * np.log10((energy[starts + 2 * hop] - energy[starts]) / (2 * hop) + 1e-12) - ACTIVE_DBFS
