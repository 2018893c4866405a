"""voxgate train, status and voices: from a dataset to a voice that can be spoken with."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline import OUT
from pipeline.exits import Exit, guarded, told

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.delivery import Means
    from pipeline.remote import Training
    from pipeline.training import Outcome, Plan, Studio

To = Annotated[str, typer.Option("--to", metavar="PROVIDER", help="Where it is trained.")]
Run = Annotated[Path, typer.Argument(metavar="OUT", help="The folder of the check, or its manifest.")]
Id = Annotated[str | None, typer.Option("--id", metavar="ID", help="A training.", show_default="the last one")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def train(
    manifest: Annotated[Path, typer.Argument(metavar="OUT/manifest.json", help="The manifest that was uploaded.")],
    name: Annotated[str, typer.Option(metavar="N", help="What the voices are called.")],
    to: To = "cartesia",
    language: Annotated[
        str | None, typer.Option(metavar="CODE", help="The language spoken.", show_default="the manifest's")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model-id", metavar="M", help="The base model.", show_default="the provider's newest"),
    ] = None,
    dataset: Annotated[
        str | None, typer.Option(metavar="ID", help="Another dataset.", show_default="the last upload's")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Train anew what is trained already; it costs again.")] = False,
    yes: Yes = False,
) -> None:
    """Train on what was uploaded: says what it costs, and asks. Exit 0 begun, 1 refused, 4 run again."""
    with guarded():
        from rich.console import Console

        from pipeline import training
        from pipeline.terminal import trained

        console = Console()
        with training.studio(manifest, to, _means(), dataset) as studio:
            plan = studio.plan(name, language, model)
            trained.show_plan(plan, console)
            if _given(studio, plan, manifest.parent, again, console):
                return
            _agree(f"Train for {plan.facts.credits:,} credits?", yes)
            begun = studio.order(plan)
            told(lambda: trained.show_begun(begun, manifest.parent, console))


def status(
    out: Run = Path(OUT),
    to: To = "cartesia",
    id_: Id = None,
    watch: Annotated[bool, typer.Option("--watch", help="Wait until it is over.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Train again what has failed.")] = False,
    yes: Yes = False,
) -> None:
    """How a training goes: exit 0 done or under way, 1 failed, 4 run again."""
    with guarded():
        from rich.console import Console

        from pipeline import training
        from pipeline.terminal import trained

        console = Console()
        with training.studio(out, to, _means()) as studio:
            outcome = _looked(studio, studio.latest(id_), watch)
            if outcome.failed and retry:
                trained.show_outcome(outcome, console)
                outcome = _looked(studio, _ordered_again(studio, outcome, yes, console), watch)
        told(lambda: trained.show_outcome(outcome, console))
        if outcome.failed:
            raise typer.Exit(Exit.REFUSED)


def voices(out: Run = Path(OUT), to: To = "cartesia", id_: Id = None) -> None:
    """The voices that a training made, and the model to speak with: exit 0 there, 1 not yet."""
    with guarded():
        from rich.console import Console

        from pipeline import training
        from pipeline.terminal import trained

        with training.studio(out, to, _means()) as studio:
            outcome = studio.outcome(studio.latest(id_))
        told(lambda: trained.show_outcome(outcome, Console()))
        if not outcome.done:
            raise typer.Exit(Exit.REFUSED)


def _given(studio: "Studio", plan: "Plan", out: Path, again: bool, console: "Console") -> bool:
    """Whether the order was given already, which is told. Raises Refused where another one was."""
    from pipeline.errors import Refused
    from pipeline.terminal import trained

    current = plan.earlier.found[-1] if plan.earlier.found else None if again else plan.current
    if current is None:
        return False
    if not plan.same(current):
        raise Refused(
            f"nothing was ordered: this dataset is trained already, as {current.order.name} ({current.id}, {current.status}); "
            "--again trains it anew, which costs again"
        )
    trained.show_begun(current, out, console)
    if current in plan.earlier.found:
        studio.tell(current)
    return True


def _ordered_again(studio: "Studio", failed: "Outcome", yes: bool, console: "Console") -> "Training":
    from pipeline.terminal import trained

    plan = studio.retry(failed.training)
    since = plan.since(failed.training)
    if since is not None:
        console.print(f"it was ordered again already, as {since.id}", highlight=False, markup=False)
        return since
    trained.show_plan(plan, console)
    _agree(f"Train again? {plan.facts.credits:,} credits if it succeeds.", yes)
    return studio.order(plan)


def _looked(studio: "Studio", begun: "Training", watch: bool) -> "Outcome":
    return studio.outcome(studio.watch(begun) if watch else begun)


def _means() -> "Means":
    from rich.console import Console

    from pipeline.delivery import Means
    from pipeline.terminal.delivered import Display

    return Means(onlooker=Display(Console(stderr=True)).onlooker)


def _agree(question: str, yes: bool) -> None:
    """Ask, unless that is answered already. Raises UsageError where nobody can answer, Refused where the answer is no."""
    from pipeline.errors import Refused, UsageError

    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError("nobody is there to ask; add --yes if that is meant")
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        raise KeyboardInterrupt from None
    if not agreed:
        raise Refused("nothing was ordered")
