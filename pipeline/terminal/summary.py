"""The summary of a run: the verdict, the clocks, what to do next, which clips have what where, and what nobody looked at."""

from collections import Counter
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pipeline.outcome import Report
from pipeline.records import Clip, DatasetVerdict, Finding, Severity, Span, Verdict
from pipeline.stages.advise import Step, advise
from pipeline.stages.manifest import NAME as MANIFEST
from pipeline.terminal import STYLES
from pipeline.words import clock, count, moment, printable

BAR_CELLS = 44
MAX_STEPS, MAX_CLIPS, MAX_SPANS, MAX_VOICES = 8, 25, 4, 6
SHARED_BY = 4
"""From so many files on, the same sentence is printed once."""

CODE_CELLS = 18
MARKS = {Severity.ERROR: "red", Severity.FAULT: "magenta", Severity.WARNING: "yellow", Severity.INFO: "dim"}


def show(report: Report, out: Path, console: Console) -> None:
    """Print the summary of a run whose results lie in `out`."""
    console.print(Group(*_parts(report, out)))


def _parts(report: Report, out: Path) -> list[RenderableType]:
    parts: list[RenderableType] = [Text(), _headline(report), Text(), _clocks(report)]
    if len(report.voices.people) > 1:
        parts += [_title("Voices"), _voices(report)]
    steps = advise(report)
    if steps:
        parts += [_title("What to do next"), _steps(steps)]
    flagged = [clip for clip in report.clips if clip.findings]
    if flagged:
        parts += [_title(f"Findings in {len(flagged)} of {count(len(report.clips), 'file')}"), *_listing(flagged)]
    parts += _caveats(report)
    parts += [Text(), *_files(report, out)]
    return parts


def _title(words: str) -> RenderableType:
    return Group(Text(), Text(f"  {words}", style="bold"))


def _headline(report: Report) -> Text:
    line = Text("  ")
    line.append(f" {report.verdict.upper()} ", style=f"{STYLES[report.verdict]} reverse")
    line.append(f"  {count(len(report.clips), 'file')} for {report.settings.profile.name}: ")
    counts = {verdict: sum(clip.verdict is verdict for clip in report.clips) for verdict in Verdict}
    told = (
        f"{counts[Verdict.ACCEPT]} accepted",
        f"{counts[Verdict.REVIEW]} with warnings",
        f"{counts[Verdict.REJECT]} rejected",
        f"{counts[Verdict.UNDECIDED]} undecided",
    )
    line.append(", ".join(part for part in told if not part.startswith("0 ")))
    return line


def _clocks(report: Report) -> RenderableType:
    extent = report.extent
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column()
    scale_s = max(extent.decoded_s, report.target_s or 0.0, report.minimum_s or 0.0, 1.0)
    rows = (("decoded", extent.decoded_s), ("speech", extent.speech_s), ("approved", extent.approved_s))
    for name, value in rows:
        table.add_row(name, clock(value), _bar(value / scale_s, report, scale_s))
    if report.minimum_s is not None:
        wanted = f"│ at {clock(report.minimum_s)} is the minimum"
        wanted += f"; {clock(report.target_s)} is advised" if report.target_s is not None else ""
        table.add_row("", "", Text(wanted, style="dim"))
    return Padding(table, (0, 0, 0, 2))


def _bar(share: float, report: Report, scale_s: float) -> Text:
    full = round(min(share, 1.0) * BAR_CELLS)
    mark = None if report.minimum_s is None else min(round(report.minimum_s / scale_s * BAR_CELLS), BAR_CELLS - 1)
    enough = report.minimum_s is None or share * scale_s >= report.minimum_s
    bar = Text()
    for cell in range(BAR_CELLS):
        if cell == mark:
            bar.append("│", style="bold")
        elif cell < full:
            bar.append("━", style="green" if enough else "yellow")
        else:
            bar.append("─", style="dim")
    return bar


def _voices(report: Report) -> RenderableType:
    """Who is heard, how long and where: the main voice, then the others with how sure it is that they are other people."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(overflow="fold")
    main, *others = report.voices.people
    named = "the most frequent" if report.voices.reference is None else printable(f"as in {report.voices.reference}")
    table.add_row("main voice", clock(main.speech_s), "", Text(f"{named}, in {count(len(main.clips), 'file')}"))
    for person in others[:MAX_VOICES]:
        sure = f"{person.sure_ratio:.0%} sure" if person.sure_ratio is not None else ""
        files = ", ".join(printable(id_) for id_ in person.clips[:MAX_SPANS])
        more = f" and {len(person.clips) - MAX_SPANS} more" if len(person.clips) > MAX_SPANS else ""
        table.add_row("another", clock(person.speech_s), sure, Text(f"in {files}{more}", style="dim"))
    if len(others) > MAX_VOICES:
        table.add_row("", "", "", Text(f"and {len(others) - MAX_VOICES} more in the report", style="dim"))
    return Padding(table, (0, 0, 0, 2))


def _steps(steps: list[Step]) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for number, step in enumerate(steps[:MAX_STEPS], 1):
        line = Text(f"{step.text[0].upper()}{step.text[1:]}. ", style="bold")
        table.add_row(f"{number}.", Text.assemble(line, (step.hint, "not bold dim")))
    if len(steps) > MAX_STEPS:
        table.add_row("", Text(f"and {len(steps) - MAX_STEPS} more in the report", style="dim"))
    return Padding(table, (0, 0, 0, 2))


def _listing(flagged: list[Clip]) -> list[RenderableType]:
    """What many files share is said once; the rest stands under each file, where names and sentences get the width."""
    counted = Counter((f.code, f.message) for clip in flagged for f in clip.findings)
    shared = {key for key, number in counted.items() if number >= SHARED_BY}
    parts: list[RenderableType] = []
    for code, message in sorted(shared):
        finding = next(f for clip in flagged for f in clip.findings if (f.code, f.message) == (code, message))
        parts += [Text(f"  {counted[code, message]} files alike"), _rows([finding])]
    own = [clip for clip in flagged if any((f.code, f.message) not in shared for f in clip.findings)]
    ordered = sorted(own, key=lambda clip: (-max(f.severity for f in clip.findings), clip.source.id))
    for clip in ordered[:MAX_CLIPS]:
        line = Text(f"  {printable(clip.source.id)}", overflow="fold")
        line.append(f"  {clip.verdict}", style="dim")
        parts += [line, _rows([f for f in clip.findings if (f.code, f.message) not in shared])]
    if len(own) > MAX_CLIPS:
        parts.append(Text(f"  and {count(len(own) - MAX_CLIPS, 'more file')} in the report", style="dim"))
    return parts


def _rows(findings: list[Finding]) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, min_width=CODE_CELLS)
    table.add_column(overflow="fold")
    for finding in findings:
        table.add_row(Text(finding.code, style=MARKS[finding.severity]), _told(finding))
    return Padding(table, (0, 0, 0, 4))


def _told(finding: Finding) -> Text:
    text = Text(printable(finding.message))
    if finding.evidence.spans:
        text.append(f"  {times(finding.evidence.spans)}", style="cyan")
    return text


def times(spans: tuple[Span, ...]) -> str:
    """The first few spans as times in the clip."""
    told = [
        moment(s.start_s) if s.length_s < 0.05 else f"{moment(s.start_s)}–{moment(s.end_s)}" for s in spans[:MAX_SPANS]
    ]
    more = f" and {len(spans) - MAX_SPANS} more" if len(spans) > MAX_SPANS else ""
    return ", ".join(told) + more


def _caveats(report: Report) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if report.not_examined:
        names = ", ".join(absence.subject for absence in report.not_examined)
        line = Text(f"  {names}. ", style="yellow")
        line.append("Nobody has looked for faults of these kinds; listen for them yourself.", style="dim")
        parts += [_title("Not examined"), line]
    if report.settings.relaxed:
        parts.append(_title("Relaxed limits"))
        parts += [
            Text(f"  {entry.key}: {entry.used} instead of {entry.default}", style="yellow")
            for entry in report.settings.relaxed
        ]
    for ids, what in (
        (report.left_out, "left out by name"),
        (report.skipped, "passed over (no audio, or not to be read)"),
    ):
        if ids:
            shown = ", ".join(printable(id_) for id_ in ids[:5]) + (" …" if len(ids) > 5 else "")
            parts += [Text(), Text(f"  {count(len(ids), 'file')} {what}: {shown}", style="dim")]
    return parts


def _files(report: Report, out: Path) -> list[RenderableType]:
    lines = [Text(f"  report    {out / 'report.html'}")]
    if report.verdict is DatasetVerdict.APPROVED:
        lines.append(Text(f"  manifest  {out / MANIFEST}", style="green"))
    else:
        lines.append(Text("  manifest  none: it is written only when the set is approved", style="dim"))
    return list(lines)
