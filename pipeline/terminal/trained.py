"""Training on the terminal: what is about to be ordered, how it goes, and the voices with what to speak them by."""

from pathlib import Path

from rich.console import Console

from pipeline.remote import Training
from pipeline.terminal import tell, terms
from pipeline.training import Outcome, Plan
from pipeline.words import count, minutes, printable

MOST_SHOWN = 10


def show_plan(plan: Plan, console: Console) -> None:
    """What would be trained on what, and what that costs."""
    order, facts = plan.order, plan.facts
    tell(
        console,
        f"voice      {printable(order.name)}, {printable(order.language)}, on the base model {printable(order.model)}",
    )
    held = f"{count(len(plan.wanted), 'file')}, {minutes(plan.decoded_s)} minutes, all approved"
    tell(console, f"dataset    {printable(plan.dataset.name)} ({plan.dataset.id}): {held}")
    if plan.others:
        tell(console, f"           and {count(len(plan.others), 'file')} that earlier manifests approved:", "yellow")
        for name in plan.others[:MOST_SHOWN]:
            tell(console, f"           {printable(name)}", "yellow")
    for told in terms(plan.not_examined, plan.relaxed):
        tell(console, f"           {told}", "yellow")
    tell(
        console,
        f"costs      {facts.credits:,} credits if it succeeds, nothing if it fails; about {facts.hours:g} hours",
    )
    tell(console, "           another base model later, or more recordings, means another training, which costs again")
    for training in plan.earlier.trainings:
        tell(console, f"earlier    {training.id}: {printable(training.status)}")


def show_begun(training: Training, out: Path, console: Console) -> None:
    """That it is under way, or was already, and how to follow it."""
    tell(console, f"training   {training.id}: {printable(training.status)}; `voxgate status {out} --watch` follows it")


def show_outcome(outcome: Outcome, console: Console) -> None:
    """Voices with their ids and the model that speaks them; or how far it is; or what to try."""
    training = outcome.training
    tell(console, f"training   {training.id}: {printable(training.status)}", "red" if outcome.failed else "")
    if outcome.failed:
        tell(console, outcome.facts.on_failure)
    if not outcome.done:
        return
    for voice in outcome.voices:
        tell(console, f"voice      {voice.id}  {printable(voice.language)}  {printable(voice.name)}")
    if len(outcome.voices) != outcome.facts.voices:
        tell(
            console,
            f"           {len(outcome.voices)} voices, {outcome.facts.voices} are usual; look again later",
            "yellow",
        )
    tell(console, f"model      {printable(training.order.model)}: speak with exactly this model id;")
    tell(console, "           these voices are not moved to a newer one, which means training again")
