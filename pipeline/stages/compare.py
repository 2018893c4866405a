"""Compare two runs by what they wrote: which clips came, went or changed their verdict, and which findings."""

from collections.abc import Iterator
from typing import Any

from pipeline.words import minutes, printable


def differences(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """A line for everything in which two reports differ that a person would want to know; none when nothing does."""
    if before["verdict"] != after["verdict"]:
        yield f"verdict: {before['verdict']} -> {after['verdict']}"
    for fact in ("profile", "settings_sha256"):
        if before[fact] != after[fact]:
            yield f"{fact.partition('_')[0]}: {before[fact][:28]} -> {after[fact][:28]}"
    for clock in ("decoded_s", "speech_s", "approved_s"):
        was, now = before["totals"][clock], after["totals"][clock]
        if was != now:
            yield f"{clock.removesuffix('_s')}: {minutes(was)} -> {minutes(now)} minutes"
    yield from _not_examined(before, after)
    yield from _codes("set", before["findings"], after["findings"])
    earlier = {clip["id"]: clip for clip in before["clips"]}
    later = {clip["id"]: clip for clip in after["clips"]}
    for id_ in sorted(earlier.keys() | later.keys()):
        yield from _clip(printable(id_), earlier.get(id_), later.get(id_))


def _not_examined(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    was, now = ({absence["subject"] for absence in report["not_examined"]} for report in (before, after))
    yield from (f"{subject}: not examined any more" for subject in sorted(now - was))
    yield from (f"{subject}: examined now" for subject in sorted(was - now))


def _clip(name: str, was: dict[str, Any] | None, now: dict[str, Any] | None) -> Iterator[str]:
    if was is None or now is None:
        there = now if was is None else was
        yield f"{name}: {'gone' if now is None else 'new'}, {there['verdict'] if there is not None else ''}"
        return
    if was["sha256"] != now["sha256"]:
        yield f"{name}: other bytes"
    if was["verdict"] != now["verdict"]:
        yield f"{name}: {was['verdict']} -> {now['verdict']}"
    yield from _codes(name, was["findings"], now["findings"])


def _codes(name: str, was: list[dict[str, Any]], now: list[dict[str, Any]]) -> Iterator[str]:
    before, after = map(_gravest, (was, now))
    changed = [f"+{code}" for code in sorted(after.keys() - before.keys())]
    changed += [f"-{code}" for code in sorted(before.keys() - after.keys())]
    changed += [
        f"{code} {before[code]} -> {after[code]}"
        for code in sorted(before.keys() & after.keys())
        if before[code] != after[code]
    ]
    if changed:
        yield f"{name}: {' '.join(changed)}"


def _gravest(findings: list[dict[str, Any]]) -> dict[str, str]:
    """The codes, each with the gravest of its severities; a report has findings in that order."""
    return {finding["code"]: finding["severity"] for finding in reversed(findings)}
