"""How subjects, limits and checks are declared, and how they are found.

A subject is one module of `pipeline/checks` (a clip) or `pipeline/corpus` (the dataset) whose attribute `SUBJECT` ties
together its limits, its meter and its checks. Dropping such a module into the folder is all it takes: `clip_subjects` and
`corpus_subjects` find it, and refuse a code or a key that is declared twice. Here nothing is measured or judged.
"""

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import MISSING, Field, dataclass, field, fields
from functools import cache
from types import CodeType
from typing import Any, Literal, NotRequired, Protocol, TypedDict, Unpack, get_args

from pipeline.records import Evidence, Reading, Readings, Severity

Value = float | int | str | tuple[str, ...] | None
Need = Literal["mono16k", "activity", "voices", "spectra", "reference"]
Turn = Literal["clip", "copies", "compare", "count"]
Side = Literal["lower", "higher", "longer", "none"]


@dataclass(frozen=True, slots=True)
class Limits:
    """Root of the limits of a subject; each field is made by `limit` and carries its own reason."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A limit as it was declared: its full key, default, why that value, and which side of it lets more through.

    `looser` is "lower", "higher", "longer" (a list that admits more) or "none"; `measuring` marks keys that change what is
    measured, so that they need a new decoding; `choices` are the words allowed, where it is a choice.
    """

    key: str
    default: Value
    reason: str
    source: str
    looser: Side
    measuring: bool
    choices: tuple[str, ...]

    def loosened(self, was: Value, now: Value) -> bool:
        """Whether `now` lets through what `was` would not; a limit that is off (`None`) lets everything through."""
        if was is None or now is None or self.looser == "none":
            return self.looser != "none" and now is None and was is not None
        if isinstance(was, tuple) and isinstance(now, tuple):
            return not set(now) <= set(was)
        if isinstance(was, (int, float)) and isinstance(now, (int, float)):
            return now < was if self.looser == "lower" else now > was
        return False


def limit(
    default: Value, reason: str, source: str = "", *, looser: Side | None = None, choices: tuple[str, ...] = ()
) -> Any:
    """Declare a limit with why it has that value and where that is from; `choices` make it a choice of engine.

    A name that begins with `min_` or `max_` tells which side is looser; any other must say so with `looser`.
    """
    return field(default=default, metadata={"reason": reason, "source": source, "looser": looser, "choices": choices})


class Meter(Protocol):
    """Fed every item in order, then asked once; it decides nothing."""

    def feed(self, item: Any, /) -> None:
        """Take in the next block (of a clip) or the next clip (of the dataset)."""
        ...

    def read(self) -> Any:
        """The reading of everything fed so far."""
        ...


Check = Callable[..., Iterator[Evidence]]


@dataclass(frozen=True, slots=True)
class Rule:
    """A check with its code, its usual severity and its texts; `{value}`, `{limit}` and `{detail}` come from the evidence.

    `says` completes "this clip …", `hint` says what to do about it, `means` explains it to somebody who has not seen it.
    `gravest` is the severity that its evidence may reach, where that is more than the usual one.
    """

    code: str
    severity: Severity
    says: str
    hint: str
    means: str
    check: Check
    readings: tuple[type[Reading], ...] = ()
    gravest: Severity | None = None

    @property
    def advice(self) -> str:
        """The hint for whatever clip, with "…" for what is its own."""
        return re.sub(r"\{\w+[^}]*\}", "…", self.hint)


class Texts(TypedDict):
    """The keywords of `Subject.check`: what a rule says and, where it has them, its further readings and severity."""

    says: str
    hint: str
    means: str
    also: NotRequired[tuple[type[Reading], ...]]
    gravest: NotRequired[Severity]


@dataclass
class Subject:
    """One subject's parts; `kind` is the reading it makes.

    `needs` names the derived signals that its meter reads, "voices" where the activity must tell one voice from another, and for
    the dataset "reference", the voice that its meter is given; `models` the networks that it runs itself.

    A clip's subject without a meter is read by the decoder itself. For the dataset, `turn` orders the work: "copies" are found
    first, lest they weigh twice where the others are compared; "compare" subjects, too, may find fault with single clips;
    "count" subjects then see the clips' verdicts.
    """

    name: str
    limits: type[Limits]
    kind: type[Reading] | None = None
    meter: Callable[..., Meter] | None = None
    needs: tuple[Need, ...] = ()
    models: tuple[str, ...] = ()
    turn: Turn = "clip"
    rules: list[Rule] = field(default_factory=list)

    def check(self, code: str, severity: Severity, **texts: Unpack[Texts]) -> Callable[[Check], Check]:
        """Register a pure function `(reading, limits)` that yields evidence; `also` adds readings of other subjects.

        Readings in `also` are passed between the two, `None` where that subject was not measured.
        """

        def register(check: Check) -> Check:
            also, gravest = texts.get("also", ()), texts.get("gravest")
            rule = Rule(code, severity, texts["says"], texts["hint"], texts["means"], check, also, gravest)
            self.rules.append(rule)
            return check

        return register

    def declared(self) -> tuple[Declared, ...]:
        """The subject's limits with their full keys, in the order they are written."""
        return _all_declared(self.name, self.limits)  # type: ignore[arg-type]  # taken for one of its instances

    def reads(self, rule: Rule) -> tuple[Declared, ...]:
        """The limits that the rule's check looks at: those whose names stand in its code, or in functions that it calls."""
        names = _names_in(rule.check)
        return tuple(declared for declared in self.declared() if declared.key.partition(".")[2] in names)

    def evidence(self, rule: Rule, reading: object, readings: Readings, limits: Limits) -> Iterator[Evidence]:
        """What `rule` sees in a reading."""
        return rule.check(reading, *(readings.get(kind) for kind in rule.readings), limits)


@cache
def _all_declared(subject: str, limits: type[Limits]) -> tuple[Declared, ...]:
    return tuple(_declare(subject, f) for f in fields(limits))


@cache
def _names_in(function: Callable[..., Any]) -> set[str]:
    """Every attribute and global that a function of ours uses, and the functions of its module that it calls."""
    names: set[str] = set()
    pending: list[Any] = [function]
    while pending:
        code = getattr(pending.pop(), "__code__", None)
        codes = [code] if code is not None else []
        while codes:
            code = codes.pop()
            called = [function.__globals__.get(name) for name in code.co_names if name not in names]
            pending += [f for f in called if getattr(f, "__module__", None) == function.__module__]
            names.update(code.co_names)
            codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return names


def _declare(subject: str, f: "Field[Any]") -> Declared:
    key = f"{subject}.{f.name}"
    if f.default is MISSING or not f.metadata.get("reason"):
        raise TypeError(f"the limit {key} needs a default and a reason; declare it with limit()")
    choices: tuple[str, ...] = f.metadata["choices"]
    return Declared(
        key=key,
        default=f.default,
        reason=f.metadata["reason"],
        source=f.metadata["source"],
        looser=_looser_side(key, f),
        measuring=bool(choices),
        choices=choices,
    )


def _looser_side(key: str, f: "Field[Any]") -> Side:
    said: Side | None = f.metadata["looser"]
    if said is not None:
        return said
    if f.metadata["choices"]:
        return "none"
    if f.name.startswith("min_"):
        return "lower"
    if f.name.startswith("max_"):
        return "higher"
    raise TypeError(f"the limit {key} must say which side is looser")


def _modules(package: str) -> Iterable[str]:
    found = importlib.import_module(package)
    return sorted(f"{package}.{m.name}" for m in pkgutil.iter_modules(found.__path__))


@cache
def clip_subjects() -> tuple[Subject, ...]:
    """Every subject of a clip, by module name."""
    return tuple(importlib.import_module(name).SUBJECT for name in _modules("pipeline.checks"))


@cache
def corpus_subjects() -> tuple[Subject, ...]:
    """Every subject of the dataset, in the order of their turns."""
    found = [importlib.import_module(name).SUBJECT for name in _modules("pipeline.corpus")]
    return tuple(sorted(found, key=lambda s: (get_args(Turn).index(s.turn), s.name)))


@cache
def verified() -> tuple[Subject, ...]:
    """All subjects after the catalogue was checked: no name, key or code of one subject stands in another.

    Raises TypeError, at start-up, for a declaration that breaks this.
    """
    subjects = (*clip_subjects(), *corpus_subjects())
    names = [s.name for s in subjects]
    owners: dict[str, str] = {}
    for subject in subjects:
        subject.declared()
        for rule in subject.rules:
            if owners.setdefault(rule.code, subject.name) != subject.name and rule.code != "UNSURE":
                raise TypeError(f"{rule.code} is declared by both {owners[rule.code]} and {subject.name}")
    if len(set(names)) != len(names):
        raise TypeError(f"two subjects share a name: {sorted(names)}")
    return subjects


def declared_limits() -> dict[str, Declared]:
    """Every limit of every subject under its full key."""
    return {d.key: d for subject in verified() for d in subject.declared()}


def rules() -> dict[str, tuple[Subject, Rule]]:
    """Every code with the subject and the rule that first declares it."""
    return {rule.code: (subject, rule) for subject in reversed(verified()) for rule in reversed(subject.rules)}


def gravest(code: str) -> Severity:
    """How grave a finding of that code can be, of several subjects where they share it."""
    return max(r.gravest or r.severity for subject in verified() for r in subject.rules if r.code == code)


NOT_MEASURED = Rule(
    "NOT_MEASURED",
    Severity.FAULT,
    says="could not be examined: {detail}",
    hint="This is voxgate's failure and says nothing of the audio; mend the cause and run the same command again.",
    means="Something of ours failed: a meter raised, a model is missing, a worker died. Nothing is known, so the clip "
    "neither passes nor fails, and the run ends with exit status 3.",
    check=lambda *_: iter(()),
)
"""The one code that no check yields: it stands for a fault of ours."""
