"""Our records as JSON and back, by their type hints; floats keep every digit, so that a verdict can be reached again.

`rounded` is for files that people read: seconds to 0.001, decibels to 0.01, by the unit at the end of a field's name.
"""

import dataclasses
import hashlib
import json
import math
import types
import typing
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from pipeline.errors import RecordError

T = TypeVar("T")

DIGITS = {"_s": 3, "_db": 2, "_dbfs": 2, "_dbtp": 2, "_lufs": 2, "_lu": 2, "_hz": 1, "_ratio": 6, "kbps": 1}
DEFAULT_DIGITS = 4
SETTLED = frozenset({"value", "limit", "default", "used"})
"""Fields that hold a number of any unit: a setting as it was set, or evidence, which is rounded where its unit is known."""


LEAVES = frozenset({str, int, float, bool, type(None)})
"""What is JSON already; most of any record is, and is told by its type alone."""


def plain(record: Any) -> Any:
    """Dataclasses as dictionaries and tuples as lists, all the way down."""
    kind = type(record)
    if kind in LEAVES:
        return record
    if isinstance(record, (list, tuple)):
        return [item if type(item) in LEAVES else plain(item) for item in record]
    if dataclasses.is_dataclass(kind):
        return {name: value if type(value) in LEAVES else plain(value) for name, value in shallow(record).items()}
    return record


def refuse_unsound(record: Any) -> None:
    """Raises ValueError for a float that is no number, and TypeError for what is no JSON, wherever in the record: what `text` refuses."""
    kind = type(record)
    if kind is float:
        if not math.isfinite(record):
            raise ValueError(f"{record} is no number")
    elif kind in LEAVES:
        return
    elif isinstance(record, (list, tuple)):
        for item in record:
            refuse_unsound(item)
    elif dataclasses.is_dataclass(kind):
        for name in _names(kind):
            refuse_unsound(getattr(record, name))
    else:
        text(plain(record))


def shallow(record: Any) -> dict[str, Any]:
    """A dataclass as a dictionary, with its values as they are."""
    kind: Any = type(record)
    return {name: getattr(record, name) for name in _names(kind)}


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def rounded(value: Any, name: str = "") -> Any:
    """The plain form of a value with floats rounded to what their unit deserves; `name` is the field that holds it."""
    kind = type(value)
    if isinstance(value, float):
        digits = _digits(name)
        if digits is None:
            return value
        return round(float(value), digits) + 0.0  # NumPy rounds otherwise; -0.0 becomes 0.0
    if isinstance(value, (list, tuple)):
        return [item if type(item) in SETTLED_KINDS else rounded(item, name) for item in value]
    if dataclasses.is_dataclass(kind):
        value = shallow(value)
    if isinstance(value, dict):
        return {key: item if type(item) in SETTLED_KINDS else rounded(item, key) for key, item in value.items()}
    return value


SETTLED_KINDS = LEAVES - {float}
"""What is never rounded."""


@cache
def _digits(name: str) -> int | None:
    """How many digits a field of that name deserves; `None`: all of them."""
    return (
        None if name in SETTLED else next((n for suffix, n in DIGITS.items() if name.endswith(suffix)), DEFAULT_DIGITS)
    )


def restored(kind: type[T], value: Any) -> T:
    """A record of that type from its plain form; unknown keys are passed over, missing ones take their defaults.

    Raises RecordError where the value does not fit the type.
    """
    try:
        made: T = _reader(typing.cast("typing.Hashable", kind))(value)
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError) as error:
        raise RecordError(f"this is no {kind.__name__} of ours: {error}; run check again with --fresh") from error
    return made


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """What reads a value of that type; made once, for finding out about a type takes longer than all the rest."""
    origin = typing.get_origin(kind)
    if kind is Any:
        return lambda value: value
    if origin in (typing.Union, types.UnionType):
        inner = _reader(next(a for a in typing.get_args(kind) if a is not type(None)))
        return lambda value: None if value is None else inner(value)
    if origin is tuple:
        item = _reader(typing.get_args(kind)[0])
        return lambda value: tuple(map(item, _of(list, value)))
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        fields = tuple((field.name, _reader(hints[field.name])) for field in dataclasses.fields(kind))
        make = typing.cast("type[Any]", kind)
        return lambda value: make(**{name: read(value[name]) for name, read in fields if name in _of(dict, value)})
    if kind is float:
        return _number
    return lambda value: value if type(value) is kind else _other(kind, value)


def _number(value: Any) -> float:
    if type(value) is not float:
        return float(_other(int, value))
    if not math.isfinite(value):
        raise ValueError(f"{value} is no number")
    return value


def _other(kind: Any, value: Any) -> Any:
    """A value of a type that is the kind's own child, as a word of an enumeration is; True is no number."""
    if kind is int and isinstance(value, bool):
        raise TypeError(f"{value} is no number")
    return _of(kind, value) if isinstance(kind, type) else value


def _of(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{value!r} is no {kind.__name__}")
    return value


def text(document: Any) -> str:
    """JSON in one line as voxgate writes it: ASCII, so that any file name survives, and never NaN."""
    return json.dumps(document, allow_nan=False, ensure_ascii=True)


def page(document: dict[str, Any]) -> str:
    """A document to be looked at: a line for each of its facts, and one for each item of a list, as of clips."""
    return "{\n" + ",\n".join(f" {text(name)}: {_fact(value)}" for name, value in document.items()) + "\n}"


def _fact(value: Any) -> str:
    if not isinstance(value, list) or not value:
        return text(value)
    return "[\n" + ",\n".join(f"  {text(item)}" for item in value) + "\n ]"


def canonical(document: Any) -> bytes:
    """The one spelling of a document that digests are taken over."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True).encode()


def digest(document: Mapping[str, Any]) -> str:
    """The digest over everything in a document but its digest, `sha256`. It guards against accidents, not against forgers."""
    rest = {key: value for key, value in document.items() if key != "sha256"}
    return hashlib.sha256(canonical(rest)).hexdigest()
