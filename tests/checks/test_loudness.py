"""What the loudness of a clip says beside its number: of mono, of pauses, of clips that have none."""

import numpy as np
import pytest

from pipeline.checks.loudness import SUBJECT, LoudnessLimits, too_loud, too_quiet, unsure
from pipeline.readings import Loudness

RATE_HZ = 24_000


def codes(loudness):
    rules = {"quiet": too_quiet, "loud": too_loud, "unsure": unsure}
    return {name for name, rule in rules.items() if list(rule(loudness, LoudnessLimits()))}


def test_mono_says_what_it_is_on_both_sides_of_a_stereo_file(tone, reading_of):
    mono = tone(3.0, hz=1_000, dbfs=-20, rate_hz=RATE_HZ)
    one = reading_of(SUBJECT, mono, RATE_HZ)
    two = reading_of(SUBJECT, np.stack([mono, mono], axis=1), RATE_HZ)
    assert one.dual_mono_lufs == pytest.approx(two.integrated_lufs, abs=0.01)
    assert two.dual_mono_lufs is None


def test_the_active_speech_level_is_that_of_the_speech_and_not_of_the_pauses(speechlike, reading_of):
    voice = speechlike(6.0, rms_dbfs=-26, rate_hz=RATE_HZ)
    half_silent = np.concatenate([voice, 0 * voice])
    full, half = (reading_of(SUBJECT, samples, RATE_HZ) for samples in (voice, half_silent))
    # The hangover of 0.2 s behind the last word is counted as speech: 0.2 of 6 s, 0.15 dB, and interpolation adds as much.
    assert half.active_speech_level_dbfs == pytest.approx(full.active_speech_level_dbfs, abs=0.3)
    assert half.activity_ratio == pytest.approx(full.activity_ratio / 2, abs=0.03)


def test_long_pauses_alone_do_not_make_a_clip_quiet():
    assert codes(Loudness(integrated_lufs=-33.0, active_speech_level_dbfs=-27.0)) == set()
    assert codes(Loudness(integrated_lufs=-33.0, active_speech_level_dbfs=-32.0)) == {"quiet"}


@pytest.mark.parametrize(("seconds", "dbfs", "why"), [(0.3, -20, "lasts 0.30 s"), (2.0, -80, "louder than -70 LUFS")])
def test_a_clip_without_loudness_says_why_and_leaves_a_question_open(tone, reading_of, seconds, dbfs, why):
    read = reading_of(SUBJECT, tone(seconds, dbfs=dbfs, rate_hz=RATE_HZ), RATE_HZ)
    assert read.integrated_lufs is None
    assert why in read.why
    assert codes(read) == {"unsure"}
