"""voxgate explain: what a finding means, where its limits come from, and how to mend it."""

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.exits import guarded

if TYPE_CHECKING:
    from pipeline.catalogue import Declared, Rule, Value
    from pipeline.config import Settings


def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A finding's code, such as LONG_PAUSE.")],
    profile: Annotated[str | None, typer.Option(help="Whose limits to show.", show_default="cartesia-pro")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a limit.")] = None,
) -> None:
    """Print a finding's meaning, its limits with reason, source and layer, and what to do about it."""
    with guarded():
        from pipeline import config
        from pipeline.catalogue import NOT_MEASURED, verified
        from pipeline.errors import UsageError

        settings = config.load(profile or config.DEFAULT_PROFILE, tuple(overrides or ()))
        found = [(s.reads(rule), rule) for s in verified() for rule in s.rules if rule.code == code.upper()]
        if code.upper() == NOT_MEASURED.code:
            found = [((), NOT_MEASURED)]
        if not found:
            known = [*(rule.code for s in verified() for rule in s.rules), NOT_MEASURED.code]
            near = difflib.get_close_matches(code.upper(), known, n=1, cutoff=0.3)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"there is no finding {code}{meant} (`voxgate list checks` names them all)")
        for line in _text(found[0][1], settings):
            typer.echo(line)
        for declared in dict.fromkeys(d for read, _ in found for d in read):
            for line in _limit(declared, settings):
                typer.echo(line)


def _text(rule: "Rule", settings: "Settings") -> Iterator[str]:
    weight = str(rule.severity) if rule.gravest is None else f"{rule.severity}, {rule.gravest} when grave"
    if rule.code in settings.severities:
        weight = f"{settings.severities[rule.code]} ({settings.origins[f'severity.{rule.code}']})"
    yield f"{rule.code}  {weight}"
    yield f"\n{rule.means}"
    yield f"\nWhat to do: {rule.advice}"


def _limit(declared: "Declared", settings: "Settings") -> Iterator[str]:
    from pipeline import config

    value, origin = settings.values[declared.key], settings.origins[declared.key]
    yield f"\n{declared.key} = {_shown(value)}  ({origin})"
    if origin == config.DECLARED:
        yield f"  because: {declared.reason}"
        if declared.source:
            yield f"  source:  {declared.source}"
        return
    profile = settings.profile
    if origin.startswith("profile") and profile.source is not None:
        yield f"  profile: after {profile.source}{'' if profile.checked is None else f', read {profile.checked}'}"
    source = f" ({declared.source})" if declared.source else ""
    yield f"  default: {_shown(declared.default)}, because: {declared.reason}{source}"


def _shown(value: "Value") -> str:
    return "off" if value is None else ", ".join(value) if isinstance(value, tuple) else str(value)
