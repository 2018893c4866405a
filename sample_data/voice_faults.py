"""Flaws of who speaks: a guest, two at once, and another person's file."""

import numpy as np
from encode import WEBM, encode
from sound import RATE_HZ, decibels, level, with_room
from specimen import Specimen, clean
from voice import EDGE_S, reading

_GUEST = "slt"
"""Another of flite's voices, a woman's."""

_BEFORE_S, _GUEST_S, _OVER_S = 14, 5, 4


def guest(name: str) -> Specimen:
    """Somebody else asks something in the middle of a reading."""
    before, after = (reading(f"{name} {half}", _BEFORE_S) for half in ("first", "second"))
    asked = reading(f"{name} asked", _GUEST_S, _GUEST)
    start_s, end_s = len(before) / RATE_HZ, (len(before) + len(asked)) / RATE_HZ
    whole = level(np.concatenate((before, asked, after)))
    return Specimen(encode(with_room(whole, name), WEBM), ((start_s + EDGE_S, end_s - EDGE_S),))


def two_at_once(name: str) -> Specimen:
    """Somebody else talks into a sentence, as loud as the reader."""
    samples = level(reading(name, 20))
    over = level(reading(f"{name} over", _OVER_S, _GUEST))
    start = 8 * RATE_HZ
    samples[start : start + len(over)] += over * decibels(-1)
    return Specimen(encode(with_room(level(samples), name), WEBM))


def another_person(name: str) -> Specimen:
    """In order by itself, and read by somebody else."""
    return Specimen(encode(clean(name, 12, _GUEST), WEBM))
