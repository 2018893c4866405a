"""The second opinion: what it is asked with, what it makes of the answers, and when it has none."""

import numpy as np
import pytest

from pipeline.confirmation import OTHER_FRAMES, OWN_FRAMES, USUAL, Confirmation
from pipeline.kept_speech import KeptSpeech
from pipeline.mel import HOP

OTHER = (4_000, 4_400)


class Encoder:
    """In CAM++'s place: gives the voices that it is told to, one a look, and keeps what it was given."""

    def __init__(self, *voices):
        self.voices, self.given = list(voices), []

    def run(self, _names, given):
        looks = given["fbank"]
        self.given.append(looks.shape)
        return [np.array([self.voices.pop(0) for _ in looks], np.float32)]


def speech(frames, start=0, seed=0):
    samples = 0.05 * np.random.default_rng(seed).standard_normal((frames, HOP)).astype(np.float32)
    made = KeptSpeech()
    made.keep_unlike(start, samples)
    return made


def kept(own=900, other=400):
    made = speech(own)
    made.keep_unlike(OTHER[0], 0.05 * np.random.default_rng(1).standard_normal((other, HOP)).astype(np.float32))
    return made


def at(angle):
    """A voice whose cosine to the one at 0 is that of the angle."""
    return np.cos(angle), np.sin(angle)


def asked(encoder, speech, *, telephone=False):
    confirmation = Confirmation(encoder, speech.own([OTHER], OWN_FRAMES), telephone=telephone)
    _ = confirmation.main  # it is heard first here, as the encoder has its voices in that order
    return confirmation, speech.unlike([OTHER], OTHER_FRAMES)


def told(confirmation_and_other):
    confirmation, other = confirmation_and_other
    return confirmation.tells(confirmation.heard(other), 0.6)


def opinion(confirmation_and_other, likeness=0.6):
    confirmation, other = confirmation_and_other
    return confirmation.another(confirmation.heard(other), likeness)


def test_the_main_voice_is_the_middle_of_its_parts_and_as_steady_as_they_are_alike():
    encoder = Encoder(at(0.3), at(-0.3), at(0.3), at(-0.3), at(np.pi / 2))
    one, cosine, steadiness, likeness, telephone, short = told(asked(encoder, kept()))
    assert (one, likeness, telephone) == (1.0, 0.6, 0.0)
    assert short == pytest.approx(1 / 3.98)
    assert cosine == pytest.approx(0, abs=1e-6)
    assert steadiness == pytest.approx((4 * 1 + 8 * np.cos(0.6)) / 12, abs=1e-6)
    # Nine seconds of the main voice in four parts, and four of the other one, whose windows' ends are its start again.
    assert encoder.given == [(4, 200, 80), (1, 400, 80)]


def test_the_less_alike_two_voices_are_the_likelier_they_are_two_peoples():
    def sure(angle, likeness=0.65, *, telephone=False):
        encoder = Encoder(*[at(0.4 * (-1) ** k) for k in range(4)], at(angle))
        return opinion(asked(encoder, kept(), telephone=telephone), likeness)

    chances = [sure(angle) for angle in (0.0, 0.8, 1.2, 1.6)]
    assert chances == sorted(chances)
    assert chances[0] < 0.05
    assert chances[-1] > 0.95
    assert sure(1.2, 0.5) > sure(1.2, 0.8)
    # A telephone makes two people more alike, so what is as alike there is likelier to be two.
    assert sure(1.2, telephone=True) > sure(1.2)


def test_less_speech_may_be_less_alike_and_still_the_same_persons():
    def sure(other):
        encoder = Encoder(*[at(0.4 * (-1) ** k) for k in range(4)], at(1.2))
        return opinion(asked(encoder, kept(other=other)))

    assert sure(120) < sure(200) < sure(400)


def test_short_stretches_are_heard_again_and_again_until_they_fill_two_seconds():
    encoder = Encoder(*[at(0.0)] * 4, at(1.0))
    opinion(asked(encoder, kept(other=120)))
    assert encoder.given[-1] == (1, 200, 80)


def test_of_two_seconds_alone_nobody_knows_how_steady_they_are():
    encoder = Encoder(at(0.0), at(1.0))
    assert told(asked(encoder, kept(own=220)))[2] == USUAL


@pytest.mark.parametrize(("own", "other"), [(40, 400), (900, 40)])
def test_where_too_little_was_kept_there_is_no_opinion(own, other):
    assert opinion(asked(Encoder(*[at(0.0)] * 5), kept(own, other))) is None
