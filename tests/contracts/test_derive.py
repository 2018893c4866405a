"""What is derived from a clip once: 16 kHz mono and activity, of the same stretch as each block, whatever the blocks."""

from types import SimpleNamespace

import numpy as np
import pytest
import soxr

from pipeline.records import Activity
from pipeline.resampling import resampler
from pipeline.stages import derive

RATES_HZ = (8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000)
SIZES = (160, 997, "second", None)


def stereo(speechlike, rate_hz, seconds=6.3):
    left = speechlike(seconds, rate_hz=rate_hz, seed=1)
    return np.stack([left, 0.5 * np.roll(left, 5)], axis=1).astype(np.float32)


def blocks_of(made):
    _, blocks = made
    return list(blocks)


def laid_end_to_end(blocks):
    return np.concatenate([block.mono16k for block in blocks])


def heard(at_16k):
    """What is made of a mono signal that is at 16 kHz already."""
    return resampler(16_000, 16_000).finish(at_16k.astype(np.float32))


def activity_of(blocks, part):
    return np.concatenate([getattr(block.activity, part) for block in blocks])


@pytest.mark.parametrize("engine", ["pyannet", "webrtcvad"])
@pytest.mark.parametrize("rate_hz", [11_025, 22_050, 44_100, 96_000])
def test_activity_is_the_same_whatever_the_block_size(speechlike, derived, engine, rate_hz):
    samples = stereo(speechlike, rate_hz)
    runs = [
        blocks_of(derived(samples, rate_hz, rate_hz if frames == "second" else frames, derive.activity_engine(engine)))
        for frames in SIZES
    ]
    for blocks in runs[1:]:
        for part in ("speech", "level_dbfs"):
            # soxr's chunks and the sums over channels round in another order, which a network amplifies a little.
            assert activity_of(blocks, part) == pytest.approx(activity_of(runs[0], part), abs=2e-3)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("frames", SIZES, ids=str)
def test_the_parts_of_the_mono_signal_laid_end_to_end_are_the_whole(speechlike, derived, rate_hz, frames):
    samples = stereo(speechlike, rate_hz)
    laid = laid_end_to_end(blocks_of(derived(samples, rate_hz, rate_hz if frames == "second" else frames)))
    whole = soxr.resample(samples.mean(axis=1), rate_hz, 16_000) if rate_hz != 16_000 else heard(samples.mean(axis=1))
    assert len(laid) == pytest.approx(len(samples) * 16_000 / rate_hz, abs=1)
    assert len(laid) == len(whole)
    assert laid == pytest.approx(whole, abs=1e-5)  # soxr as a stream and at once differ in their last bits


def test_a_mix_of_three_channels_is_the_same_to_the_last_bit_whatever_the_block_size(speechlike, derived):
    """One of them joins late, so that cells are mixed one by one until it counts."""
    samples = np.stack([speechlike(6.0, rate_hz=16_000, seed=seed) for seed in (1, 2, 3)], axis=1).astype(np.float32)
    samples[: 3 * 16_000, 2] = 0
    whole, *others = (laid_end_to_end(blocks_of(derived(samples, 16_000, frames))) for frames in (None, 997, 16_000))
    for laid in others:
        np.testing.assert_array_equal(laid, whole)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_block_carries_the_stretch_that_it_covers(speechlike, derived, rate_hz):
    """Up to rounding to whole samples and frames; and the last one the rest."""
    samples_done = frames_done = 0
    blocks = blocks_of(derived(stereo(speechlike, rate_hz), rate_hz, rate_hz // 3))
    for block in blocks:
        assert block.activity.first == frames_done
        samples_done += len(block.mono16k)
        frames_done += len(block.activity.speech)
        end_s = (block.start + len(block.samples)) / rate_hz
        assert samples_done / 16_000 == pytest.approx(end_s, abs=1.01 / 16_000)
        assert frames_done * Activity.FRAME_S == pytest.approx(end_s, abs=1.01 * Activity.FRAME_S)
        assert len(block.activity.level_dbfs) == len(block.activity.speech) == len(block.activity.voices)
    assert frames_done == -(-samples_done // Activity.HOP)


@pytest.mark.parametrize("engine", ["pyannet", "webrtcvad"])
@pytest.mark.parametrize("samples", [1, 269, 270, 271, 79_109, 79_110, 79_111, 80_000, 160_001])
def test_there_is_a_frame_for_every_270_samples_begun(speechlike, engine, samples):
    signal = np.resize(speechlike(1.0, rate_hz=16_000), samples).astype(np.float32)
    detector = derive.activity_engine(engine)
    made = [detector.feed(part) for part in np.array_split(signal, 7)]
    frames = np.concatenate([*made, detector.finish()])
    assert len(frames) == -(-samples // Activity.HOP)
    assert frames.shape[1] == (4 if engine == "pyannet" else 1)
    assert np.all((frames >= 0) & (frames <= 1))


@pytest.mark.parametrize(
    ("engine", "early_s", "late_s"),
    [("pyannet", 0.08, 0.08), ("webrtcvad", 0.03, 0.13)],  # WebRTC's detector hangs over by 90 ms
)
@pytest.mark.parametrize("at_s", [1.0, 2.5, 4.9, 7.3])  # 4.94 s is the border of PyanNet's first two windows
def test_a_burst_of_speech_shows_in_its_own_frames(speechlike, engine, early_s, late_s, at_s):
    signal = 1e-5 * np.random.default_rng(1).standard_normal(12 * 16_000).astype(np.float32)
    burst = np.tile(speechlike(0.75, rate_hz=16_000, seed=2), 2)  # without the pause that comes behind three syllables
    signal[round(at_s * 16_000) :][: len(burst)] += burst
    detector = derive.activity_engine(engine)
    speech = np.concatenate([detector.feed(signal), detector.finish()])[:, 0]
    frames = np.flatnonzero(speech > 0.5)
    assert at_s - early_s <= frames[0] * Activity.FRAME_S <= at_s + early_s
    assert at_s + 1.5 - late_s <= (frames[-1] + 1) * Activity.FRAME_S <= at_s + 1.5 + late_s
    assert len(frames) == pytest.approx(1.5 / Activity.FRAME_S, abs=8)


@pytest.mark.parametrize("engine", ["pyannet", "webrtcvad"])
def test_activity_says_which_engine_it_is_of(speechlike, derived, engine):
    samples = speechlike(1.0, rate_hz=16_000)[:, None]
    for block in blocks_of(derived(samples, 16_000, 4_000, derive.activity_engine(engine))):
        assert block.activity.engine == engine
        assert (block.activity.voices is None) == (engine == "webrtcvad")
        assert (block.activity.overlap is None) == (engine == "webrtcvad")


class Listening:
    """A stand-in for PyanNet, front and graph: a frame is speech where its own 270 samples are loud; windows are counted."""

    def __init__(self):
        self.windows = 0

    def get_modelmeta(self):
        return SimpleNamespace(custom_metadata_map={})

    def bands(self, waveforms):
        return waveforms

    def run(self, _, inputs):
        batch = inputs["bands"]
        self.windows += len(batch)
        own = batch[:, 360 : 360 + 293 * 270].reshape(len(batch), 293, 270)
        loud = (np.square(own).mean(axis=2) > 1e-6).astype(np.float32)
        return [np.stack((loud, 0 * loud, 0 * loud), axis=2)]


@pytest.mark.parametrize(("pause_s", "again"), [(0.5, 0), (1.0, 8)])
def test_the_network_looks_again_only_where_a_pause_is_near_the_border_of_two_windows(monkeypatch, pause_s, again):
    network = Listening()
    monkeypatch.setattr("pipeline.activity.pyannet.session", lambda _name: network)
    monkeypatch.setattr("pipeline.activity.pyannet.SincNet", lambda _metadata: network)
    signal = 0.1 * np.random.default_rng(1).standard_normal(9 * 293 * 270).astype(np.float32)
    signal[np.arange(len(signal)) / 16_000 % 2.4 < pause_s] = 0
    engine = derive.activity_engine("pyannet")
    speech = np.concatenate([engine.feed(signal), engine.finish()])[:, 0]
    assert network.windows == 9 + again
    assert np.mean(speech == (np.square(signal.reshape(-1, 270)).mean(axis=1) > 1e-6)) == 1.0


@pytest.mark.parametrize("frames", [997, None], ids=str)
def test_the_level_is_that_of_each_frame(derived, frames):
    """Of three frames of each step the middle one; at the edges of steps the low-pass rings."""
    steps = np.repeat([0.0, 1e-5, 0.001, 0.1, 0.5], 3 * 270).astype(np.float32)[:, None]
    level = activity_of(blocks_of(derived(np.tile(steps, (4, 1)), 16_000, frames)), "level_dbfs")
    assert level[1:15:3] == pytest.approx([-120, -100, -60, -20, -6.02], abs=0.01)


def test_without_an_engine_there_is_no_activity(speechlike, in_blocks, stream_info):
    samples = speechlike(1.0, rate_hz=16_000)[:, None]
    made = list(derive.derive(stream_info(16_000, 1), in_blocks(samples, 16_000, 4_000), None))
    assert all(block.activity is None for block in made)
    assert np.array_equal(laid_end_to_end(made), heard(samples[:, 0]))


def test_a_clip_without_blocks_derives_to_none(stream_info):
    assert list(derive.derive(stream_info(), [], derive.activity_engine("webrtcvad"))) == []


def test_a_dead_side_is_left_out_of_the_mix(speechlike, derived):
    voice = speechlike(2.0, rate_hz=16_000)
    for dead in (np.zeros_like(voice), 0.005 * voice):  # nothing, or 46 dB of crosstalk
        mixed = laid_end_to_end(blocks_of(derived(np.stack([dead, voice], axis=1), 16_000, 1_600)))
        assert mixed == pytest.approx(heard(voice), abs=1e-6)


def test_a_quiet_side_is_not(speechlike, derived):
    voice = speechlike(2.0, rate_hz=16_000)
    mixed = laid_end_to_end(blocks_of(derived(np.stack([voice, 0.1 * voice], axis=1), 16_000, 1_600)))
    assert mixed == pytest.approx(heard(0.55 * voice), abs=1e-6)


def test_channels_that_cancel_are_not_mixed(speechlike, derived):
    """One side upside down: their mean is silence, and so the louder of them stands in."""
    voice = speechlike(2.0, rate_hz=16_000)
    mixed = laid_end_to_end(blocks_of(derived(np.stack([-0.9 * voice, voice], axis=1), 16_000, 1_600)))
    assert mixed == pytest.approx(heard(voice), abs=1e-6)


@pytest.mark.parametrize("channels", [2, 3, 6])
def test_the_mix_is_the_mean_of_all_channels_however_many(speechlike, derived, channels):
    sides = [speechlike(3.0, rate_hz=16_000, seed=seed) for seed in range(channels)]
    laid = laid_end_to_end(blocks_of(derived(np.stack(sides, axis=1).astype(np.float32), 16_000)))
    assert laid == pytest.approx(heard(np.mean(sides, axis=0)), abs=1e-6)  # of float32 sums


def test_channels_that_differ_are_mixed(speechlike, derived):
    sides = np.stack([speechlike(2.0, rate_hz=16_000, seed=seed) for seed in (1, 2)], axis=1)
    assert laid_end_to_end(blocks_of(derived(sides, 16_000, 1_600))) == pytest.approx(
        heard(sides.mean(axis=1)), abs=1e-6
    )


@pytest.mark.parametrize("rate_hz", [11_025, 16_000, 44_100])
def test_spectra_come_with_the_frames_of_the_activity_and_are_the_same_whatever_the_block_size(
    speechlike, derived, rate_hz
):
    samples = stereo(speechlike, rate_hz)
    runs = []
    for frames in SIZES:
        size = rate_hz if frames == "second" else frames
        blocks = blocks_of(derived(samples, rate_hz, size, derive.activity_engine("webrtcvad")))
        assert all(len(block.spectra) == len(block.activity.speech) for block in blocks)
        runs.append(np.concatenate([block.spectra for block in blocks]))
    for run in runs[1:]:
        assert run.shape == runs[0].shape
        assert run == pytest.approx(runs[0], rel=1e-3, abs=1e-9)  # soxr's chunks round in another order


def test_a_frame_s_spectrum_adds_up_to_its_power_and_a_tone_stands_in_its_bin(derived):
    tone = (0.5 * np.sin(2 * np.pi * 1_000 * np.arange(32_000) / 16_000)).astype(np.float32)[:, None]
    spectra = np.concatenate([block.spectra for block in blocks_of(derived(tone, 16_000, 16_000))])
    inner = spectra[2:-2]  # the ends reach into the silence around
    assert inner.sum(axis=1) == pytest.approx(0.125, rel=1e-3)
    assert set(inner.argmax(axis=1)) == {1_000 // 31.25}
    assert len(spectra) == -(-32_000 // Activity.HOP)
