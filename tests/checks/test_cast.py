"""The voices of a clip: which stretches are asked about, and what the answers make of them."""

import functools
import itertools
from dataclasses import replace

import numpy as np
import pytest

from pipeline import cast as casting
from pipeline.cast import (
    DOUBTFUL,
    MOST_ASKED,
    PLAIN,
    PRINT_FRAMES,
    TELEPHONE,
    cast,
    heard_apart,
    own_speech,
    some_of_own,
    turns,
)
from pipeline.kept_speech import KeptSpeech
from pipeline.mel import HOP
from pipeline.partials import LOOK, STEP
from pipeline.turns import Stretch, foreign, main_of
from pipeline.voiceprints import unit

HOST, GUEST = (0, 3_000), (1, 400)


class Encoder:
    """In CAM++'s place: all looks of a call are one voice, the host's first and then those that it is told to."""

    def __init__(self, *likenesses):
        self.voices = [np.array([c, np.sqrt(1 - c * c)], np.float32) for c in (1.0, *likenesses)]
        self.asked = 0

    def run(self, _names, given):
        self.asked += 1
        return [np.tile(self.voices[self.asked - 1], (len(given["fbank"]), 1))]


def spoken(frames, telephone, seed=0):
    """Noise from 200 Hz to 3 kHz or, where it comes through no telephone, to 7 kHz."""
    samples = frames * HOP
    hz = np.fft.rfftfreq(samples, 1 / 16_000)
    bins = np.fft.rfft(np.random.default_rng(seed).standard_normal(samples))
    made = np.fft.irfft(np.where((hz > 200) & (hz < (3_000 if telephone else 7_000)), bins, 0), samples)
    return (0.05 * made / made.std()).astype(np.float32).reshape(frames, HOP)


@pytest.fixture
def alike(people):
    """`alike(likeness)`: the host and a guest with that cosine between them."""
    return functools.partial(with_likeness, *people(2))


def with_likeness(host, other, likeness):
    apart = unit(other - (other @ host) * host)
    return np.stack((host, likeness * host + np.sqrt(1 - likeness**2) * apart)).astype(np.float32)


@pytest.fixture
def clip(talk):
    """`clip(*turns, voices, telephone)`: a talk of which all speech is kept."""

    def make(*script, voices, telephone):
        kept, made = KeptSpeech(), talk(script, voices)
        kept.keep_unlike(0, spoken(len(made.spoken), telephone))
        return replace(made, kept=kept)

    return make


@pytest.mark.parametrize(("likeness", "another"), [(0.3, True), (0.9, False)])
def test_by_telephone_a_voice_that_is_nearly_alike_is_another_where_the_second_encoder_says_so(
    clip, alike, likeness, another
):
    talk_ = clip(HOST, GUEST, HOST, voices=alike(0.86), telephone=True)
    encoder = Encoder(likeness, likeness)
    roles = cast(talk_, encoder)
    assert [role.voice.speaker for role in roles] == ["A", "B"][: 1 + another]
    assert encoder.asked == 2 + another, "about the host, the stretch, and the voice that it is found to be of"
    spoken_s = [role.voice.speech_s for role in roles]
    assert sum(spoken_s) == pytest.approx(len(talk_.spoken) / 100)
    if another:
        assert spoken_s[1] == pytest.approx(4.0, abs=0.6)
        assert roles[1].voice.sure_ratio > 0.5


def test_elsewhere_nobody_is_asked_about_one_that_is_nearly_alike(clip, alike):
    encoder = Encoder()
    (main,) = cast(clip(HOST, GUEST, HOST, voices=alike(0.86), telephone=False), encoder)
    assert encoder.asked == 1, "about the host alone"
    assert main.voice.speech_s == pytest.approx(64.0)


@pytest.mark.parametrize(
    ("telephone", "likeness", "another"), [(True, 0.1, True), (True, 0.8, False), (False, 0.1, False)]
)
def test_a_second_of_another_voice_is_told_of_by_telephone_alone(clip, alike, telephone, likeness, another):
    """Elsewhere it may be laughter; of one who calls only a part of what he says may stand out."""
    roles = cast(clip(HOST, (1, 110), HOST, voices=alike(0.4), telephone=telephone), Encoder(likeness, likeness))
    assert len(roles) == 1 + another


@pytest.mark.parametrize(("likeness", "another"), [(0.1, True), (0.9, False)])
@pytest.mark.parametrize("telephone", [False, True])
def test_where_looks_tell_no_voice_apart_a_turn_is_another_s_where_the_second_encoder_says_so(
    clip, alike, telephone, likeness, another
):
    """Of a second only a part may be heard by GE2E, and PyanNet takes another room for another voice: CAM++ is asked."""
    voices = alike(0.95 if telephone else 0.88)
    made = replace(clip(HOST, GUEST, HOST, voices=voices, telephone=telephone), turns=((3_010, 3_390),))
    encoder = Encoder(likeness, 1.0, likeness, likeness)
    roles = cast(made, encoder)
    assert encoder.asked == 2 + 3 * another, "of what a little of the host's voice does not deny more is asked for"
    assert [(s.start, s.end) for role in roles for s in role.stretches] == [(3_010, 3_390)] * another
    assert all(role.voice.sure_ratio > 0.5 for role in roles[1:])


@pytest.mark.parametrize(("telephone", "asked"), [(True, 2), (False, 1)])
def test_about_a_turn_that_is_all_but_the_same_voice_nobody_is_asked_but_by_telephone(clip, alike, telephone, asked):
    voices = alike(PLAIN.apart_unlike + 0.03)
    encoder = Encoder(0.9)
    cast(replace(clip(HOST, GUEST, HOST, voices=voices, telephone=telephone), turns=((3_010, 3_390),)), encoder)
    assert encoder.asked == asked


def test_a_turn_that_is_only_doubtful_to_a_little_of_the_main_voice_is_held_against_more(clip, alike):
    """0.59 is rather the host's than not, but far from surely."""
    made = replace(clip(HOST, GUEST, HOST, voices=alike(0.86), telephone=False), turns=((3_010, 3_390),))
    assert len(cast(made, Encoder(0.59, 1.0, 0.1, 0.1))) == 2
    assert len(cast(made, Encoder(0.59, 1.0, 0.59))) == 1


def test_nobody_is_asked_again_about_what_of_a_turn_looks_tell_apart_too(clip, people):
    encoder = Encoder(0.1)
    made = replace(clip(HOST, GUEST, HOST, voices=people(2), telephone=False), turns=((3_050, 3_450),))
    _, guest = cast(made, encoder)
    assert encoder.asked == 2
    assert guest.voice.speech_s == pytest.approx(4.0, abs=0.6)


@pytest.mark.parametrize(
    ("turn", "left"),
    [
        ((100, 900), [(100, 900)]),
        ((900, 1_300), [(900, 1_000)]),
        ((901, 1_300), []),
        ((900, 1_600), [(900, 1_000), (1_500, 1_600)]),
        ((1_100, 1_400), []),
        ((1_499, 1_601), [(1_500, 1_601)]),
        ((500, 3_000), [(500, 1_000), (1_500, 2_000), (2_200, 3_000)]),
    ],
)
def test_of_a_turn_what_lies_outside_of_what_was_found_is_left_where_it_is_a_second_or_longer(clip, people, turn, left):
    made = replace(clip(HOST, GUEST, HOST, voices=people(2), telephone=False), turns=(turn,))
    sound = main_of(made)
    found = [Stretch(start, end, sound, 0.1) for start, end in ((2_000, 2_200), (1_000, 1_500))]
    assert [(each.start, each.end) for each in heard_apart(made, sound, found, TELEPHONE)] == left


def test_a_turn_sounds_as_the_looks_in_it_and_one_without_as_the_nearest(clip, people):
    made = clip(HOST, GUEST, HOST, voices=people(2), telephone=False)
    main = main_of(made)
    (turn,) = heard_apart(replace(made, turns=((3_000, 3_400),)), main, [], PLAIN)
    inside = made.voices[(made.at >= 2_920) & (made.at < 3_320)]
    np.testing.assert_allclose(turn.sound.voice, unit(inside.sum(axis=0)), atol=1e-6)
    assert turn.lowest == pytest.approx((inside @ main.voice).min())
    looks = np.searchsorted(made.at, [0, 1_000, 3_120, 6_000])
    few = {name: getattr(made, name)[looks] for name in ("at", "voices", "sounds")}
    (turn,) = heard_apart(replace(made, turns=((3_230, 3_330),), **few), main, [], PLAIN)
    np.testing.assert_allclose(turn.sound.voice, made.voices[looks[2]], atol=1e-6)


@pytest.mark.parametrize(("away", "told"), [(-STEP // 2, True), (STEP // 2, True), (STEP // 2 + 1, False)])
def test_a_turn_without_a_look_near_it_was_the_main_voice_at_a_glance(clip, people, away, told):
    """Where there are looks all along, one is no further away than that."""
    made = clip(HOST, GUEST, HOST, voices=people(2), telephone=False)
    main, looks = main_of(made), np.searchsorted(made.at, [0, 1_000, 3_120, 6_000])
    middle = int(made.at[looks[2]]) + LOOK // 2 + away
    few = {name: getattr(made, name)[looks] for name in ("at", "voices", "sounds")}
    assert bool(heard_apart(replace(made, turns=((middle - 50, middle + 50),), **few), main, [], PLAIN)) is told
    around = replace(made, turns=((middle - 250, middle + 250),), **few)
    assert heard_apart(around, main, [], PLAIN), "a look in it is in it wherever"


def test_turns_of_which_nothing_was_kept_are_no_questions(clip, people, monkeypatch):
    """In a talk of hours most of what is unlike is given up again."""
    monkeypatch.setattr(casting, "PLAIN", replace(PLAIN, apart_unlike=1.0))
    script = [(number % 2, 150) for number in range(80)]
    made = clip(*script, voices=np.repeat(people(1), 2, axis=0), telephone=False)
    kept = KeptSpeech()
    kept.keep_unlike(0, spoken(400, telephone=False))
    kept.keep_unlike(11_400, spoken(600, telephone=False))
    turns_ = tuple((at, at + 150) for at in range(450, 12_000, 300))
    encoder = Encoder(0.1, 0.1, 1.0, 0.1, 0.1, 0.1)
    roles = cast(replace(made, kept=kept, turns=turns_), encoder)
    assert [(s.start, s.end) for s in roles[1].stretches] == list(turns_[-2:])
    assert encoder.asked == 2 * (1 + 2) + 1


def test_of_more_turns_than_can_be_asked_about_the_least_alike_are_asked_about(clip, people, monkeypatch):
    monkeypatch.setattr(casting, "PLAIN", replace(PLAIN, apart_unlike=1.0))
    turns_ = tuple((at, at + 150) for at in range(450, 9_000, 300))
    made = replace(clip((0, 9_000), voices=people(1), telephone=False), turns=turns_)
    turns_alone = [0.1] * MOST_ASKED
    encoder = Encoder(*turns_alone, 1.0, *turns_alone, 0.1)
    roles = cast(made, encoder)
    assert encoder.asked == 2 * (1 + MOST_ASKED) + 1, "about host and turns, twice, and the voice that all are of"
    unlike = sorted(heard_apart(made, main_of(made), [], TELEPHONE), key=lambda turn: turn.lowest)[:MOST_ASKED]
    assert {s.start for role in roles for s in role.stretches} == {turn.start for turn in unlike}


def test_a_voice_that_is_unlike_is_told_of_whatever_the_second_encoder_says_and_with_how_sure_it_is(clip, alike):
    for likeness, sure in ((0.0, True), (0.9, False)):
        _, guest = cast(clip(HOST, GUEST, HOST, voices=alike(0.5), telephone=False), Encoder(likeness))
        assert (guest.voice.sure_ratio > 0.5) == sure


def test_of_many_voices_only_those_that_speak_longest_are_asked_about(clip, people):
    count = MOST_ASKED + 2
    guests = [(number, 300 + 20 * number) for number in range(1, count + 1)]
    script = [*itertools.chain.from_iterable(((0, 400), guest) for guest in guests), (0, 400)]
    encoder = Encoder(*[0.2] * count)
    roles = cast(clip(*script, voices=people(count + 1), telephone=False), encoder)
    assert len(roles) == count + 1
    assert encoder.asked == 1 + MOST_ASKED
    lengths = [role.voice.speech_s for role in roles[1:]]
    assert lengths == sorted(lengths, reverse=True)


def test_the_turns_are_in_order_and_leave_nothing_out(clip, people):
    voices = people(3)
    made = clip(HOST, (2, 300), HOST, (1, 500), HOST, voices=voices, telephone=False)
    found = list(turns(made, cast(made, Encoder(0.1, 0.1)), 1_000.0))
    assert [turn.speaker for turn in found] == ["A", "C", "A", "B", "A"]
    assert found[0].start_s == 0
    assert found[-1].end_s == pytest.approx(len(made.spoken) / 100)
    for one, next_ in itertools.pairwise(found):
        assert one.end_s == pytest.approx(next_.start_s)


def test_no_turn_ends_behind_the_clip(clip, people):
    made = clip(HOST, (1, 500), voices=people(2), telephone=False)
    total_s = len(made.spoken) / 100 - 0.004
    found = list(turns(made, cast(made, Encoder(0.1)), total_s))
    assert found[-1].end_s == total_s


@pytest.mark.parametrize("telephone", [False, True])
def test_every_voice_that_speaks_long_enough_can_be_known_again_in_another_clip(clip, people, telephone):
    made = clip(HOST, GUEST, HOST, voices=people(2), telephone=telephone)
    found = cast(made, Encoder(0.1, 0.1))
    for role, its in zip(found, (1.0, 0.1), strict=True):
        np.testing.assert_allclose(role.sound.second, [its, np.sqrt(1 - its * its)], atol=1e-6)
        assert role.sound.telephone == telephone


def test_of_a_clip_of_a_second_no_voice_is_known_again(clip, people):
    (role,) = cast(clip((0, 140), voices=people(1), telephone=False), Encoder())
    assert role.sound.second is None


def test_the_main_voice_is_heard_where_it_is_not_even_doubtful(clip, alike, monkeypatch):
    made = clip(GUEST, HOST, voices=alike(0.82), telephone=False)
    main = main_of(made)
    (guest,) = foreign(made, main.voice, DOUBTFUL)
    assert (guest.start, guest.end) == (0, pytest.approx(400, abs=60))
    whole = made.kept.unlike([(0, 3_400)], 3_400)
    np.testing.assert_array_equal(own_speech(made, main, [])[:HOP], whole[guest.end * HOP :][:HOP])
    monkeypatch.setattr(
        casting, "foreign", lambda *_: [replace(guest, end=3_390)]
    )  # crumbs are left, of which nothing is known
    np.testing.assert_array_equal(own_speech(made, main, [])[:HOP], whole[:HOP])


def test_what_pyannet_alone_hears_apart_is_no_part_of_the_main_voice_either(clip, people):
    made = clip((0, 300), HOST, voices=people(1), telephone=False)
    apart = [Stretch(0, 300, main_of(made), 0.9)]
    whole = made.kept.unlike([(0, 3_300)], 3_300)
    own = own_speech(made, main_of(made), [], apart)
    np.testing.assert_array_equal(own[:HOP], whole[300 * HOP :][:HOP])


def test_what_was_found_is_held_against_a_main_voice_without_what_is_heard_apart(clip, people, monkeypatch):
    monkeypatch.setattr(casting, "PLAIN", replace(PLAIN, apart_unlike=1.0))
    made = replace(clip(HOST, GUEST, HOST, voices=people(2), telephone=False), turns=((0, 390),))
    without = []
    monkeypatch.setattr(casting, "own_speech", lambda *given: without.append(given[2:]) or own_speech(*given))
    cast(made, Encoder(0.1, 0.9, 0.1, 0.1))
    ((found, apart),) = without
    assert len(found) == 1
    assert [(stretch.start, stretch.end) for stretch in apart] == [(0, 390)]


def test_a_little_of_the_main_voice_is_heard_outside_of_what_pyannet_hears_where_there_is_enough(clip, people):
    made = clip(HOST, voices=people(1), telephone=False)
    sound = main_of(made)
    whole = made.kept.unlike([(0, 3_000)], 3_000)
    for turn, start in (((0, 500), 500), ((100, 2_980), 0)):  # of crumbs nothing is known
        some = some_of_own(made, [Stretch(*turn, sound, 0.9)])
        np.testing.assert_array_equal(some, whole[start * HOP :][: PRINT_FRAMES * HOP])


def test_a_turn_that_a_little_of_the_main_voice_does_not_deny_is_no_part_of_what_it_is_held_against(
    clip, alike, monkeypatch
):
    turn = (0, 390)
    made = replace(clip(GUEST, HOST, voices=alike(0.86), telephone=False), turns=(turn,))
    without = []
    monkeypatch.setattr(casting, "own_speech", lambda *given: without.append(given[2]) or own_speech(*given))
    cast(made, Encoder(0.1, 1.0, 0.1, 0.1))
    assert [[(each.start, each.end) for each in each_time] for each_time in without] == [[turn]]
    without.clear()
    cast(made, Encoder(0.9))
    assert without == []


def test_what_was_kept_of_a_voice_counts_and_not_how_long_it_spoke(clip, people):
    made = clip(HOST, GUEST, HOST, voices=people(2), telephone=False)
    kept = KeptSpeech()
    kept.keep_unlike(0, spoken(3_100, telephone=False))  # the host, and a second of the guest
    _, guest = cast(replace(made, kept=kept), Encoder(0.1))
    assert guest.voice.speech_s == pytest.approx(4.0, abs=0.6)
    assert guest.sound.second is None


def test_a_guest_who_calls_in_is_known_to_come_by_telephone(clip, people):
    made = clip(HOST, GUEST, HOST, voices=people(2), telephone=False)
    kept = KeptSpeech()
    for start, frames, line in ((0, 3_000, False), (3_000, 400, True), (3_400, 3_000, False)):
        kept.keep_unlike(start, spoken(frames, line))
    roles = cast(replace(made, kept=kept), Encoder(0.1))
    assert [role.sound.telephone for role in roles] == [False, True]
