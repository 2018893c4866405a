"""Our records as JSON and back, by their type hints; floats keep every digit, so that a verdict can be reached again.

`rounded` is for files that people read: seconds to 0.001, decibels to 0.01, by the unit at the end of a field's name.
"""

import dataclasses
import hashlib
import json
import math
import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

from pipeline.errors import RecordError

T = TypeVar("T")

DIGITS = {"_s": 3, "_db": 2, "_dbfs": 2, "_dbtp": 2, "_lufs": 2, "_lu": 2, "_hz": 1, "_ratio": 6, "kbps": 1}
DEFAULT_DIGITS = 4
SETTLED = frozenset({"value", "limit", "default", "used"})
"""Fields that hold a number of any unit: a setting as it was set, or evidence, which is rounded where its unit is known."""


def plain(record: Any) -> Any:
    """Dataclasses as dictionaries and tuples as lists, all the way down."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {name: plain(getattr(record, name)) for name in _names(type(record))}
    if isinstance(record, (list, tuple)):
        return [plain(item) for item in record]
    return record


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def rounded(value: Any, name: str = "") -> Any:
    """A plain value with floats rounded to what their unit deserves; `name` is the field that holds it."""
    if isinstance(value, dict):
        return {key: rounded(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item, name) for item in value]
    if isinstance(value, float) and name not in SETTLED:
        digits = next((n for suffix, n in DIGITS.items() if name.endswith(suffix)), DEFAULT_DIGITS)
        return round(value, digits) + 0.0  # -0.0 becomes 0.0
    return value


def restored(kind: type[T], value: Any) -> T:
    """A record of that type from its plain form; unknown keys are passed over, missing ones take their defaults.

    Raises RecordError where the value does not fit the type.
    """
    try:
        made: T = _restored(kind, value)
    except (TypeError, KeyError, ValueError, AttributeError, OverflowError) as error:
        raise RecordError(f"this is no {kind.__name__} of ours: {error}; run check again with --fresh") from error
    return made


@cache
def _hints(kind: type) -> tuple[tuple[str, Any], ...]:
    """Each field's name and type; finding that out takes longer than all the rest."""
    hints = typing.get_type_hints(kind)
    return tuple((field.name, hints[field.name]) for field in dataclasses.fields(kind))


def _restored(kind: Any, value: Any) -> Any:
    if kind is Any or (
        kind is type(value) and kind is not float
    ):  # most are words and whole numbers, and there are very many
        return value
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return (
            None if value is None else _restored(next(a for a in typing.get_args(kind) if a is not type(None)), value)
        )
    if origin is tuple:
        inner = typing.get_args(kind)[0]
        return tuple(_restored(inner, item) for item in _of(list, value))
    if dataclasses.is_dataclass(kind):
        value = _of(dict, value)
        named = {
            name: _restored(hint, value[name]) for name, hint in _hints(typing.cast("type", kind)) if name in value
        }
        return typing.cast("type[Any]", kind)(**named)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no number")
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
