"""The same recording is found again in another form, and other words of the same voice are not taken for it."""

import random as chance

import numpy as np
import pytest
from scipy import signal

from pipeline.corpus.near_duplicates import SUBJECT
from pipeline.meters.fingerprint import SpectralPeaks
from pipeline.prints import written
from pipeline.readings import Container, Fingerprint
from pipeline.records import Activity
from pipeline.spectra import FrameSpectra

RATE_HZ = 16_000


@pytest.fixture(scope="module")
def take(clip, speechlike):
    """`take(id, samples, codes, **container)`: a clip with the fingerprint of samples at 16 kHz."""

    def make(id_, samples, codes=(), **container):
        spectra, peaks = FrameSpectra(), SpectralPeaks()
        samples = np.asarray(samples, np.float32)
        peaks.feed(spectra.feed(samples))
        peaks.feed(spectra.finish())
        facts = {"lossy": False, "sample_rate": 48_000} | container
        read = Container(decoded_s=len(samples) / RATE_HZ, **facts)
        return clip(id_, read, Fingerprint(written(*peaks.read())), codes=codes)

    return make


@pytest.fixture(scope="module")
def words(speechlike):
    """`words(seconds, seed)`: one voice, other vowels at another pitch for each seed, for nobody says two sentences alike."""

    def make(seconds, seed=1):
        return speechlike(seconds, rate_hz=RATE_HZ, seed=seed, pitch_hz=105.0 + 9.0 * (seed % 5))

    return make


def copies(found):
    return sorted(clip for _, clip in found)


def telephoned(samples):
    return signal.sosfilt(signal.butter(4, (300, 3_400), "bandpass", fs=RATE_HZ, output="sos"), samples)


def noisy(samples):
    noise = np.random.default_rng(3).standard_normal(len(samples))
    return samples + noise * np.sqrt(np.mean(np.square(samples))) / 10


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda x: x / 2, id="6 dB quieter"),
        pytest.param(lambda x: -x, id="inverted"),
        pytest.param(telephoned, id="telephone band"),
        pytest.param(noisy, id="noise at 20 dB"),
        pytest.param(lambda x: x[RATE_HZ * 2 :], id="2 s cut off the front"),
        pytest.param(lambda x: x[RATE_HZ // 2 : -RATE_HZ // 2], id="ends cut off"),
        pytest.param(lambda x: np.concatenate((np.zeros(9_999), x)), id="silence put before"),
        pytest.param(lambda x: np.sign(x) * np.abs(x) ** 0.8, id="compressed"),
    ],
)
def test_a_copy_is_found_whatever_was_done_to_it(take, words, compared, changed):
    samples = words(6.0)
    others = [take(f"other{n}", words(6.0, seed=n)) for n in range(2, 6)]
    found = compared(SUBJECT, [take("a", samples), take("b", changed(samples), sample_rate=44_100), *others])
    assert copies(found) == ["b"]


@pytest.mark.parametrize("sixteenths", range(0, 16, 3))
def test_a_shift_by_a_part_of_a_frame_changes_nothing(take, words, compared, sixteenths):
    samples = words(4.0)
    shifted = samples[sixteenths * Activity.HOP // 16 :]
    assert copies(compared(SUBJECT, [take("a", samples), take("b", shifted)])) == ["b"]


def test_other_words_of_the_same_voice_are_no_copies(take, words, compared):
    assert compared(SUBJECT, [take(f"{n}", words(4.0, seed=n)) for n in range(1, 40)]) == {}


def test_hum_and_silence_are_no_copies_of_each_other(take, tone, compared):
    at = np.arange(4 * RATE_HZ) / RATE_HZ
    steady = [tone(4.0, 440.0, rate_hz=RATE_HZ), np.sin(2 * np.pi * 1_000 * at), np.zeros(4 * RATE_HZ)]
    assert compared(SUBJECT, [take(f"{n}", samples) for n, samples in enumerate([*steady, *steady])]) == {}


def test_a_take_inside_a_longer_file_is_told_with_its_place(take, words, compared):
    parts = [words(3.0, seed=n) for n in range(1, 6)]
    clips = [take("long", np.concatenate(parts)), *(take(f"take{n}", part) for n, part in enumerate(parts))]
    found = compared(SUBJECT, clips)
    assert copies(found) == [f"take{n}" for n in range(5)]
    evidence = found["NEAR_DUPLICATE", "take2"].evidence
    assert evidence.value > 0.9
    assert evidence.spans[0].length_s == pytest.approx(3.0, abs=0.5)  # the first and last peak are inside
    assert "is in long from 0:06." in evidence.detail
    assert 0 <= evidence.spans[0].start_s < evidence.spans[0].end_s <= 3.0


def test_the_short_clip_of_a_second_and_a_half_is_found_in_the_long_one(take, words, compared):
    samples = words(30.0)
    short = samples[round(20.2 * RATE_HZ) : round(21.9 * RATE_HZ)]
    assert copies(compared(SUBJECT, [take("long", samples), take("short", short)])) == ["short"]


def test_the_same_few_seconds_in_every_file_make_no_copies(take, words, compared):
    jingle = words(3.0, seed=99)
    episodes = [take(f"{n}", np.concatenate((jingle, words(9.0, seed=n)))) for n in range(1, 6)]
    assert compared(SUBJECT, episodes) == {}


@pytest.mark.parametrize("times", [2, 3])
def test_what_stands_in_a_longer_file_several_times_is_as_much_of_a_copy(take, words, compared, times):
    said, rest = words(6.0, seed=1), [words(9.0, seed=n) for n in range(2, 6)]
    long = np.concatenate([piece for n in range(times) for piece in (said, rest[n])])
    found = compared(SUBJECT, [take("long", long), take("said", said)])
    assert copies(found) == ["said"]
    assert found["NEAR_DUPLICATE", "said"].evidence.value > 0.9


def test_pauses_cut_out_do_not_hide_a_copy(take, words, compared):
    parts = [words(3.0, seed=n) for n in range(1, 4)]
    pause = np.zeros(RATE_HZ)
    whole = np.concatenate([piece for part in parts for piece in (part, pause)])
    found = compared(SUBJECT, [take("paused", whole), take("tight", np.concatenate(parts))])
    assert copies(found) == ["tight"]
    assert found["NEAR_DUPLICATE", "tight"].evidence.value > 0.9


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"lossy": False}, {"lossy": True, "sample_rate": 96_000}),
        ({"sample_rate": 48_000}, {"sample_rate": 16_000}),
        ({"lossy": True}, {"codes": ("NOISY",)}),
    ],
)
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_the_better_copy_is_kept(take, words, compared, better, worse, names):
    samples = words(4.0)
    found = compared(SUBJECT, [take(names[0], samples, **better), take(names[1], samples / 3, **worse)])
    assert copies(found) == [names[1]]


def test_better_takes_are_kept_and_the_lossy_file_joined_of_them_is_not(take, words, compared):
    parts = [words(3.0, seed=n) for n in range(1, 4)]
    clips = [take("long", np.concatenate(parts), lossy=True), *(take(f"take{n}", p) for n, p in enumerate(parts))]
    assert copies(compared(SUBJECT, clips)) == ["long"]


def test_a_long_file_is_not_given_up_for_one_better_take_of_it(take, words, compared):
    parts = [words(3.0, seed=n) for n in range(1, 5)]
    clips = [take("long", np.concatenate(parts), lossy=True), take("take", parts[0])]
    assert copies(compared(SUBJECT, clips)) == ["take"]


def test_a_file_that_does_not_pass_takes_no_take_away(take, words, compared):
    parts = [words(3.0, seed=n) for n in range(1, 5)]
    clips = [take("long", np.concatenate(parts), codes=("NOISY",)), take("take", parts[0])]
    assert copies(compared(SUBJECT, clips)) == []


def test_identical_clips_are_not_told_twice(take, words, compared):
    samples = words(4.0)
    assert compared(SUBJECT, [take("a", samples), take("b", samples, codes=("DUPLICATE",))]) == {}


def test_the_order_of_the_clips_changes_nothing(take, words, compared):
    parts = [words(3.0, seed=n) for n in range(1, 5)]
    clips = [
        take("long", np.concatenate(parts)),
        take("half", np.concatenate(parts[:2]) / 2, lossy=True),
        *(take(f"take{n}", part) for n, part in enumerate(parts)),
    ]
    found = compared(SUBJECT, clips)
    assert copies(found) == ["half", "take0", "take1", "take2", "take3"]
    for seed in range(4):
        shuffled = clips.copy()
        chance.Random(seed).shuffle(shuffled)
        assert compared(SUBJECT, shuffled) == found


def test_the_limit_moves_what_counts_as_a_copy(take, words, compared):
    first, second = words(4.0), words(6.0, seed=2)
    clips = [take("a", np.concatenate((first, second))), take("b", np.concatenate((first, words(6.0, seed=3))))]
    assert copies(compared(SUBJECT, clips)) == []
    assert copies(compared(SUBJECT, clips, "near_duplicates.max_copied_ratio=0.3")) == ["b"]


def test_nothing_is_given_up_for_a_clip_that_does_not_pass(take, words, compared):
    """Or a clip that nobody could examine would be settled by one that is left out."""
    master = take("master.wav", words(20), codes=("NO_SPEECH",))
    failed = take("take.mp3", words(20), codes=("NOT_EXAMINED",), lossy=True)
    assert copies(compared(SUBJECT, [master, failed])) == []


def test_a_clip_is_not_given_up_for_one_that_itself_gives_way(take, words, compared):
    """The last half of the take stands nowhere else once the take has given way to the long file."""
    whole = words(100)
    first, last = whole[: 51 * RATE_HZ], whole[51 * RATE_HZ :]
    clips = [
        take("take.wav", whole),
        take("part.wav", np.concatenate((last, words(30, 2))), sample_rate=44_100),
        take("long.mp3", np.concatenate((first, words(100, 3), words(100, 4), words(100, 6))), lossy=True),
    ]
    assert copies(compared(SUBJECT, clips)) == ["take.wav"]


def test_whatever_the_limit_a_clip_that_is_no_copy_is_given_up_for_nothing(take, words, compared):
    clips = [take("a.wav", words(20)), take("b.mp3", words(20), lossy=True)]
    assert copies(compared(SUBJECT, clips, "near_duplicates.max_copied_ratio=-1")) == ["b.mp3"]
