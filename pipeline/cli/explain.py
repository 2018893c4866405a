"""voxgate explain: what a finding means, where its limits come from, and how to mend it."""

import difflib
from typing import Annotated, Any

import typer

from pipeline.config import DEFAULT_PROFILE
from pipeline.exits import guarded


def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A finding's code, such as LONG_PAUSE.")],
    profile: Annotated[str, typer.Option(help="Whose limits to show.")] = DEFAULT_PROFILE,
    overrides: Annotated[list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a limit.")] = None,
) -> None:
    """Print a finding's meaning, its limits with reason, source and layer, and what to do about it."""
    with guarded():
        from rich.console import Console

        from pipeline import config
        from pipeline.catalogue import NOT_MEASURED, rules
        from pipeline.errors import UsageError

        console, wanted = Console(highlight=False), code.upper()
        settings = config.load(profile, tuple(overrides or ()))
        catalogue = rules()
        if wanted == NOT_MEASURED.code:
            _tell(console, NOT_MEASURED, [])
            return
        if wanted not in catalogue:
            near = difflib.get_close_matches(wanted, [*catalogue, NOT_MEASURED.code], n=1, cutoff=0.3)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise UsageError(f"there is no finding {code}{meant} (`voxgate list checks` names them all)")
        subject, rule = catalogue[wanted]
        _tell(console, rule, [(d, settings) for d in subject.declared()])


def _tell(console: Any, rule: Any, limits: list[tuple[Any, Any]]) -> None:
    weight = str(rule.severity) if rule.gravest is None else f"{rule.severity}, {rule.gravest} when grave"
    console.print(f"[bold]{rule.code}[/bold]  {weight}\n\n{rule.means}\n\n[bold]What to do[/bold]  {rule.hint}")
    if limits:
        console.print("\n[bold]Limits of its subject[/bold]")
    for declared, settings in limits:
        value = settings.values[declared.key]
        shown = "off" if value is None else ", ".join(value) if isinstance(value, tuple) else value
        console.print(f"  {declared.key} = {shown}  [dim]({settings.origins[declared.key]})[/dim]", soft_wrap=True)
        source = f" Source: {declared.source}." if declared.source else ""
        console.print(f"    {declared.reason}.{source}", style="dim", markup=False)
