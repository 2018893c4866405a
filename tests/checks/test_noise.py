"""The noise under a voice is measured as it was mixed, and what cannot be known is said."""

import numpy as np
import pytest

from pipeline.checks.noise import SUBJECT, NoiseLimits, hum, noise_floor, noisy, unsure
from pipeline.meters.snr import paused_frames
from pipeline.readings import Loudness, Noise
from pipeline.records import Activity, Block, Severity, StreamInfo
from pipeline.stages import derive

RATE_HZ = 24_000
SNR_DB = 1.0
"""Half a decibel is the voice's own room tone and what its edges hold; the rest is the spread of a few seconds of pauses."""


def words(speechlike, seconds=12.0, rate_hz=RATE_HZ, pause_s=0.8):
    """Two seconds of voice, a pause of digital silence, and again; and a mask of the voice."""
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    spoken = (at % (2.0 + pause_s)) < 2.0
    voice = speechlike(seconds, rate_hz=rate_hz)
    return np.where(spoken, voice, 0.0), spoken


def noise_under(voice, spoken, snr_db, seed=1):
    """White noise that far under the voice's mean power while it speaks."""
    made = np.random.default_rng(seed).standard_normal(len(voice))
    return made * np.sqrt(np.mean(voice[spoken] ** 2)) * 10 ** (-snr_db / 20)


class KnownEdges:
    """An engine that was told where the voice is, and answers as samples come."""

    name = "pyannet"

    def __init__(self, spoken, rate_hz):
        frames = -(-len(spoken) * Activity.RATE_HZ // (rate_hz * Activity.HOP))
        middles = np.minimum((np.arange(frames) + 0.5) * Activity.FRAME_S * rate_hz, len(spoken) - 1)
        self._answers = spoken[middles.astype(int)].astype(np.float32)[:, None] * 0.98 + 0.01
        self._fed = self._made = 0

    def feed(self, samples):
        self._fed += len(samples)
        return self._answer(self._fed // Activity.HOP)

    def finish(self):
        return self._answer(-(-self._fed // Activity.HOP))

    def _answer(self, until):
        made, self._made = self._answers[self._made : until], max(until, self._made)
        return made


def reading(samples, spoken, rate_hz=RATE_HZ):
    """What is read when the edges of the voice are known."""
    samples = np.asarray(samples, np.float32)
    samples = samples[:, None] if samples.ndim == 1 else samples
    channels = samples.shape[1]
    info = StreamInfo("wav", "pcm_s16le", rate_hz, channels, 16, positions=("FL", "FR")[:channels])
    blocks = (Block(samples[i : i + rate_hz], i, rate_hz) for i in range(0, len(samples), rate_hz))
    meter = SUBJECT.meter(info)
    for block in derive.derive(info, blocks, KnownEdges(spoken, rate_hz)):
        meter.feed(block)
    return meter.read()


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0, 30.0, 40.0])
def test_the_ratio_is_the_one_that_was_mixed(speechlike, snr_db, rate_hz):
    voice, spoken = words(speechlike, rate_hz=rate_hz)
    noise = reading(voice + noise_under(voice, spoken, snr_db), spoken, rate_hz)
    assert noise.snr_db == pytest.approx(snr_db, abs=SNR_DB)
    assert noise.pause_snr_db == noise.snr_db
    assert noise.why is None


def test_noise_above_8_khz_counts(speechlike):
    """Full band: white noise at 44.1 kHz has 4.4 dB more power than its part under 8 kHz."""
    voice, spoken = words(speechlike, rate_hz=44_100)
    under = noise_under(voice, spoken, 20.0)
    noise = reading(voice + under, spoken, 44_100)
    assert noise.floor_dbfs == pytest.approx(10 * np.log10(np.mean(under**2)), abs=0.3)


def test_gain_moves_the_floor_and_not_the_ratio(speechlike):
    voice, spoken = words(speechlike)
    loud = voice + noise_under(voice, spoken, 25.0)
    one, other = reading(loud, spoken), reading(0.1 * loud, spoken)
    assert other.floor_dbfs == pytest.approx(one.floor_dbfs - 20, abs=0.01)
    assert other.speech_dbfs == pytest.approx(one.speech_dbfs - 20, abs=0.01)
    assert other.snr_db == pytest.approx(one.snr_db, abs=0.01)


def test_a_constant_offset_is_no_noise(speechlike):
    voice, spoken = words(speechlike)
    mixed = voice + noise_under(voice, spoken, 30.0)
    assert reading(mixed + 0.05, spoken).snr_db == pytest.approx(reading(mixed, spoken).snr_db, abs=0.05)


def test_a_dead_side_does_not_count(speechlike):
    voice, spoken = words(speechlike)
    mixed = voice + noise_under(voice, spoken, 25.0)
    alone = reading(mixed, spoken)
    beside = reading(np.stack([mixed, 1e-4 * mixed], axis=1), spoken)
    assert beside.snr_db == pytest.approx(alone.snr_db, abs=0.01)
    assert beside.floor_dbfs == pytest.approx(alone.floor_dbfs, abs=0.01)


def test_a_door_in_a_pause_is_no_noise_that_lasts(speechlike):
    voice, spoken = words(speechlike)
    mixed = voice + noise_under(voice, spoken, 30.0)
    door = slice(round(2.3 * RATE_HZ), round(2.4 * RATE_HZ))
    slammed = mixed.copy()
    slammed[door] += 0.3 * np.random.default_rng(2).standard_normal(door.stop - door.start)
    # As the mean of 2.4 s of pauses, 100 ms at -10 dBFS would leave no more than 2 dB; capped 13.5 dB over the noise it takes 3 to 4.
    assert reading(slammed, spoken).snr_db > 30.0 - 4.0


def test_noise_in_half_of_the_clip_counts_half(speechlike):
    voice, spoken = words(speechlike, seconds=28.0)
    under = noise_under(voice, spoken, 17.0)
    under[: len(under) // 2] *= 0.01
    assert reading(voice + under, spoken).snr_db == pytest.approx(20.0, abs=SNR_DB)


def test_without_a_pause_the_quiet_moments_of_the_voice_tell(speechlike):
    voice = speechlike(8.0, rate_hz=RATE_HZ)
    spoken = np.ones(len(voice), bool)
    noise = reading(voice + noise_under(voice, spoken, 10.0), spoken)
    assert noise.pause_snr_db is None
    assert noise.snr_db == pytest.approx(10.0, abs=4.0)  # the dips between its syllables are short


def test_pauses_of_digital_silence_make_no_ratio(speechlike):
    voice, spoken = words(speechlike)
    noise = reading(voice, spoken)
    assert noise.snr_db is None
    assert noise.floor_dbfs is None
    assert noise.why == "its pauses are digital silence"


@pytest.mark.parametrize("depth_db", [200.0, 40.0])
def test_a_gate_does_not_hide_the_noise_under_the_voice(speechlike, depth_db):
    voice, spoken = words(speechlike)
    mixed = (voice + noise_under(voice, spoken, 10.0)) * np.where(spoken, 1.0, 10 ** (-depth_db / 20))
    noise = reading(mixed, spoken)
    assert noise.valley_snr_db < 20.0
    assert noise.snr_db is None or noise.snr_db > 30.0
    assert list(unsure(noise, NoiseLimits()))


def test_a_hum_is_found_with_its_level(speechlike):
    voice, spoken = words(speechlike)
    at = np.arange(len(voice)) / RATE_HZ
    tone = 0.01 * np.sin(2 * np.pi * 50.05 * at) + 0.01 * np.sin(2 * np.pi * 150.15 * at)
    noise = reading(voice + tone, spoken)
    assert noise.hum_hz == 50.0
    assert noise.hum_dbfs == pytest.approx(-40.0, abs=1.0)  # two sines of -43 dBFS mean power
    assert list(hum(noise, NoiseLimits()))


@pytest.mark.parametrize("seconds", [0.001, 0.05, 0.4])
def test_a_clip_that_is_too_short_says_so(speechlike, seconds):
    voice = speechlike(seconds + 0.01, rate_hz=RATE_HZ)[: round(seconds * RATE_HZ)]
    noise = reading(voice, np.ones(len(voice), bool))
    assert noise.snr_db is None
    assert noise.why


def test_without_a_voice_there_is_a_floor_and_no_ratio():
    samples = 0.001 * np.random.default_rng(3).standard_normal(4 * RATE_HZ)
    noise = reading(samples, np.zeros(len(samples), bool))
    assert noise.floor_dbfs == pytest.approx(-60.0, abs=0.2)
    assert noise.snr_db is None
    assert noise.why == "it holds less than half a second of speech"


def test_the_limits_grade_the_ratio():
    grades = [[e.severity for e in noisy(Noise(snr_db=value), NoiseLimits())] for value in (26.0, 24.0, 19.0)]
    assert grades == [[], [None], [Severity.ERROR]]


def test_the_floor_is_judged_at_one_loudness():
    noise = Noise(snr_db=30.0, floor_dbfs=-60.0, pause_snr_db=30.0)
    assert not list(noise_floor(noise, Loudness(integrated_lufs=-23.0), NoiseLimits()))
    (found,) = noise_floor(noise, Loudness(integrated_lufs=-40.0), NoiseLimits())
    assert found.value == pytest.approx(-43.0)
    assert not list(noise_floor(noise, None, NoiseLimits()))


def test_a_floor_that_was_not_heard_in_a_pause_is_not_judged_as_one():
    noise = Noise(snr_db=30.0, floor_dbfs=-40.0, pause_snr_db=None)
    assert not list(noise_floor(noise, Loudness(integrated_lufs=-23.0), NoiseLimits()))


def test_short_pauses_which_soft_syllables_pass_for_count_only_where_there_are_no_longer_ones():
    short, long = (60, 70), (300, 400)
    with_both = paused_frames(np.array([[0, short[0]], [short[1], long[0]], [long[1], 500]]), 500)
    assert not with_both[: long[0]].any()
    assert with_both[long[0] + 20 : long[1] - 10].all()
    assert paused_frames(np.array([[0, short[0]], [short[1], 500]]), 500)[slice(*short)].any()


def test_digital_silence_leaves_no_question_open_where_the_voice_itself_is_clean():
    gated = Noise(valley_snr_db=30.0, why="its pauses are digital silence")
    assert not list(unsure(gated, NoiseLimits()))
    (found,) = unsure(Noise(valley_snr_db=15.0, why="its pauses are digital silence"), NoiseLimits())
    assert "15 dB" in found.detail


@pytest.mark.parametrize(("pause", "valley", "fires"), [(50.0, 14.0, True), (50.0, 26.0, False), (18.0, 5.0, False)])
def test_pauses_and_voice_that_disagree_leave_a_question_open(pause, valley, fires):
    noise = Noise(snr_db=pause, pause_snr_db=pause, valley_snr_db=valley)
    assert bool(list(unsure(noise, NoiseLimits()))) is fires
