"""voxgate list: the findings, formats, profiles, providers and engines that there are."""

from collections.abc import Iterable
from typing import Annotated

import typer

from pipeline.exits import guarded


def show(
    what: Annotated[str, typer.Argument(metavar="WHAT", help="checks, formats, profiles, providers or engines.")],
) -> None:
    """List checks, formats, profiles, providers or engines, a line each."""
    with guarded():
        from pipeline.errors import UsageError

        if what not in LISTS:
            raise UsageError(f"there is no list of {what}; there are {', '.join(LISTS)}")
        for line in LISTS[what]():
            typer.echo(line)


def _checks() -> Iterable[str]:
    from pipeline.catalogue import NOT_MEASURED, rules

    found = {code: (subject.name, rule) for code, (subject, rule) in rules().items()}
    found[NOT_MEASURED.code] = ("any", NOT_MEASURED)
    for code, (subject, rule) in sorted(found.items()):
        weight = str(rule.severity) if rule.gravest is None else f"{rule.severity}/{rule.gravest}"
        yield f"{code:20} {weight:14} {subject:11} {rule.means.split('. ')[0].rstrip('.')}."


def _formats() -> Iterable[str]:
    from pipeline.formats import FORMATS

    for row in FORMATS:
        yield f"{row.extension:6} {row.note}"


def _profiles() -> Iterable[str]:
    from pipeline.config import load, shipped_profiles

    for name in shipped_profiles():
        profile = load(name).profile
        yield f"{name:28} {profile.provider or '-':12} {profile.use or '-':22} read {profile.checked or '-'}"


def _engines() -> Iterable[str]:
    import importlib

    from pipeline.run import engine_names

    for name in engine_names():
        told = importlib.import_module(f"pipeline.engines.{name}").__doc__ or ""
        yield f"{name:8} {told.splitlines()[0]}"


def _providers() -> Iterable[str]:
    from pipeline import providers

    for name in providers.names():
        known = providers.facts(name)
        yield f"{name:12} {known.about}; read {known.checked}"


LISTS = {
    "checks": _checks,
    "formats": _formats,
    "profiles": _profiles,
    "providers": _providers,
    "engines": _engines,
}
