"""Training on the terminal: what is about to be ordered, how it goes, and the voices with what to speak them by."""

from rich.console import Console

from pipeline.remote import Training
from pipeline.training import Outcome, Plan
from pipeline.words import count, minutes, printable

MOST_SHOWN = 10


def show_plan(plan: Plan, console: Console) -> None:
    """What would be trained on what, and what that costs."""
    order, facts = plan.order, plan.facts
    _line(
        console,
        f"voice      {printable(order.name)}, {printable(order.language)}, on the base model {printable(order.model)}",
    )
    held = f"{count(plan.files, 'file')}, {minutes(plan.decoded_s)} minutes, all approved"
    _line(console, f"dataset    {printable(plan.dataset.name)} ({plan.dataset.id}): {held}")
    if plan.others:
        _line(console, f"           and {count(len(plan.others), 'file')} that earlier manifests approved:", "yellow")
        for name in plan.others[:MOST_SHOWN]:
            _line(console, f"           {printable(name)}", "yellow")
    _line(
        console,
        f"costs      {facts.credits:,} credits if it succeeds, nothing if it fails; about {facts.hours:g} hours",
    )
    _line(console, "           another base model later, or more recordings, means another training, which costs again")
    for training in plan.earlier:
        _line(console, f"earlier    {training.id}: {printable(training.status)}")


def show_begun(training: Training, console: Console) -> None:
    """That it is under way, or was already."""
    _line(console, f"training   {training.id}: {printable(training.status)}; `voxgate status --watch` follows it")


def show_outcome(outcome: Outcome, console: Console) -> None:
    """Voices with their ids and the model that speaks them; or how far it is; or what to try."""
    training = outcome.training
    _line(console, f"training   {training.id}: {printable(training.status)}", "red" if outcome.failed else "")
    if outcome.failed:
        _line(console, outcome.facts.on_failure)
    if not outcome.done:
        return
    for voice in outcome.voices:
        _line(console, f"voice      {voice.id}  {printable(voice.language)}  {printable(voice.name)}")
    if len(outcome.voices) != outcome.facts.voices:
        _line(
            console,
            f"           {len(outcome.voices)} voices, {outcome.facts.voices} are usual; look again later",
            "yellow",
        )
    _line(console, f"model      {printable(training.order.model)}: speak with exactly this model id;")
    _line(console, "           these voices are not moved to a newer one, which means training again")


def _line(console: Console, text: str, style: str = "") -> None:
    console.print(text, style=style or None, highlight=False, markup=False, soft_wrap=True)
