"""What the catalogue calls a looser limit lets more through: it never makes any finding graver, whatever was measured."""

import dataclasses
import functools
import random
import types
import typing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import catalogue, config
from pipeline.formats import FORMATS
from pipeline.records import Readings, Severity, Span
from pipeline.set_readings import Extent
from pipeline.stages import flag

LIMITS = {key: d for key, d in catalogue.declared_limits().items() if not d.measuring}
BASE = config.load()
WORDS = sorted({*(f.name for f in FORMATS), "vorbis", "eac3", "wmav2", "pcm_s16le", "it ends in its last frame"})
SIGNED = ("_db", "_dbfs", "_dbtp", "_lufs", "correlation")
CASES = 800

each_limit = pytest.mark.parametrize("declared", LIMITS.values(), ids=LIMITS)


hints_of = functools.cache(typing.get_type_hints)


class Draw:
    """Draws readings whose numbers lie about a limit and its neighbours, so that some fall between any two settings."""

    def __init__(self, subject, declared):
        self.random = random.Random(declared.key)
        bases = [float(d.default) for d in subject.declared() if isinstance(d.default, (int, float))]
        own = float(declared.default) if isinstance(declared.default, (int, float)) else 10.0
        self.bases = [*bases, 1.0, *[own] * (len(bases) + 1)]

    def number(self, name):
        base = self.random.choice(self.bases)
        number = base * self.random.choice([1.0, self.random.uniform(0.2, 3.0), self.random.uniform(-1.0, 1.0), 300.0])
        return number if name.endswith(SIGNED) else abs(number)

    def of_type(self, kind, name):
        if typing.get_origin(kind) in (types.UnionType, typing.Union):
            inner = next(a for a in typing.get_args(kind) if a is not type(None))
            return self.of_type(inner, name) if self.random.random() < 0.9 else None
        if typing.get_origin(kind) is tuple:
            return tuple(self.of_type(typing.get_args(kind)[0], name) for _ in range(self.random.randrange(6)))
        if kind is Span:
            start = self.random.uniform(0, 100)
            return Span(start, start + self.random.uniform(0, 6))
        if dataclasses.is_dataclass(kind):
            return self.reading(kind)
        if kind in (str, bool):
            return self.random.choice(WORDS if kind is str else (True, False))
        return kind(round(self.number(name)) if kind is int else self.number(name))

    def reading(self, kind):
        hints = hints_of(kind)
        names = [f.name for f in dataclasses.fields(kind) if f.name not in ("unreadable", "no_audio", "why")]
        return kind(**{name: self.of_type(hints[name], name) for name in names})

    def value(self, declared):
        """What a limit may be set to, off included."""
        if self.random.random() < 0.1:
            return () if isinstance(declared.default, tuple) else None
        if isinstance(declared.default, tuple):
            return tuple(self.random.sample(WORDS, self.random.randrange(len(WORDS))))
        default = 10.0 if declared.default is None else declared.default
        return type(default)(default * self.random.uniform(0.0, 3.0))


def gravest(subject, key, readings, value):
    """Over the findings of the rules that read this limit: where one of them makes way for another, both count."""
    used = dataclasses.replace(BASE, values={**BASE.values, key: value})
    codes = {rule.code for rule in subject.rules if key in {d.key for d in subject.reads(rule)}}
    found = flag.findings(subject, readings[subject.kind], readings, used)
    return max((f.severity for f in found if f.code in codes), default=Severity.INFO)


@each_limit
def test_a_looser_limit_makes_nothing_graver(declared):
    subject = next(s for s in catalogue.verified() if s.name == declared.key.partition(".")[0])
    kinds = {subject.kind, *(kind for rule in subject.rules for kind in rule.readings)}
    draw, cases, differed = Draw(subject, declared), 0, 0
    while cases < CASES or (not differed and cases < 10 * CASES):
        cases += 1
        tight, loose = draw.value(declared), draw.value(declared)
        if declared.loosened(loose, tight):
            tight, loose = loose, tight
        if isinstance(tight, tuple):
            loose = tuple({*tight, *loose})  # of two lists neither of which holds the other, neither is tighter
        readings = Readings({kind: draw.reading(kind) for kind in kinds})
        before, after = (gravest(subject, declared.key, readings, value) for value in (tight, loose))
        assert after <= before, (tight, loose, readings)
        differed += after < before
    assert differed, "no case lay between two settings, so nothing was tested"


@each_limit
@given(was=st.floats(-1e6, 1e6) | st.none(), now=st.floats(-1e6, 1e6) | st.none())
def test_of_two_numbers_one_is_looser_unless_they_are_equal(declared, was, now):
    if not isinstance(declared.default, tuple):
        assert declared.loosened(was, now) + declared.loosened(now, was) == (was != now)


@given(was=st.lists(st.sampled_from(WORDS)).map(tuple), now=st.lists(st.sampled_from(WORDS)).map(tuple))
def test_a_list_is_looser_where_it_admits_what_the_other_does_not(was, now):
    assert LIMITS["container.formats"].loosened(was, now) == bool(set(now) - set(was))


def test_an_engine_is_neither_looser_nor_tighter_than_another():
    engine = catalogue.declared_limits()["speech.engine"]
    assert not engine.loosened("pyannet", "webrtcvad")
    assert not engine.loosened("webrtcvad", "pyannet")


def test_nothing_is_said_of_a_set_without_clips_when_nothing_is_asked_of_it():
    subject = next(s for s in catalogue.verified() if s.name == "extent")
    used = config.load(overrides=["extent.minimum_s=off", "extent.target_s=off"])
    assert list(flag.findings(subject, Extent(), Readings(), used)) == []
