"""The gate: which verdict follows from which findings, for a clip and for the set."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.readings import Speakers, Voice
from pipeline.records import DatasetVerdict, Severity, Verdict
from pipeline.stages import decide
from pipeline.voiceprints import written

N, W, F, E = Severity.INFO, Severity.WARNING, Severity.FAULT, Severity.ERROR
APPROVED, REJECTED, UNDECIDED = DatasetVerdict.APPROVED, DatasetVerdict.REJECTED, DatasetVerdict.UNDECIDED


@pytest.mark.parametrize(
    ("severities", "verdict"),
    [
        ((), "accept"),
        ((N,), "accept"),
        ((W,), "review"),
        ((W, N, W), "review"),
        ((F,), "undecided"),
        ((W, F, N), "undecided"),
        ((E,), "reject"),
        ((F, E), "reject"),
        ((N, W, F, E), "reject"),
    ],
)
def test_a_clip_is_judged_by_its_gravest_finding(clip, severities, verdict):
    for order in itertools.permutations(severities):
        assert clip("a", 1.0, *order).verdict == verdict


def test_accepted_and_reviewed_clips_count_and_no_others():
    assert {verdict for verdict in Verdict if verdict.counts} == {Verdict.ACCEPT, Verdict.REVIEW}


@pytest.mark.parametrize(
    ("clips", "verdict"),
    [
        ([(40, ())], APPROVED),
        ([(40, (W,))], APPROVED),
        ([(40, ()), (40, (E,))], APPROVED),
        ([(20, ()), (10, (W,))], APPROVED),
        ([(29, ())], REJECTED),
        ([(20, ()), (20, (E,))], REJECTED),
        ([(40, (E,))], REJECTED),
        ([(40, ()), (5, (F,))], UNDECIDED),
        ([(40, (F,))], UNDECIDED),
        ([(20, ()), (20, (F,))], UNDECIDED),
        ([(20, ()), (5, (F,))], REJECTED),
        ([(20, ()), (20, (F, E))], REJECTED),
        ([(20, ()), (None, (F,))], UNDECIDED),
        ([(40, ()), (None, (F,))], UNDECIDED),
        ([(40, ()), (None, (E,))], APPROVED),
        ([(10, ()), (10, (F,)), (10, (F,))], UNDECIDED),
        ([(10, ()), (10, (F,)), (9, (F,))], REJECTED),
    ],
)
def test_the_set_is_judged_by_what_passes_and_by_what_could_still_pass(clip, judged, clips, verdict):
    made = [clip(f"{number}.wav", minutes, *severities) for number, (minutes, severities) in enumerate(clips)]
    assert judged(made, "extent.target_s=60").verdict is verdict


@pytest.mark.parametrize("minimum", ["0", "off"])
def test_an_empty_approval_is_never_an_approval(clip, judged, minimum):
    assert judged([], f"extent.minimum_s={minimum}").verdict is REJECTED
    assert judged([clip("a", 40.0, E)], f"extent.minimum_s={minimum}").verdict is REJECTED
    assert judged([clip("a", 40.0, F)], f"extent.minimum_s={minimum}").verdict is UNDECIDED
    assert judged([clip("a", 0.1)], f"extent.minimum_s={minimum}").verdict is APPROVED


@pytest.mark.parametrize(
    ("clips", "target", "verdict"),
    [
        ([(40, ())], 60, APPROVED),
        ([(40, (N,))], 60, APPROVED),
        ([(40, (W,))], 60, REJECTED),
        ([(40, ()), (1, (E,))], 60, REJECTED),
        ([(40, ())], 7200, REJECTED),
        ([(20, ())], 60, REJECTED),
        ([(40, ()), (40, (F,))], 60, UNDECIDED),
        ([(40, (W,)), (40, (F,))], 60, REJECTED),
        ([(40, ()), (40, (F,)), (1, (E,))], 60, REJECTED),
    ],
)
def test_strictly_any_warning_and_any_rejected_clip_rejects_the_set(clip, judged, clips, target, verdict):
    made = [clip(f"{number}.wav", minutes, *severities) for number, (minutes, severities) in enumerate(clips)]
    assert decide.strict(judged(made, f"extent.target_s={target}")) is verdict


def test_three_clocks_are_kept(clip, judged):
    extent = judged([clip("a", 10.0), clip("b", 20.0, W), clip("c", 30.0, E), clip("d", 40.0, F)]).extent
    assert (extent.clips, extent.decoded_s, extent.approved_s, extent.undecided_s) == (4, 6000.0, 1800.0, 2400.0)
    assert (extent.speech_s, extent.approved_speech_s) == pytest.approx((5400.0, 1620.0))


@pytest.mark.parametrize(
    ("minutes", "speech_ratio", "codes"),
    [
        (29.0, 1.0, ["TOO_LITTLE_AUDIO"]),
        (30.0, 1.0, ["BELOW_TARGET"]),
        (30.0, 0.9, ["BELOW_TARGET", "LITTLE_SPEECH"]),
        (119.0, 0.9, ["BELOW_TARGET"]),
        (120.0, 0.9, []),
        (120.0, 0.2, ["LITTLE_SPEECH"]),
    ],
)
def test_the_set_is_told_how_much_is_missing(clip, judged, minutes, speech_ratio, codes):
    decision = judged([clip("a", minutes, speech_ratio=speech_ratio)])
    assert [finding.code for finding in decision.findings] == codes


def test_a_finding_about_a_clip_stands_in_the_clip_and_in_the_set(clip, judged):
    decision = judged([clip("a", 40.0, sha256="same"), clip("b", 40.0, sha256="same")])
    assert [(f.code, f.evidence.clips) for f in decision.findings if f.code == "DUPLICATE"] == [("DUPLICATE", ("b",))]
    assert [[f.code for f in made.findings] for made in decision.clips] == [[], ["DUPLICATE"]]
    assert [made.verdict for made in decision.clips] == ["accept", "reject"]
    assert decision.extent.approved_s == 2400.0


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"lossy": False}, {"lossy": True, "sample_rate": 96_000}),
        ({"sample_rate": 48_000}, {"sample_rate": 44_100}),
        ({"minutes": 2.0}, {"minutes": 1.0}),
        ({"lossy": True}, {"severities": (E,)}),
        ({"lossy": True}, {"severities": (F,)}),
        ({"severities": (W,), "sample_rate": 48_000}, {"sample_rate": 44_100}),
    ],
)
@pytest.mark.parametrize("names", [("a", "b"), ("b", "a")])
def test_of_copies_the_best_that_otherwise_passes_is_kept(clip, judged, better, worse, names):
    def made(name, minutes=1.0, severities=(), **facts):
        return clip(name, minutes, *severities, sha256="same", **facts)

    decision = judged([made(names[0], **better), made(names[1], **worse)])
    (found,) = [f for f in decision.findings if f.code == "DUPLICATE"]
    assert found.evidence.clips == (names[1],)


def test_of_equal_copies_the_first_by_id_is_kept(clip, judged):
    decision = judged([clip(name, 1.0, sha256="same") for name in ("c", "a", "b")])
    assert sorted(f.evidence.clips[0] for f in decision.findings if f.code == "DUPLICATE") == ["b", "c"]


def test_the_same_samples_in_another_file_are_a_copy(clip, judged):
    decision = judged([clip("a.flac", 1.0, pcm="p"), clip("b.wav", 1.0, pcm="p"), clip("c.wav", 1.0, pcm="q")])
    assert [f.evidence.clips for f in decision.findings if f.code == "DUPLICATE"] == [("b.wav",)]


def test_the_same_numbers_at_another_rate_are_no_copy(clip, judged):
    decision = judged([clip("a.wav", 1.0, pcm="p"), clip("b.wav", 1.0, pcm="p", sample_rate=24_000)])
    assert "DUPLICATE" not in {f.code for f in decision.findings}


def test_copies_of_copies_are_one_set(clip, judged):
    clips = [
        clip("a", 1.0, sha256="x", pcm="p"),
        clip("b", 1.0, sha256="y", pcm="p"),
        clip("c", 1.0, sha256="y", pcm="q"),
    ]
    found = [f for f in judged(clips).findings if f.code == "DUPLICATE"]
    assert sorted(f.evidence.clips[0] for f in found) == ["b", "c"]


def test_files_that_do_not_decode_are_no_copies(clip, judged):
    from dataclasses import replace

    from pipeline.readings import Container
    from pipeline.records import Readings

    broken = Readings().with_reading(Container(unreadable="it is damaged"))
    clips = [replace(clip(name, 1.0, E, sha256="same"), readings=broken) for name in ("a", "b")]
    assert "DUPLICATE" not in {f.code for f in judged(clips).findings}


CLIPS = st.lists(
    st.tuples(
        st.sampled_from([None, 0.5, 5.0, 10.0, 25.0]),
        st.lists(st.sampled_from([N, W, F, E]), max_size=2),
        st.sampled_from(["x", "y", None]),
        st.sampled_from(["p", "q", None]),
        st.booleans(),
    ),
    max_size=7,
)


@settings(deadline=None)
@given(facts=CLIPS, order=st.randoms(use_true_random=False))
def test_the_order_of_the_clips_changes_nothing(clip, judged, facts, order):
    clips = [
        clip(f"{number}.wav", minutes, *severities, sha256=sha256, pcm=pcm, lossy=lossy)
        for number, (minutes, severities, sha256, pcm, lossy) in enumerate(facts)
    ]
    shuffled = clips.copy()
    order.shuffle(shuffled)
    assert judged(shuffled) == judged(clips)


@settings(deadline=None)
@given(facts=CLIPS)
def test_an_approval_means_what_it_says(clip, judged, facts):
    clips = [
        clip(f"{number}.wav", minutes, *severities, sha256=sha256, pcm=pcm, lossy=lossy)
        for number, (minutes, severities, sha256, pcm, lossy) in enumerate(facts)
    ]
    decision = judged(clips)
    undecided = [made for made in decision.clips if made.verdict is Verdict.UNDECIDED]
    if decision.verdict is APPROVED:
        assert not undecided
        assert decision.extent.approved_s >= 1800.0
    if decision.verdict is UNDECIDED:
        assert undecided
    counting = {made.sha256 for made in decision.clips if made.verdict.counts and made.readings.by_type}
    assert len(counting) == sum(1 for made in decision.clips if made.verdict.counts and made.readings.by_type)


def of_several(clip, *severities):
    """Two people with forty minutes each, and a clip with findings of those severities where there are any."""
    axes = np.eye(2, 256, dtype=np.float32)
    made = []
    for number, name in enumerate(("me.wav", "you.wav")):
        voice = Voice("A", 2_400.0, 1.0, None, 3.0 + 6 * number, -14.0)
        print_ = written(axes[number])
        speakers = Speakers(count=1, speech_s=2_400.0, voices=(voice,), prints=(print_,), second_prints=(None,))
        each = clip(name, 40.0)
        made.append(replace(each, readings=each.readings.with_reading(speakers)))
    return [*made, *([clip("more.wav", 20.0, *severities)] if severities else [])]


def test_a_set_of_which_nobody_knows_whose_it_is_is_not_approved(clip, judged):
    found = judged(of_several(clip))
    assert "UNSURE" in {finding.code for finding in found.findings}
    assert found.verdict is REJECTED


def test_what_could_not_be_examined_may_yet_tell_whose_it_is(clip, judged):
    assert judged(of_several(clip, F)).verdict is UNDECIDED
