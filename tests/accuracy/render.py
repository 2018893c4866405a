"""The results as pages: tables in Markdown, and lists of the cases that went wrong."""

import itertools
import platform
from importlib.metadata import version

import goals
import numpy as np
import score
from recordings import PARTS

from pipeline import __version__

HEAD = """# How right the flags are

`make accuracy` builds these cases from real recordings and from synthesis with fixed seeds, gives them as files to `voxgate check`,
and writes this page. *Held out* are readers, noises and rooms kept apart from those that thresholds were chosen with, the *tuning*
part. Their scores were seen more than once while detectors and labels were still being changed, so fresh recordings should
confirm them. Intervals are Clopper and Pearson's at 95 %. Cases that share a reader are not independent, so the true intervals
are somewhat wider.
"""

UNTESTED = """## What is not measured here, and why

- UNREADABLE, NO_AUDIO, UNSUPPORTED_FORMAT, EXTENSION_MISMATCH, FORMAT_AT_RISK, DURATION_MISMATCH, TOO_SHORT, TOO_LONG,
  LOW_SAMPLE_RATE, LOW_BITRATE, DUPLICATE, TOO_LITTLE_AUDIO, BELOW_TARGET, LITTLE_SPEECH and NOT_MEASURED follow from what a file
  or a set is and have no error rate; `make test` holds them on every kind of file, damaged ones too.
- POOR_QUALITY has no truth here: it is what DNSMOS says, and nobody has listened to these cases and scored them.
- Whispered, shouted, laughed and sung speech of one person, children, twins, and real meetings but two of half a minute: whether
  these are told apart is not known. A minute of one reader is joined from utterances of one book, mostly of one day.
- That another voice is falsely told of less than once in five hours cannot be shown with 40 minutes of one voice at a time, which
  are the minutes of five readers in other orders; the table states the upper bound that they give.
- Languages other than English, children, singing, and whole recordings of hours from one microphone are not among the recordings.
- Music is synthesised but for a few pieces; no film music, no singing over instruments.
"""


def document(results, greys):
    """RESULTS.md as text."""
    everything = [result for found in results.values() for result in found]
    parts = [
        HEAD,
        _environment(),
        goal_table(everything),
        flag_table(everything),
        number_table(everything),
        event_table(everything),
    ]
    parts += [group_table(everything), range_table(everything), UNTESTED, "## The grey zone, left out\n"]
    parts.append("\n".join(f"- **{name}**: {grey}" for name, grey in greys) + "\n")
    return "\n".join(part for part in parts if part)


def goal_table(results):
    """What was asked for and what was reached."""
    return _table("## What must be reached", ("", "bound", *PARTS), goals.rows(results))


def flag_table(results):
    """A row a code and part, over all groups."""
    by_group = score.flaggings(results)
    rows = []
    for code in sorted({code for code, _, _ in by_group}):
        for part in PARTS:
            cells = score.flag_cells(score.pooled(by_group, code, part))
            rows.append((f"`{code}`", part, *cells))
    return _table(
        "## Flags",
        ("finding", "part", "precision", "recall", "false alarms", "cases with / without"),
        rows,
    )


def number_table(results):
    """A row a reading and part: bias, median absolute error, 95th percentile, over which range."""
    by_group = score.errors(results)
    rows = [
        (f"`{path}`", part, *_error_cells(score.pooled(by_group, path, part)))
        for path in sorted({path for path, _, _ in by_group})
        for part in PARTS
    ]
    return _table("## Numbers", ("reading", "part", *ERROR_HEAD), rows)


def group_table(results):
    """Both by condition, held out alone."""
    flags, numbers = score.flaggings(results), score.errors(results)
    rows = [
        (f"`{code}`", group, *score.flag_cells(flagging))
        for (code, part, group), flagging in sorted(flags.items())
        if part == PARTS[1]
    ]
    text = _table(
        "## Flags by condition, held out",
        ("finding", "condition", "precision", "recall", "false alarms", "cases with / without"),
        rows,
    )
    rows = [
        (f"`{path}`", group, *_error_cells(errors))
        for (path, part, group), errors in sorted(numbers.items())
        if part == PARTS[1]
    ]
    return text + "\n" + _table("## Numbers by condition, held out", ("reading", "condition", *ERROR_HEAD), rows)


def range_table(results):
    """Each reading's error over four parts of its range, both parts together."""
    by_group = score.errors(results)
    rows = []
    for path in sorted({path for path, _, _ in by_group}):
        pairs = [
            (true, error)
            for (key, _, _), errors in by_group.items()
            if key == path
            for true, error in zip(errors.true, errors.errors, strict=True)
        ]
        if len(pairs) < 20:
            continue
        true, error = np.array(pairs).T
        edges = np.quantile(true, (0, 0.25, 0.5, 0.75, 1))
        for low, high in itertools.pairwise(edges):
            inside = error[(true >= low) & (true <= high)]
            if high > low:
                rows.append((f"`{path}`", _span(low, high), len(inside), *_error_numbers(inside)))
    return _table(
        "## Numbers over their range",
        ("reading", "true value", "cases", "bias", "median abs. error", "95 % within"),
        rows,
    )


def event_table(results):
    """Findings with times: how many of the true stretches were told, and how far off their edges are."""
    rows = []
    events = score.events(results)
    for code in sorted({code for code, _ in events}):
        for part in PARTS:
            one = events.get((code, part))
            if one is not None and one.found:
                edges = np.abs(one.edges_s)
                rows.append(
                    (
                        f"`{code}`",
                        part,
                        score.share(one.found, one.true),
                        one.true,
                        f"{np.median(edges):.2f} s",
                        f"{np.quantile(edges, 0.95):.2f} s",
                        one.false,
                    )
                )
    head = ("finding", "part", "stretches found", "of", "edge, median", "edge, 95 %", "false stretches")
    return _table("## Times", head, rows)


def wrong(results):
    """The cases that went wrong, for whoever mends them."""
    lines = []
    for (code, part, group), flagging in sorted(
        score.flaggings([r for found in results.values() for r in found]).items()
    ):
        if flagging.wrong:
            lines.append(f"{code}, {part}, {group}: {', '.join(flagging.wrong)}")
    return "\n".join(lines)


ERROR_HEAD = ("range", "cases", "not measured", "bias", "median abs. error", "95 % within")


def _error_cells(errors):
    if not errors.true:
        return "–", 0, errors.unmeasured, "–", "–", "–"
    return (
        _span(min(errors.true), max(errors.true)),
        len(errors.true),
        errors.unmeasured,
        *_error_numbers(errors.errors),
    )


def _error_numbers(error):
    return _number(np.mean(error)), _number(np.median(np.abs(error))), _number(np.quantile(np.abs(error), 0.95))


def _span(low, high):
    return f"{_number(low)} to {_number(high)}"


def _number(value):
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}"


def _table(title, head, rows):
    if not rows:
        return ""
    lines = [title, "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _environment():
    names = ("av", "numpy", "scipy", "soxr", "onnxruntime")
    return f"voxgate {__version__}, Python {platform.python_version()}; {', '.join(f'{name} {version(name)}' for name in names)}.\n"
