"""Copies: takes of 2 to 4 s, most of them alone, some there again in another codec, level, rate or file.

Takes are cut from the readings one behind the other, so that those of one reader are the same voice in the same room. Each original has
one copy at most; by the rules that are tested the original is kept unless the copy has a higher rate or holds more.
"""

import numpy as np
import recordings
import soxr
from scipy import signal

GREY = "NEAR_DUPLICATE: clips of which about half is in another, clips of under 2 s, and recordings played faster or slower."

OPENED = ("NOISY", "NO_SPEECH", "NARROW_BAND")
OPTIONS = (
    *("--set", "speech.engine=webrtcvad", "--set", "quality.engine=off"),
    *(word for code in OPENED for word in ("--set", f"severity.{code}=warning")),
)
"""What is measured here asks for no network, and of two copies neither shall be out for other reasons: the other would be kept."""

LONG_HZ = 44_100
JINGLE_S, EPISODE_S = 3.0, 20.0


def build(folders, part, random):
    folder = folders("takes")
    takes = list(cut(part, random))
    order = random.permutation(len(takes))
    changes = dict(CHANGES)
    changed = {int(at): list(changes)[n % len(changes)] for n, at in enumerate(order[: len(takes) // 3])}
    for number, (samples, rate_hz, reader) in enumerate(takes):
        name = f"a{number:03d}.wav"
        if number not in changed:
            group = "alone, one of a reader's many" if reader in MANY else "alone"
            add(folder, samples, rate_hz, name, group, part, copied=False)
            continue
        kind = changed[number]
        made, made_hz, suffix, kbit_s = changes[kind](samples, rate_hz, random)
        better = made_hz > rate_hz and suffix == ".wav"
        add(folder, samples, rate_hz, name, kind if better else "the best copy", part, copied=better)
        name = f"b{number:03d}{suffix}"
        add(folder, made, made_hz, name, "the best copy" if better else kind, part, copied=not better, kbit_s=kbit_s)
    joined(folders("joined"), part, random)
    episodes(folders("episodes"), part, random)


def joined(folder, part, random):
    """Takes and the files that they were joined to: equally good and longer, lossy, or lossy with more besides."""
    files = enough(part, random, 24)
    for number, suffix in enumerate((".wav", ".mp3", ".mp3")):
        takes = [u.at(LONG_HZ)[: 4 * LONG_HZ] for u in files[8 * number : 8 * number + 8]]
        more = number == 2
        long = np.concatenate([part for take in takes for part in (take, np.zeros(LONG_HZ // 3, np.float32))])
        best = suffix == ".wav" or more
        add(folder, long, LONG_HZ, f"long{number}{suffix}", "joined of takes", part, copied=not best, kbit_s=128)
        for n, take in enumerate(takes[:2] if more else takes):
            kind = "inside a longer file" if best else "the best copy"
            add(folder, take, LONG_HZ, f"take{number}-{n}.wav", kind, part, copied=best)


def episodes(folder, part, random):
    """Files that begin with the same few seconds and go on with something else."""
    files = enough(part, random, 9)
    jingle = files[0].at(LONG_HZ)[: round(JINGLE_S * LONG_HZ)]
    for n, utterance in enumerate(files[1:]):
        samples = np.concatenate((jingle, utterance.at(LONG_HZ)[: round(EPISODE_S * LONG_HZ)]))
        add(folder, samples, LONG_HZ, f"episode{n}.wav", "same 3 s at the start", part, copied=False)


def add(folder, samples, rate_hz, name, group, part, *, copied, kbit_s=None):
    flags = {"NEAR_DUPLICATE": copied}
    folder.add(samples, rate_hz, part=part, group=group, flags=flags, name=name, kbit_s=kbit_s)


MANY = ("1998", "2609", "533", "lj", "367")


def cut(part, random):
    """Pieces of 2 to 4 s of every reading: samples, rate and reader."""
    for utterance in recordings.utterances(part):
        at, rate_hz = 0, utterance.rate_hz
        while True:
            end = at + round(random.uniform(2.0, 4.0) * rate_hz)
            if end > len(utterance.samples):
                break
            yield utterance.samples[at:end], rate_hz, utterance.reader
            at = end


def enough(part, random, count):
    """So many readings of over 6 s."""
    found = [u for u in recordings.utterances(part) if len(u.samples) > 6 * u.rate_hz]
    return [found[i] for i in random.permutation(len(found))[:count]]


def telephone(samples, rate_hz, _random):
    band = signal.butter(4, (300, 3_400), "bandpass", fs=8_000, output="sos")
    return signal.sosfilt(band, soxr.resample(samples, rate_hz, 8_000)), 8_000, ".wav", None


def noisy(samples, rate_hz, random):
    noise = recordings.noise_for("pink", len(samples), rate_hz, random)
    return samples + noise * np.sqrt(np.mean(samples**2)) / 10, rate_hz, ".wav", None


def equalised(samples, rate_hz, _random):
    gains = signal.firwin2(255, [0, 200, 1_000, 3_000, rate_hz / 2], [1.6, 1.6, 1, 1.6, 1.6], fs=rate_hz)
    return signal.fftconvolve(samples, gains, "same"), rate_hz, ".wav", None


def shifted(samples, rate_hz, random):
    return samples[round(random.uniform(0, 270 / 16_000) * rate_hz) :], rate_hz, ".wav", None


CHANGES = {
    "MP3 32 kbit/s": lambda x, hz, _: (x, hz, ".mp3", 32),
    "MP3 64 kbit/s": lambda x, hz, _: (soxr.resample(x, hz, 32_000), 32_000, ".mp3", 64),
    "Opus 24 kbit/s": lambda x, hz, _: (soxr.resample(x, hz, 48_000), 48_000, ".opus", 24),
    "AAC 48 kbit/s": lambda x, hz, _: (x, hz, ".m4a", 48),
    "-6 dB": lambda x, hz, _: (x / 2, hz, ".wav", None),
    "+6 dB": lambda x, hz, _: (np.clip(x * 2, -1, 1), hz, ".wav", None),
    "telephone, 8 kHz": telephone,
    "another rate": lambda x, hz, _: (soxr.resample(x, hz, 44_100), 44_100, ".wav", None),
    "noise at 20 dB": noisy,
    "equalised": equalised,
    "stereo": lambda x, hz, _: (np.stack((x, 0.7 * x), axis=1)[: -hz // 10], hz, ".wav", None),
    "0.7 s cut off": lambda x, hz, _: (x[round(0.7 * hz) :], hz, ".wav", None),
    "0.3 s cut off either end": lambda x, hz, _: (x[round(0.3 * hz) : -round(0.3 * hz)], hz, ".wav", None),
    "a part of a frame cut off": shifted,
    "telephone, 0.7 s cut off": lambda x, hz, random: telephone(x[round(0.7 * hz) :], hz, random),
}
"""What becomes of a take: samples, rate, suffix and kbit/s of its copy."""
