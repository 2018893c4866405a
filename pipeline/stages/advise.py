"""Advise: what to do next, the step that gains the most approved minutes first."""

import math
from dataclasses import dataclass

from pipeline.outcome import Report
from pipeline.readings import Container
from pipeline.records import Clip, Finding, Severity, Verdict
from pipeline.words import count, minutes

BEYOND_MENDING = frozenset({"DUPLICATE", "NO_SPEECH", "NO_AUDIO"})
"""What no export and no repair turns into minutes: there is nothing in it, or it is there already."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do: what, why, for which clips, and how many seconds of approved audio it would gain (0: quality)."""

    text: str
    hint: str
    clips: tuple[str, ...] = ()
    gain_s: float = 0.0


def advise(report: Report) -> list[Step]:
    """Steps in order of gain: what failed here, what is missing, what keeps clips out, what only lowers their quality."""
    steps = [*_run_again(report), *_record_more(report)]
    by_code = _by_code(report)
    gains = {code: sum(_gain_s(clip, finding) for clip, finding in pairs) for code, pairs in by_code.items()}
    for code in sorted(by_code, key=lambda code: (-gains[code], -len(by_code[code]), code)):
        pairs = by_code[code]
        ids = tuple(clip.source.id for clip, _ in pairs)
        gain = f", {minutes(gains[code])} min to gain" if gains[code] > 0 else ""
        steps.append(Step(f"{code} in {count(len(ids), 'file')}{gain}", pairs[0][1].hint, ids, gains[code]))
    return steps


def _run_again(report: Report) -> list[Step]:
    failed = [clip for clip in report.clips if clip.faults]
    if not failed:
        return []
    reasons = sorted({fault.why for clip in failed for fault in clip.faults})
    ids = tuple(clip.source.id for clip in failed)
    return [Step(f"run again: {count(len(failed), 'file')} could not be examined", reasons[0], ids)]


def _record_more(report: Report) -> list[Step]:
    approved_s = report.extent.approved_s
    for wanted_s, what in ((report.minimum_s, "minimum"), (report.target_s, "advised length")):
        if wanted_s is not None and approved_s < wanted_s:
            missing = max(wanted_s - approved_s, 6.0)
            hint = f"That makes the {what} of {minutes(wanted_s)} minutes."
            return [Step(f"record {minutes(_rounded_up(missing))} more minutes", hint, gain_s=missing)]
    return []


def _rounded_up(seconds: float) -> float:
    """To what is told of so many, or they would not be enough."""
    told_s = 6.0 if seconds < 600.0 else 60.0
    return math.ceil(seconds / told_s) * told_s


def _by_code(report: Report) -> dict[str, list[tuple[Clip, Finding]]]:
    """Clips by finding, warnings and errors only."""
    grouped: dict[str, list[tuple[Clip, Finding]]] = {}
    for clip in report.clips:
        for finding in clip.findings:
            if finding.severity in (Severity.WARNING, Severity.ERROR):
                grouped.setdefault(finding.code, []).append((clip, finding))
    return grouped


def _gain_s(clip: Clip, finding: Finding) -> float:
    """What mending this one finding would bring: the clip's length where nothing else keeps it out."""
    grave = {f.code for f in clip.findings if f.severity is Severity.ERROR}
    if clip.verdict is not Verdict.REJECT or grave != {finding.code} or finding.code in BEYOND_MENDING:
        return 0.0
    return (clip.readings.get(Container) or Container()).decoded_s or 0.0
