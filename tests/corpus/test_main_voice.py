"""Whose the set is: clips with voices made by hand, compared as a set."""

import tracemalloc

import numpy as np
import pytest

from pipeline import config
from pipeline.corpus.main_voice import ACROSS_SURE, ALONE_SURE, SUBJECT, MainVoiceMeter, alike
from pipeline.readings import Reference, Speakers, Voice
from pipeline.records import Readings, Severity
from pipeline.set_readings import Likeness, MainVoice
from pipeline.stages import flag
from pipeline.voiceprints import unit, written


def someone(seed):
    """A person's voice: others' are about 0.6 like it."""
    return unit(np.abs(np.random.default_rng(seed).standard_normal(256)))


def near(voice, likeness, seed):
    """A voice that is so like another; a little more so once it is written, which leaves out negative numbers."""
    other = np.random.default_rng(seed).standard_normal(256)
    other -= (other @ voice) * voice
    return likeness * voice + np.sqrt(1 - likeness**2) * unit(other)


ME, GUEST, THIRD = someone(1), someone(2), someone(3)


def speaking(*voices, sure=0.9, semitones=3.0, decay_db=-14.0, seconds=(), telephone=False):
    """A reading of a clip with (voice, seconds), the first of them its own; `seconds` are the same by the second encoder."""
    made = [
        Voice("ABC"[i], speech_s, 1.0 if i == 0 else 0.5, None if i == 0 else sure, semitones, decay_db)
        for i, (_, speech_s) in enumerate(voices)
    ]
    return Speakers(
        count=len(made),
        speech_s=sum(speech_s for _, speech_s in voices),
        voices=tuple(made),
        prints=tuple(written(np.maximum(voice, 0)) for voice, _ in voices),
        second_prints=tuple(map(written, seconds)) or (None,) * len(made),
        telephone=telephone,
        overlap_s=0.0,
        engine="embedded",
    )


@pytest.fixture
def mine(clip):
    """Ten clips of one person."""
    return [clip(f"me{i}.wav", speaking((near(ME, 0.95, i), 20.0))) for i in range(10)]


def test_a_set_of_one_person_is_found_nothing_with(mine, compared):
    assert compared(SUBJECT, mine) == {}


def test_another_person_s_file_is_odd_and_an_error(mine, clip, compared):
    stranger = clip("you.wav", speaking((GUEST, 20.0), semitones=9.0))
    found = compared(SUBJECT, [*mine, stranger])
    assert set(found) == {("ODD_SPEAKER", "you.wav")}
    finding = found["ODD_SPEAKER", "you.wav"]
    assert finding.severity is Severity.ERROR
    assert "% sure" in finding.message


def test_what_may_be_the_same_person_in_a_hall_is_a_warning(mine, clip, compared):
    hall = clip("hall.wav", speaking((near(ME, 0.6, 20), 20.0), decay_db=-7.0))
    assert compared(SUBJECT, [*mine, hall])["ODD_SPEAKER", "hall.wav"].severity is Severity.WARNING


def test_the_order_of_the_clips_does_not_matter(mine, clip, compared):
    clips = [*mine, clip("you.wav", speaking((GUEST, 20.0))), clip("talk.wav", speaking((ME, 60.0), (THIRD, 30.0)))]
    texts = [
        {key: finding.message for key, finding in compared(SUBJECT, order).items()} for order in (clips, clips[::-1])
    ]
    assert texts[0] == texts[1]


def test_a_clip_in_which_the_main_voice_is_the_minority_is_odd_and_says_its_share(mine, clip, compared):
    talk = clip("talk.wav", speaking((GUEST, 40.0), (near(ME, 0.95, 30), 20.0)))
    assert "33% of its speech" in compared(SUBJECT, [*mine, talk])["ODD_SPEAKER", "talk.wav"].message


def test_a_clip_with_a_guest_is_still_the_main_voice_s(mine, clip, compared):
    assert compared(SUBJECT, [*mine, clip("talk.wav", speaking((near(ME, 0.95, 30), 40.0), (GUEST, 20.0)))]) == {}


def test_of_two_people_who_share_a_set_neither_is_picked(clip, compared):
    clips = [
        clip(f"{who}{i}.wav", speaking((near(voice, 0.95, i), 20.0), semitones=at))
        for i in range(5)
        for who, voice, at in (("me", ME, 3.0), ("you", GUEST, 9.0))
    ]
    finding = compared(SUBJECT, clips)["UNSURE",]
    assert finding.severity is Severity.ERROR
    assert "no clear main voice" in finding.message
    assert "--reference" in finding.hint


def test_two_rooms_that_share_a_set_are_a_warning_only(clip, compared):
    dry = [clip(f"dry{i}.wav", speaking((near(ME, 0.95, i), 20.0))) for i in range(5)]
    hall_voice = near(ME, 0.65, 50)
    hall = [clip(f"hall{i}.wav", speaking((near(hall_voice, 0.95, i), 20.0), decay_db=-5.0)) for i in range(5)]
    assert compared(SUBJECT, [*dry, *hall])["UNSURE",].severity is Severity.WARNING


def referred(clips, voice):
    meter = MainVoiceMeter(Reference("wanted.wav", Voice("A", 30.0, 1.0, None, 3.0, -14.0), written(voice)))
    for each in clips:
        meter.feed(each)
    found = flag.findings(SUBJECT, meter.read(), Readings(), config.load())
    return {(finding.code, *finding.evidence.clips): finding for finding in found}


def test_a_reference_decides_whose_voice_is_wanted(mine, clip):
    guest = clip("you.wav", speaking((near(GUEST, 0.95, 9), 20.0), semitones=9.0))
    assert set(referred([*mine, guest], ME)) == {("ODD_SPEAKER", "you.wav")}
    wanted = referred([*mine, guest], GUEST)
    assert ("ODD_SPEAKER", "you.wav") not in wanted
    assert all(("ODD_SPEAKER", f"me{i}.wav") in wanted for i in range(10))
    assert "wanted.wav" in wanted["ODD_SPEAKER", "me0.wav"].message


def test_the_voices_of_the_set_are_told_with_their_clips(mine, clip):
    meter = MainVoiceMeter()
    for each in (
        *mine,
        clip("a.wav", speaking((ME, 60.0), (GUEST, 9.0))),
        clip("b.wav", speaking((near(GUEST, 0.95, 3), 30.0))),
    ):
        meter.feed(each)
    main, other = meter.read().people
    assert (main.speech_s, len(main.clips), main.sure_ratio) == (260.0, 11, None)
    assert (other.speech_s, other.clips) == (39.0, ("a.wav", "b.wav"))


@pytest.mark.parametrize(("speech_s", "likeness"), [(0.5, 0.62), (1.0, 0.62), (3.0, 0.71), (5.0, 0.8), (600.0, 0.8)])
def test_little_speech_need_be_less_like(speech_s, likeness):
    assert alike(speech_s) == pytest.approx(likeness)


def test_clips_without_a_voice_say_nothing(mine, clip, compared):
    silent = clip("silent.wav", Speakers(why="there is under 1 s of speech"))
    assert compared(SUBJECT, [*mine, silent, clip("none.wav")]) == {}
    assert compared(SUBJECT, [silent]) == {}
    assert compared(SUBJECT, []) == {}


@pytest.mark.parametrize("clips", [0, 1])
def test_no_limit_makes_a_set_without_others_stumble(clip, compared, clips):
    made = [clip("one.wav", speaking((ME, 20.0)))][:clips]
    assert compared(SUBJECT, made, "main_voice.max_others_ratio=-1") == {}


def test_a_single_clip_is_its_own_main_voice(clip, compared):
    assert compared(SUBJECT, [clip("one.wav", speaking((ME, 20.0)))]) == {}


def test_of_thousands_of_strangers_each_is_told_as_a_person_of_his_own(clip):
    """Far more than anybody has: where each were held against each of a group anew, this would not come to an end."""
    meter = MainVoiceMeter()
    random = np.random.default_rng(5)
    voices = unit(np.maximum(random.standard_normal((3_000, 256)), 0) * (random.random((3_000, 256)) < 0.2))
    for number, voice in enumerate(voices):
        meter.feed(clip(f"{number:05d}.wav", speaking((voice, 20.0))))
    found = meter.read()
    assert len(found.likenesses) == len(found.people) == 3_000


def test_of_thousands_of_one_person_s_clips_not_all_are_compared_with_all(clip):
    """Ten thousand voices: all pairs of them would be 400 MB."""
    meter = MainVoiceMeter()
    reading = speaking((ME, 3.0))
    for number in range(10_000):
        meter.feed(clip(f"{number:05d}.wav", reading))
    tracemalloc.start()
    found = meter.read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found.people) == 1
    assert peak < 100 << 20


def test_of_a_guest_in_clips_of_the_main_voice_these_clips_tell_how_sure_they_are(mine, clip):
    """There the guest was heard beside the host, by more than what is kept of both."""
    meter = MainVoiceMeter()
    guests = ((0.9, 30.0), (0.3, 10.0))
    talks = [
        clip(f"talk{i}.wav", speaking((near(ME, 0.95, i), 60.0), (GUEST, s), sure=sure))
        for i, (sure, s) in enumerate(guests)
    ]
    for each in [*mine, *talks]:
        meter.feed(each)
    _, guest = meter.read().people
    assert (guest.speech_s, len(guest.clips)) == (40.0, 2)
    assert guest.sure_ratio == pytest.approx((0.9 * 30 + 0.3 * 10) / 40)


def test_of_a_voice_with_clips_of_its_own_how_sure_it_is_is_told_by_the_voices(mine, clip):
    meter = MainVoiceMeter()
    for each in [*mine, clip("theirs.wav", speaking((GUEST, 60.0), (near(THIRD, 0.95, 1), 10.0), sure=0.123))]:
        meter.feed(each)
    assert all(person.sure_ratio != 0.123 for person in meter.read().people)


# From here on with the second encoder's voices, which are the same in another room.

FACES = np.linalg.qr(np.random.default_rng(7).standard_normal((192, 6)))[0].T
"""People as the second encoder hears them, nothing alike."""


def heard(clip, name, voice, second, seconds=20.0, *, telephone=False):
    return clip(name, speaking((voice, seconds), seconds=(second,), telephone=telephone))


def faced(face, likeness, seed, toward=None):
    """What is so like a face, and otherwise like `toward` or like nothing."""
    other = np.random.default_rng(seed).standard_normal(192) if toward is None else toward
    other = other - (other @ face) * face
    return likeness * face + np.sqrt(1 - likeness**2) * unit(other)


@pytest.fixture
def own(clip):
    """Ten clips of one person that both encoders hear."""
    return [heard(clip, f"me{i}.wav", near(ME, 0.95, i), faced(FACES[0], 0.85, i)) for i in range(10)]


def test_another_room_is_nobody_else_where_the_second_encoder_knows_the_voice(own, clip, compared):
    hall = heard(clip, "hall.wav", near(ME, 0.5, 20), faced(FACES[0], 0.6, 20))
    assert compared(SUBJECT, [*own, hall]) == {}


def test_another_person_is_odd_however_alike_the_first_encoder_finds_them(own, clip, compared):
    stranger = heard(clip, "you.wav", near(ME, 0.95, 20), faced(FACES[0], 0.2, 20))
    assert compared(SUBJECT, [*own, stranger])["ODD_SPEAKER", "you.wav"].severity is Severity.ERROR


def test_what_the_second_encoder_is_not_sure_of_is_a_warning(own, clip, compared):
    doubt = heard(clip, "doubt.wav", near(ME, 0.7, 20), faced(FACES[0], 0.38, 20))
    assert compared(SUBJECT, [*own, doubt])["ODD_SPEAKER", "doubt.wav"].severity is Severity.WARNING


def test_takes_from_as_many_rooms_as_one_likes_are_one_person_s_set(clip, compared):
    clips = [
        heard(clip, f"room{i}.wav", near(someone(100 + i // 3), 0.95, i), faced(FACES[0], 0.75, i)) for i in range(12)
    ]
    assert compared(SUBJECT, clips) == {}


def test_of_two_people_who_share_a_set_neither_is_picked_by_the_second_encoder_either(clip, compared):
    clips = [
        heard(clip, f"{who}{i}.wav", near(voice, 0.95, i), faced(face, 0.85, i))
        for i in range(5)
        for who, voice, face in (("me", ME, FACES[0]), ("you", GUEST, FACES[1]))
    ]
    assert compared(SUBJECT, clips)["UNSURE",].severity is Severity.ERROR


def test_by_telephone_it_takes_more_to_be_the_same_person(clip, compared):
    line = FACES[2]
    mine = [
        heard(clip, f"me{i}.wav", near(ME, 0.95, i), faced(FACES[0], 0.8, i, line), telephone=True) for i in range(10)
    ]
    stranger = heard(clip, "you.wav", near(ME, 0.8, 20), faced(FACES[1], 0.8, 20, line), telephone=True)
    found = compared(SUBJECT, [*mine, stranger])
    assert set(found) == {("ODD_SPEAKER", "you.wav")}
    assert found["ODD_SPEAKER", "you.wav"].severity is Severity.ERROR
    word = heard(clip, "word.wav", near(ME, 0.95, 30), faced(FACES[0], 0.8, 30), 2.0)  # misjudged for the hiss on it
    assert compared(SUBJECT, [*mine, stranger, word])["ODD_SPEAKER", "you.wav"].severity is Severity.ERROR


@pytest.mark.parametrize(
    ("calls", "severity"),
    [((False, False), Severity.ERROR), ((True, False), Severity.WARNING), ((False, True), Severity.WARNING)],
)
def test_across_a_telephone_it_takes_less_to_be_the_same_person(clip, compared, calls, severity):
    """A cosine of 0.31 is another person's among clips recorded alike, and a caller's own among those that are not."""
    of_set, of_one = calls
    mine = [heard(clip, f"me{i}.wav", near(ME, 0.95, i), FACES[0], telephone=of_set) for i in range(10)]
    other = heard(clip, "one.wav", near(ME, 0.7, 20), faced(FACES[0], 0.31, 20), telephone=of_one)
    assert compared(SUBJECT, [*mine, other])["ODD_SPEAKER", "one.wav"].severity is severity


@pytest.mark.parametrize(
    ("calls", "cosine", "severity"),
    [
        ((False, False), 0.21, Severity.ERROR),
        ((True, True), 0.21, Severity.ERROR),
        ((False, True), 0.21, Severity.WARNING),
        ((True, False), 0.21, Severity.WARNING),
        ((False, True), 0.1, Severity.ERROR),
    ],
)
def test_a_file_is_rejected_across_a_telephone_only_where_it_is_all_but_certain(
    clip, compared, calls, cosine, severity
):
    """0.21 is 80 % sure there."""
    of_set, of_one = calls
    mine = [heard(clip, f"me{i}.wav", near(ME, 0.95, i), FACES[0], telephone=of_set) for i in range(10)]
    other = heard(clip, "one.wav", near(ME, 0.7, 20), faced(FACES[0], cosine, 20), telephone=of_one)
    assert compared(SUBJECT, [*mine, other])["ODD_SPEAKER", "one.wav"].severity is severity


@pytest.mark.parametrize(("telephone", "severity"), [(True, Severity.WARNING), (False, Severity.ERROR)])
def test_calls_that_are_less_than_all_but_certain_leave_a_set_unsure_and_do_not_reject_it(
    clip, compared, telephone, severity
):
    mine = [heard(clip, f"me{i}.wav", near(ME, 0.95, i), FACES[0], 55.0) for i in range(10)]
    call = heard(clip, "call.wav", near(ME, 0.7, 20), faced(FACES[0], 0.21, 20), 450.0, telephone=telephone)
    assert compared(SUBJECT, [*mine, call])["UNSURE",].severity is severity


def test_a_call_among_other_clips_makes_no_other_caller_the_same_person(own, clip, compared):
    """All calls have something in common, which the mean of a set with one in it would have, too."""
    line = FACES[2]
    call = heard(clip, "call.wav", near(ME, 0.7, 20), faced(FACES[0], 0.6, 20, line), 180.0, telephone=True)
    caller = heard(clip, "caller.wav", near(GUEST, 0.9, 21), faced(FACES[1], 0.1, 21, line), 15.0, telephone=True)
    found = compared(SUBJECT, [*own, call, caller])
    assert set(found) == {("ODD_SPEAKER", "caller.wav")}
    assert found["ODD_SPEAKER", "caller.wav"].severity is Severity.ERROR


def test_a_clip_too_short_for_the_second_encoder_is_judged_by_the_first(own, clip, compared):
    word, other = (clip(name, speaking((near(who, 0.95, 20), 4.0))) for name, who in (("a.wav", ME), ("b.wav", GUEST)))
    assert set(compared(SUBJECT, [*own, word, other])) == {("ODD_SPEAKER", "b.wav")}


@pytest.mark.parametrize(
    ("by_second", "across", "sure", "severity"),
    [
        (True, False, 0.6, Severity.ERROR),
        (False, False, 0.6, Severity.WARNING),
        (False, False, ALONE_SURE, Severity.ERROR),
        (True, True, ACROSS_SURE - 0.01, Severity.WARNING),
        (True, True, ACROSS_SURE, Severity.ERROR),
        (False, True, ACROSS_SURE - 0.01, Severity.WARNING),
    ],
)
def test_the_first_encoder_alone_and_any_across_a_telephone_must_be_surer_to_reject_a_clip(
    by_second, across, sure, severity
):
    found = MainVoice((Likeness("a.wav", False, by_second, across, sure, 0.0),))
    (finding,) = flag.findings(SUBJECT, found, Readings(), config.load())
    assert finding.severity is severity


def test_a_guest_with_files_of_his_own_is_one_person_by_the_second_encoder(own, clip):
    talk = clip("talk.wav", speaking((ME, 60.0), (GUEST, 9.0), seconds=(FACES[0], FACES[1])))
    meter = MainVoiceMeter()
    for each in (*own, talk, heard(clip, "b.wav", near(THIRD, 0.95, 3), faced(FACES[1], 0.8, 3), 30.0)):
        meter.feed(each)
    main, other = meter.read().people
    assert (main.speech_s, len(main.clips)) == (260.0, 11)
    assert (other.speech_s, other.clips) == (39.0, ("b.wav", "talk.wav"))


def test_a_reference_is_held_against_the_clips_by_the_second_encoder(own):
    voice = Voice("A", 30.0, 1.0, None, 3.0, -14.0)
    for face, odd in ((FACES[0], 0), (FACES[1], len(own))):
        meter = MainVoiceMeter(Reference("wanted.wav", voice, written(near(ME, 0.6, 50)), written(face)))
        for each in own:
            meter.feed(each)
        found = flag.findings(SUBJECT, meter.read(), Readings(), config.load())
        assert sum(finding.code == "ODD_SPEAKER" for finding in found) == odd


def guests_of(clip, count, seconds, **facts):
    return [clip(f"guest{n}.wav", speaking((near(GUEST, 0.95, n), seconds)), **facts) for n in range(count)]


@pytest.mark.parametrize("code", ["DUPLICATE", "NEAR_DUPLICATE"])
def test_copies_have_no_say_in_whose_set_it_is(mine, clip, compared, code):
    """Twenty minutes of a guest four times are no more than twenty minutes."""
    copies = guests_of(clip, 4, 120.0, codes=(code,))
    found = compared(SUBJECT, [*mine, clip("guest.wav", speaking((GUEST, 120.0))), *copies])
    assert {clip_ for code_, clip_ in found if code_ == "ODD_SPEAKER"} == {
        "guest.wav",
        *(f"guest{n}.wav" for n in range(4)),
    }


def test_whose_set_it_is_does_not_change_where_the_most_of_it_is_rejected(clip, compared):
    mine = [clip(f"me{n}.wav", speaking((near(ME, 0.95, n), 20.0)), codes=("NOISY",)) for n in range(5)]
    found = compared(SUBJECT, [*mine, *guests_of(clip, 1, 20.0)])
    assert set(found) == {("ODD_SPEAKER", "guest0.wav")}
