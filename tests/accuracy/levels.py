"""Clipping, dropouts and uneven level: readers cut at a ceiling, torn, and made louder on the way, before and after codecs.

The truth is what was done to them. Clipped runs are counted in 16 bit before anything else happens to the file.
"""

import numpy as np
import recordings
import soxr
from scipy import ndimage, signal

from pipeline.meters.p56 import SpeechLevelMeter

GREY = (
    "CLIPPED: under ten clipped runs before coding; utterances whose tops pile up as published; saturation by tanh; a "
    "high-pass filter over 20 Hz or of a higher order than one. "
    "DROPOUT: gaps under 5 ms, or 10 ms before a lossy codec, over 0.9 s, and those beside which 10 ms of the voice are more "
    "than 15 dB under its active level, over 200 Hz. "
    "UNEVEN_LEVEL: steps under 6 dB that were made, drifts under 8 dB, steps with under 10 s of speech and drifts with under 16 s."
)
RATES_HZ = (16_000, 22_050, 24_000, 44_100, 48_000)
CODED = (
    ("MP3 64k", ".mp3", 64),
    ("MP3 128k", ".mp3", 128),
    ("AAC", ".m4a", 96),
    ("Opus", ".opus", 48),
    ("Vorbis", ".ogg", None),
)
LEAST_RUNS, MANY_RUNS = 10, 30
SHORTEST_GAP_S, SHORTEST_CODED_GAP_S, LONGEST_GAP_S, BESIDE_DB = 0.005, 0.010, 0.9, 15.0
"""How long a gap is, and how far the 10 ms on either side of it may be under the speech's level, both over 200 Hz."""


def build(folder, part, random):
    for n in range(56):
        clipped(folder, part, random, ("lossless", "high-passed", "resampled", *CODED)[n % 8], stereo=n % 7 == 3)
    for n in range(36):
        unclipped(folder, part, random, ("lossless", *CODED)[n % 6], mastered=n % 4 < 2)
    for n in range(32):
        torn(folder, part, random, ("lossless", CODED[1], CODED[2], CODED[3])[n % 4])
    for n in range(12):
        gated(folder, part, random, ("lossless", CODED[1], CODED[2], CODED[3])[n % 4])
    for n in range(24):
        uneven(folder, part, random, ("even", "step", "drift")[n % 3])


def joined(part, random, rate_hz, seconds):
    """So much of one reader, or as much as there is, at peak 1; none that was clipped before it came here."""
    utterances = recordings.unpiled(part)
    reader = utterances[int(random.integers(len(utterances)))].reader
    own = [u for u in utterances if u.reader == reader]
    pieces = []
    for i in random.permutation(len(own)):
        pieces += [own[i].at(rate_hz), np.zeros(round(random.uniform(0.2, 0.6) * rate_hz), np.float32)]
    samples = np.concatenate(pieces)[: round(seconds * rate_hz)]
    return samples / np.abs(samples).max()


def add(folder, samples, rate_hz, through, group, **case):
    """The case as a file, through a codec where `through` is one."""
    _, suffix, kbit_s = ("", ".wav", None) if isinstance(through, str) else through
    folder.add(samples, rate_hz, suffix=suffix, kbit_s=kbit_s, group=group, **case)


def name_of(through):
    return through if isinstance(through, str) else through[0]


def clipped(folder, part, random, through, *, stereo):
    rate_hz = int(random.choice(RATES_HZ))
    voice = joined(part, random, rate_hz, random.uniform(8, 20))
    samples = (
        np.clip(np.round(np.clip(voice * recordings.decibels(random.uniform(2, 12)), -1, 1) * 32768), -32768, 32767)
        / 32768
    )
    runs = flat_runs(samples, rate_hz)
    samples = samples * recordings.decibels(random.uniform(-12, -0.5))
    if stereo:
        samples = np.stack([samples, voice * 0.5 * np.abs(samples).max()], axis=1)
    if through == "high-passed":
        samples = signal.sosfilt(
            signal.butter(1, random.uniform(5, 20), "high", fs=rate_hz, output="sos"), samples, axis=0
        )
    elif through == "resampled":
        to_hz = int(random.choice([hz for hz in RATES_HZ if hz != rate_hz]))
        samples, rate_hz = soxr.resample(samples, rate_hz, to_hz), to_hz
    found = True if runs >= LEAST_RUNS else None
    group = f"clipped, {'over' if runs > MANY_RUNS else 'up to'} {MANY_RUNS} runs, {name_of(through)}"
    add(folder, samples, rate_hz, through, group, part=part, flags={"CLIPPED": found, "DROPOUT": False})


def flat_runs(samples, rate_hz):
    """How many runs of three samples and more (60 us at high rates) lie at the ceiling."""
    at_ceiling = np.abs(samples) >= np.abs(samples).max() - 2 / 32768
    edges = np.flatnonzero(np.diff(np.concatenate(([0], at_ceiling, [0]))))
    return int((np.diff(edges)[::2] >= max(3, round(60e-6 * rate_hz))).sum())


def unclipped(folder, part, random, through, *, mastered):
    rate_hz = int(random.choice(RATES_HZ))
    samples = joined(part, random, rate_hz, random.uniform(8, 20))
    if mastered:
        pressed = compressed(samples, rate_hz, ratio=random.uniform(2, 5)) * recordings.decibels(random.uniform(6, 13))
        ceiling = recordings.decibels(float(random.choice([-1.0, 0.0])))
        samples = limited(
            pressed, rate_hz, ceiling, ahead_s=random.uniform(0.0015, 0.01), release_s=random.uniform(0.02, 0.15)
        )
    else:
        samples = samples * recordings.decibels(random.uniform(-12, -0.5))
    group = f"{'mastered' if mastered else 'clean'}, {name_of(through)}"
    add(folder, samples, rate_hz, through, group, part=part, flags={"CLIPPED": False, "DROPOUT": False})


def compressed(samples, rate_hz, ratio, below_db=12.0, attack_s=0.005, release_s=0.08):
    """By that ratio from so far under the peak: two envelopes, the quick one up and the slow one down."""
    levels = []
    for seconds in (attack_s, release_s):
        share = 1 - np.exp(-1 / (rate_hz * seconds))
        levels.append(signal.lfilter([share], [1, share - 1], np.abs(samples)))
    over_db = 20 * np.log10(np.maximum(np.maximum(*levels) * 1.57, 1e-9)) + below_db
    return samples * 10 ** (-np.maximum(over_db, 0) * (1 - 1 / ratio) / 20)


def limited(samples, rate_hz, ceiling, ahead_s, release_s):
    """A brickwall limiter that looks ahead: its gain is down before the peak comes, and recovers exponentially."""
    reach = max(int(ahead_s * rate_hz), 2)
    wanted = np.log(np.maximum(np.abs(samples) / ceiling, 1.0))
    held = ndimage.maximum_filter1d(wanted, 4 * reach + 1)
    step = max(reach // 4, 1)
    recovering, last = np.empty(-(-len(held) // step)), 0.0
    for i, reduction in enumerate(np.maximum.reduceat(held, np.arange(0, len(held), step))):
        last = recovering[i] = max(reduction, last * np.exp(-step / (rate_hz * release_s)))
    held = np.maximum(held, np.interp(np.arange(len(held)), np.arange(len(recovering)) * step, recovering))
    smooth = signal.get_window("hann", 2 * reach + 1, fftbins=False)
    gain = np.exp(-np.convolve(held, smooth / smooth.sum(), "same"))
    return np.clip(samples * gain, -ceiling, ceiling)


def torn(folder, part, random, through):
    """One to three gaps inside speech that a listener hears: loud right before and after, and longer than a codec smears."""
    rate_hz = int(random.choice(RATES_HZ))
    samples = joined(part, random, rate_hz, random.uniform(8, 20)) * 0.5
    shortest_s = SHORTEST_GAP_S if through == "lossless" else SHORTEST_CODED_GAP_S
    beside = rate_hz // 100
    sums = np.concatenate(([0.0], np.cumsum(np.square(audible(samples, rate_hz)))))
    loud = (sums[beside:] - sums[:-beside]) / beside > active_power(samples, rate_hz) * 10 ** (-BESIDE_DB / 10)
    edge = rate_hz // 4
    found = False
    for _ in range(int(random.integers(1, 4))):
        frames = round(np.exp(random.uniform(np.log(shortest_s), np.log(LONGEST_GAP_S))) * rate_hz)
        firsts = np.arange(edge, len(samples) - frames - edge)
        firsts = firsts[loud[firsts - beside] & loud[firsts + frames]]
        if len(firsts):
            first = int(random.choice(firsts))
            samples[first : first + frames], found = 0, True
            # The next gap is not to lie beside this one.
            loud[max(first - rate_hz // 5, 0) : first + frames + rate_hz // 5] = False
    flags = {"DROPOUT": found, "CLIPPED": False}
    add(folder, samples, rate_hz, through, f"torn, {name_of(through)}", part=part, flags=flags)


def audible(samples, rate_hz):
    """Without rumble, which in some recordings is louder than the ends of words."""
    return signal.sosfilt(signal.butter(2, 200, "high", fs=rate_hz, output="sos"), samples)


def active_power(samples, rate_hz):
    """The mean square of the speech in it (ITU-T P.56), over 200 Hz."""
    meter = SpeechLevelMeter(rate_hz)
    meter.feed(audible(samples, rate_hz).astype(np.float32))
    return 10 ** (meter.level()[0] / 10)


def gated(folder, part, random, through):
    """Pauses that a noise gate or an editor has emptied: closed 25 to 40 dB under the voice, some with a fade of 5 to 20 ms."""
    rate_hz = int(random.choice(RATES_HZ))
    samples = joined(part, random, rate_hz, random.uniform(8, 20)) * 0.5
    power = ndimage.uniform_filter1d(np.square(audible(samples, rate_hz)), rate_hz // 50)
    closed = active_power(samples, rate_hz) * 10 ** (-random.uniform(2.5, 4))
    gain = ndimage.maximum_filter1d(power > closed, rate_hz // 10).astype(np.float64)
    if random.random() < 0.5:
        gain = ndimage.uniform_filter1d(gain, round(random.uniform(0.005, 0.02) * rate_hz))
    flags = {"DROPOUT": False, "CLIPPED": False}
    add(folder, samples * gain, rate_hz, through, f"gated, {name_of(through)}", part=part, flags=flags)


def uneven(folder, part, random, kind):
    """One reader's utterances joined; then the gain is touched once, or all the way."""
    rate_hz = 16_000
    samples = joined(part, random, rate_hz, 60.0 if random.random() < 0.5 else 25.0) * 0.25
    if kind != "even" and len(samples) < (24 if kind == "drift" else 14) * rate_hz:
        kind = "even"
    if kind == "step":
        first = round(random.uniform(0.4, 0.6) * len(samples))
        samples[first:] *= recordings.decibels(float(random.choice([-1, 1])) * random.uniform(6, 10))
    elif kind == "drift":
        end_db = float(random.choice([-1, 1])) * random.uniform(8, 12)
        samples = samples * 10 ** (np.linspace(0, end_db, len(samples)) / 20)
    folder.add(samples, rate_hz, part=part, group=kind, flags={"UNEVEN_LEVEL": kind != "even", "DROPOUT": False})
