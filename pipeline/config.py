"""Settings in layers, each value with the place it came from: declared default < profile < --set.

A profile is a TOML file that holds only what it changes. Keys are `subject.limit`, severities `severity.CODE`. Unknown
keys and wrong kinds are refused with the file, the line and the nearest known name. No default is written here.
"""

import difflib
import hashlib
import json
import math
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.catalogue import Declared, Limits, Subject, Value, declared_limits, gravest, rules
from pipeline.errors import MeasuringChanged, SettingsError
from pipeline.records import Relaxed, Severity

DEFAULT_PROFILE = "cartesia-pro"
OFF = "off"
DECLARED = "declared default"
"""The origin of a value that no profile and no --set has changed."""

FIXED = ("NOT_MEASURED", "UNREADABLE", "NO_AUDIO")
"""Codes whose severity nobody may change: what was not examined or does not decode never passes."""


@dataclass(frozen=True, slots=True)
class Profile:
    """Whom and what the limits are for, and where they were read."""

    name: str
    provider: str | None = None
    use: str | None = None
    source: str | None = None
    checked: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Every limit and every changed severity in force; `origins` says for each key which layer it came from."""

    profile: Profile
    values: Mapping[str, Value]
    severities: Mapping[str, Severity] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)
    relaxed: tuple[Relaxed, ...] = ()
    _filled: dict[str, Limits] = field(default_factory=dict, init=False, repr=False, compare=False)

    def limits(self, subject: Subject) -> Limits:
        """The subject's limits, filled once, for every clip asks for them."""
        if subject.name not in self._filled:
            start = len(subject.name) + 1
            filled = subject.limits(**{d.key[start:]: self.values[d.key] for d in subject.declared()})
            self._filled[subject.name] = filled
        return self._filled[subject.name]

    @property
    def sha256(self) -> str:
        """Digest of all that decides a verdict: profile, limits and severities."""
        severities = {code: str(severity) for code, severity in self.severities.items()}
        return _digest({"profile": self.profile.name, "limits": dict(self.values), "severities": severities})

    @property
    def measuring_sha256(self) -> str:
        """Digest of the keys that change what is measured; readings made under another digest are not reused."""
        keys = [key for key, d in declared_limits().items() if d.measuring]
        return _digest({key: self.values[key] for key in keys})


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, allow_nan=False).encode()).hexdigest()


def configs_dir() -> Path:
    """The folder of the shipped profiles: inside the installed package, or beside it in a checkout."""
    inside = Path(__file__).parent / "configs"
    return inside if inside.is_dir() else Path(__file__).parent.parent / "configs"


def shipped_profiles() -> list[str]:
    """Names of the profiles that voxgate brings along."""
    return sorted(path.stem for path in configs_dir().glob("*.toml"))


def load(profile: str = DEFAULT_PROFILE, overrides: Sequence[str] = ()) -> Settings:
    """Settings from a profile's name or file and `KEY=VALUE` overrides.

    Raises SettingsError for an unknown profile, an unreadable file, an unknown key or a value of the wrong kind.
    """
    declared = declared_limits()
    values: dict[str, Value] = {key: d.default for key, d in declared.items()}
    origins = dict.fromkeys(declared, DECLARED)
    severities: dict[str, Severity] = {}
    path = _profile_path(profile)
    text, document = _parsed(path)
    for key, raw in _flat(document):
        where = f"{path}, line {_line_of(text, key)}"
        _assign(key, raw, where, values, severities)
        origins[key] = f"profile {path.stem}"
    base = dict(values) if profile in shipped_profiles() else {k: d.default for k, d in declared.items()}
    base_severities = dict(severities) if profile in shipped_profiles() else {}
    for override in overrides:
        key, equals, word = override.partition("=")
        if not equals:
            raise SettingsError(f"--set {override}: write it as KEY=VALUE, for example loudness.min_lufs=-32")
        _assign(
            key.strip(), _from_word(word.strip(), declared.get(key.strip())), f"--set {override}", values, severities
        )
        origins[key.strip()] = "--set"
    relaxed = (*_relaxed_limits(declared, base, values), *_relaxed_severities(base_severities, severities))
    return Settings(_profile_of(path, document), values, severities, origins, relaxed)


def measures(override: str) -> bool:
    """Whether a `KEY=VALUE` sets a key that changes what is measured."""
    declared = declared_limits().get(override.partition("=")[0].strip())
    return declared is not None and declared.measuring


def refuse_measuring(overrides: Sequence[str]) -> None:
    """Raises MeasuringChanged for an override that only a new decoding could honour."""
    for override in overrides:
        if measures(override):
            raise MeasuringChanged(
                f"--set {override}: this key changes what is measured; run check with it instead of judge"
            )


def located(profile: str) -> str:
    """A profile's name, or its file as it is found from everywhere."""
    return profile if profile in shipped_profiles() else str(Path(profile).absolute())


def _profile_path(profile: str) -> Path:
    if profile in shipped_profiles():
        return configs_dir() / f"{profile}.toml"
    path = Path(profile)
    if path.suffix == ".toml" and path.is_file():
        return path
    known = ", ".join(shipped_profiles())
    raise SettingsError(f"there is no profile {profile!r}: name one of {known}, or the path of a .toml file")


def _parsed(path: Path) -> tuple[str, dict[str, Any]]:
    try:
        text = path.read_text(encoding="utf-8")
        return text, tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"the profile {path} cannot be read: {error}") from error


def _profile_of(path: Path, document: Mapping[str, Any]) -> Profile:
    about = {key: str(document[key]) for key in ("provider", "use", "source", "checked") if key in document}
    return Profile(path.stem, **about)


ABOUT = ("provider", "use", "source", "checked", "description")


def _flat(document: Mapping[str, Any], table: str = "") -> Iterator[tuple[str, Any]]:
    """The document's keys as `subject.limit` and `severity.CODE`, whatever tables they stand in.

    The table `limits` may be left out; the facts about the profile itself are no settings.
    """
    for name, content in document.items():
        key = f"{table}{name}"
        if isinstance(content, dict):
            yield from _flat(content, "" if key == "limits" else f"{key}.")
        elif key not in ABOUT:
            yield key, content


def _line_of(text: str, key: str) -> int:
    """The line on which a key stands, for a message; the first line where it cannot be told."""
    table, best = "", (0, 1)
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[([^\[\]]+)\]", line)
        given = re.match(r"\s*([\w.\"' -]+?)\s*=", line)
        if header is not None:
            table = f"{header.group(1)}."
        elif given is not None:
            named = re.sub(r"[\"'\s]", "", f"{table}{given.group(1)}").removeprefix("limits.")
            if key == named:
                return number
            if key.startswith(f"{named}."):  # an inline table
                best = max(best, (len(named), number))
    return best[1]


def _assign(key: str, raw: Any, where: str, values: dict[str, Value], severities: dict[str, Severity]) -> None:
    declared = declared_limits()
    if key in declared:
        values[key] = _coerced(declared[key], raw, where)
        return
    code = key.removeprefix("severity.")
    if key.startswith("severity.") and code in rules() and code not in FIXED:
        severities[code] = _severity(raw, where)
        return
    if code in FIXED:
        raise SettingsError(f"{where}: the severity of {code} is fixed, because what was not examined never passes")
    known = [*declared, *(f"severity.{c}" for c in rules())]
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.3)
    meant = f"; did you mean {near[0]}?" if near else ""
    raise SettingsError(f"{where}: there is no key {key}{meant} (`voxgate explain CODE` names those of a finding)")


def _severity(raw: Any, where: str) -> Severity:
    allowed = {str(s): s for s in Severity if s is not Severity.FAULT}
    if not isinstance(raw, str) or raw not in allowed:
        raise SettingsError(f"{where}: a severity is one of {', '.join(allowed)}")
    return allowed[raw]


def _from_word(word: str, declared: Declared | None) -> Any:
    """A --set value as TOML would have read it; a bare list is parted at commas."""
    if declared is not None and isinstance(declared.default, tuple):
        return [part.strip() for part in word.strip("[]").split(",") if part.strip()]
    try:
        return float(word)
    except ValueError:
        return word.strip("\"'")


def _coerced(declared: Declared, raw: Any, where: str) -> Value:
    default = declared.default
    if declared.choices:
        if raw in declared.choices:
            return str(raw)
        raise SettingsError(f"{where}: {declared.key} is one of {', '.join(declared.choices)}, not {raw!r}")
    if isinstance(default, tuple):
        if isinstance(raw, list) and all(isinstance(item, str) and item != OFF for item in raw):
            return tuple(raw)
        raise SettingsError(f"{where}: {declared.key} is a list of words, not {raw!r}")
    if raw == OFF:
        return None
    if isinstance(raw, bool) or not isinstance(raw, (int, float)) or not math.isfinite(raw):
        raise SettingsError(f"{where}: {declared.key} is a number, or {OFF!r} to switch it off, not {raw!r}")
    if isinstance(default, int) and raw != int(raw):
        raise SettingsError(f"{where}: {declared.key} is a whole number, not {raw!r}")
    return int(raw) if isinstance(default, int) else float(raw)


def _relaxed_limits(
    declared: Mapping[str, Declared], base: Mapping[str, Value], values: Mapping[str, Value]
) -> list[Relaxed]:
    return [Relaxed(key, base[key], values[key]) for key, d in declared.items() if d.loosened(base[key], values[key])]


def _relaxed_severities(base: Mapping[str, Severity], used: Mapping[str, Severity]) -> list[Relaxed]:
    found = []
    for code, severity in used.items():
        was = base.get(code, gravest(code))
        if severity < was:
            found.append(Relaxed(f"severity.{code}", str(was), str(severity)))
    return found
