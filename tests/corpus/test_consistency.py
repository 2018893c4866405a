"""A clip that is unlike the rest is told; the rest, and two halves that are unlike each other, are not."""

import random as chance

import numpy as np
import pytest

from pipeline.corpus.consistency import MIN_CLIPS, SUBJECT
from pipeline.readings import Loudness, Noise, Room, Spectrum, Speech

BANDS = 20
FLAT = (0.0,) * BANDS


def shelved(low_db=0.0, high_db=0.0):
    """A spectrum with its lows or its highs raised, against its own mean."""
    bands = np.zeros(BANDS)
    bands[:5] += low_db
    bands[15:] += high_db
    return tuple(bands - bands.mean())


@pytest.fixture(scope="module")
def made(clip):
    """`made(id, …)`: a clip with the readings that are compared, like all others where nothing is said."""

    def make(id_, speech_s=20.0, level=-26.0, bands=FLAT, bandwidth_hz=16_000.0, t60_s=0.3, floor=-80.0, codes=()):
        return clip(
            id_,
            Speech(speech_s=speech_s, speech_ratio=0.9),
            Loudness(active_speech_level_dbfs=level),
            Spectrum(bandwidth_hz, bands),
            Room(t60_s),
            Noise(floor_dbfs=floor),
            codes=codes,
        )

    return make


def others(made, count=8, **facts):
    return [made(f"other{n}", **facts) for n in range(count)]


@pytest.mark.parametrize(
    ("facts", "code", "told"),
    [
        ({"level": -19.0, "floor": -73.0}, "ODD_LEVEL", "is 7.0 dB louder than"),
        ({"level": -33.0, "floor": -87.0}, "ODD_LEVEL", "is 7.0 dB quieter than"),
        ({"bands": shelved(low_db=8)}, "ODD_SOUND", "its lows, under 300 Hz, are 8 dB stronger"),
        ({"bands": shelved(high_db=-10)}, "ODD_SOUND", "its highs, over 3 kHz, are 10 dB weaker"),
        ({"bandwidth_hz": 5_500.0}, "ODD_SOUND", "its band is 1.0 octaves narrower"),
        ({"t60_s": 0.9}, "ODD_SOUND", "it rings 0.6 s longer"),
        ({"floor": -50.0}, "ODD_SOUND", "the noise under its voice is 30 dB louder"),
        (
            {"t60_s": 0.9, "floor": -50.0},
            "ODD_SOUND",
            "it rings 0.6 s longer (0.6 where 0.3 is let pass) and the noise",
        ),
    ],
)
def test_the_one_that_is_unlike_the_rest_is_told_and_how(made, compared, facts, code, told):
    found = compared(SUBJECT, [*others(made), made("odd", **facts)])
    assert list(found) == [(code, "odd")]
    assert told in found[code, "odd"].message


def test_a_telephone_s_band_is_told_although_it_has_fewer_bands(made, compared):
    narrow = np.concatenate((np.full(5, -20.0), np.zeros(11)))
    found = compared(SUBJECT, [*others(made), made("odd", bands=tuple(narrow - narrow.mean()), bandwidth_hz=3_400.0)])
    assert list(found) == [("ODD_SOUND", "odd")]


@pytest.mark.parametrize(
    "facts",
    [
        {"level": -21.0, "floor": -75.0},
        {"bands": shelved(low_db=4)},
        {"bandwidth_hz": 13_000.0},
        {"t60_s": 0.5},
        {"floor": -68.0},
        {"bands": ()},
        {"t60_s": None, "bandwidth_hz": None, "floor": None, "level": None},
    ],
)
def test_what_is_not_far_or_not_known_is_not_told(made, compared, facts):
    assert compared(SUBJECT, [*others(made), made("other", **facts)]) == {}


@pytest.mark.parametrize("facts", [{"level": -10.0, "floor": -64.0}, {"bands": shelved(high_db=-15)}, {"t60_s": 1.5}])
def test_of_two_halves_neither_is_odd(made, compared, facts):
    halves = [*others(made), *(made(f"more{n}", **facts) for n in range(8))]
    assert compared(SUBJECT, halves) == {}


def test_what_varies_as_widely_everywhere_is_not_odd(made, compared):
    levels = [made(f"{n}", level=-26.0 + 4 * (n - 5), floor=-80.0 + 4 * (n - 5)) for n in range(11)]
    assert compared(SUBJECT, levels) == {}


def test_too_few_clips_have_no_middle(made, compared):
    few = others(made, MIN_CLIPS - 2)
    assert compared(SUBJECT, [*few, made("odd", level=-10.0)]) == {}
    assert compared(SUBJECT, [*few, made("more"), made("odd", level=-10.0)]) != {}


def test_minutes_and_not_clips_make_the_middle(made, compared):
    takes = [made(f"take{n}", speech_s=4.0, level=-26.0) for n in range(8)]
    long = [made(f"long{n}", speech_s=900.0, level=-36.0, floor=-90.0) for n in range(5)]
    assert {clip[1][:4] for clip in compared(SUBJECT, [*takes, *long])} == {"take"}


def test_rejected_clips_are_judged_but_make_no_middle(made, compared):
    wrong = [made(f"wrong{n}", t60_s=1.5, codes=("NOISY",)) for n in range(20)]
    found = compared(SUBJECT, [*others(made), *wrong])
    assert {clip[:5] for _, clip in found} == {"wrong"}
    assert compared(SUBJECT, wrong) == {}


def test_a_few_words_are_not_judged_and_a_short_clip_is_less_strictly(made, compared):
    bands = shelved(high_db=-8)
    assert compared(SUBJECT, [*others(made), made("odd", speech_s=1.9, bands=bands, level=-10.0)]) == {}
    assert compared(SUBJECT, [*others(made), made("odd", speech_s=2.1, bands=bands)]) == {}
    assert list(compared(SUBJECT, [*others(made), made("odd", speech_s=20.0, bands=bands)])) == [("ODD_SOUND", "odd")]


def test_the_order_of_the_clips_changes_nothing(made, compared):
    clips = [made(f"{n}", speech_s=5.0 + n, level=-26.0 + 0.1 * n + 9.0 * (n == 7)) for n in range(12)]
    found = compared(SUBJECT, clips)
    assert found
    for seed in range(4):
        shuffled = clips.copy()
        chance.Random(seed).shuffle(shuffled)
        assert compared(SUBJECT, shuffled) == found
