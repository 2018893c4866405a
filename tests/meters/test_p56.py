"""Active speech level against ITU-T P.56 (12/2011), method B, written from its text sample by sample."""

import math

import numpy as np
import pytest

from pipeline.meters.p56 import SpeechLevelMeter

RATE_HZ = 16_000
DB = 1e-6
"""The two sum the same numbers in another order; one sample of hangover more is 4e-4 dB in these signals."""


def by_the_text(samples, rate_hz):
    """Clause 7: two exponential averages, an activity and a hangover counter per threshold, and the margin of 15.9 dB.

    Gives active level and activity factor, or `None` where no threshold comes within the margin.
    """
    g = math.exp(-1 / (rate_hz * 0.03))
    hangover = round(0.2 * rate_hz)
    thresholds = [2.0**-j for j in range(15, 0, -1)]
    active, hanging = [0] * 15, [hangover] * 15
    square_sum = p = q = 0.0
    for sample in samples:
        x = float(sample)
        square_sum += x * x
        p = g * p + (1 - g) * abs(x)
        q = g * q + (1 - g) * p
        for j, threshold in enumerate(thresholds):
            if q >= threshold:
                active[j] += 1
                hanging[j] = 0
            elif hanging[j] < hangover:
                active[j] += 1
                hanging[j] += 1
    level = where_the_margin_is(square_sum, active, thresholds) if square_sum > 0 else None
    return None if level is None else (level, min(square_sum / len(samples) / 10 ** (level / 10), 1.0))


def where_the_margin_is(square_sum, active, thresholds):
    """The level at which it stands 15.9 dB over its threshold, between the two thresholds next to that."""
    before = None
    for count, threshold in zip(active, thresholds, strict=True):
        if count == 0:
            return None
        level = 10 * math.log10(square_sum / count)
        margin = level - 20 * math.log10(threshold)
        if margin <= 15.9:
            return (
                level if before is None else before[0] + (before[1] - 15.9) / (before[1] - margin) * (level - before[0])
            )
        before = (level, margin)
    return None


def measured(samples, rate_hz=RATE_HZ, frames=None):
    meter = SpeechLevelMeter(rate_hz)
    size = len(samples) if frames is None else frames
    for start in range(0, len(samples), size):
        meter.feed(np.asarray(samples[start : start + size], np.float32))
    return meter.level()


def bursts(seed, level_dbfs, on_s=0.4, off_s=0.6, seconds=4.0, rate_hz=RATE_HZ, floor_dbfs=-80.0):
    """Noise that is switched on and off, over a floor."""
    random = np.random.default_rng(seed)
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    gate = (at % (on_s + off_s)) < on_s
    noise = random.standard_normal((2, len(at)))
    return (10 ** (level_dbfs / 20) * gate * noise[0] + 10 ** (floor_dbfs / 20) * noise[1]).astype(np.float32)


@pytest.mark.parametrize("level_dbfs", [-60, -45, -30, -23, -12, 0])
@pytest.mark.parametrize(("on_s", "off_s"), [(0.05, 0.1), (0.4, 0.6), (0.2, 1.8), (4.0, 0.0)])
def test_bursts_read_what_the_text_gives(level_dbfs, on_s, off_s):
    samples = bursts(1, level_dbfs, on_s, off_s, seconds=2.0)
    assert measured(samples) == pytest.approx(by_the_text(samples, RATE_HZ), abs=DB)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_speech_like_sounds_read_what_the_text_gives_at_any_rate(speechlike, rate_hz):
    samples = speechlike(2.0, -26.0, rate_hz)
    assert measured(samples, rate_hz) == pytest.approx(by_the_text(samples, rate_hz), abs=DB)


@pytest.mark.parametrize("frames", [1, 997, 16_000])
def test_the_block_size_changes_nothing(frames):
    samples = bursts(2, -26, on_s=0.1, off_s=0.15, seconds=0.6)
    assert measured(samples, frames=frames) == pytest.approx(measured(samples), abs=1e-6)


def test_pauses_do_not_lower_the_level():
    """Noise that is on for 1 s in 4: the long-term level is 6 dB lower, the active one is that of the noise."""
    level, activity = measured(bursts(3, -26, on_s=2.0, off_s=6.0, seconds=24.0, floor_dbfs=-90))
    # The hangover of 0.2 s after each burst is counted as active: 2.2 of 2.0 s, 0.4 dB.
    assert level == pytest.approx(-26 - 10 * np.log10(1.1), abs=0.3)
    assert activity == pytest.approx(2.2 / 8, abs=0.02)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75, 1.0])
def test_the_activity_factor_is_the_share_of_time_with_the_hangover(share):
    _, activity = measured(bursts(4, -20, on_s=4 * share, off_s=4 * (1 - share), seconds=16.0, floor_dbfs=-100))
    assert activity == pytest.approx(min(share + 0.2 / 4, 1.0), abs=0.02)


def test_twice_the_amplitude_is_6_db_more():
    quiet = bursts(5, -30, seconds=3.0, floor_dbfs=-120)
    assert measured(2 * quiet)[0] - measured(quiet)[0] == pytest.approx(20 * np.log10(2), abs=0.01)


def test_a_full_scale_square_wave_is_0_db():
    square = np.where(np.arange(4 * RATE_HZ) // 40 % 2, 1.0, -1.0)
    # The envelope takes 20 ms of these 4 s to rise over the thresholds that count.
    assert measured(square)[0] == pytest.approx(0.0, abs=0.03)


@pytest.mark.parametrize(
    "samples", [np.zeros(RATE_HZ), np.full(RATE_HZ, 1e-6), np.zeros(0)], ids=["zero", "faint", "none"]
)
def test_silence_has_no_active_level(samples):
    assert measured(samples, frames=1_000) is None
