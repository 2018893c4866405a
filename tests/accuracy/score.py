"""From results to numbers: how often a code is right, how far a reading is off, and how sure that is."""

from collections import defaultdict
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

SURE = 0.95


@dataclass
class Flagging:
    """How often a code fired where it should (`hits`), where it should not, and where it was missing."""

    hits: int = 0
    missed: int = 0
    false: int = 0
    quiet: int = 0
    wrong: list = field(default_factory=list)

    def add(self, should, fired, name):
        if should:
            self.hits, self.missed = self.hits + fired, self.missed + (not fired)
        else:
            self.false, self.quiet = self.false + fired, self.quiet + (not fired)
        if should != fired:
            self.wrong.append(("missed " if should else "false ") + name)


@dataclass
class Errors:
    """What was measured against the truth, pair by pair, and how often nothing was measured."""

    true: list = field(default_factory=list)
    measured: list = field(default_factory=list)
    unmeasured: int = 0

    def add(self, true, measured):
        if measured is None:
            self.unmeasured += 1
        else:
            self.true.append(true)
            self.measured.append(measured)

    @property
    def errors(self):
        return np.array(self.measured) - np.array(self.true)


@dataclass
class Events:
    """True stretches, how many of them a finding lists, how far off the edges of those are, and listed ones without a true one."""

    true: int = 0
    found: int = 0
    false: int = 0
    edges_s: list = field(default_factory=list)

    def add(self, true, listed):
        matched = set()
        for start_s, end_s in true:
            best = max(listed, key=lambda span: min(span[1], end_s) - max(span[0], start_s), default=None)
            if best is not None and min(best[1], end_s) > max(best[0], start_s):
                self.found += 1
                self.edges_s += [best[0] - start_s, best[1] - end_s]
                matched.add(best)
        self.true += len(true)
        self.false += len(set(listed) - matched)


def events(results):
    """By code and part: the stretches of all cases that say which there are."""
    made = defaultdict(Events)
    for result in results:
        for code, true in result.case.spans.items():
            made[code, result.case.part].add(true, result.spans(code))
    return made


def interval(successes, trials):
    """The interval that holds a share with 95 % confidence (Clopper and Pearson 1934); `None` without trials."""
    if not trials:
        return None
    tail = (1 - SURE) / 2
    low = stats.beta.ppf(tail, successes, trials - successes + 1) if successes else 0.0
    high = stats.beta.ppf(1 - tail, successes + 1, trials - successes) if successes < trials else 1.0
    return float(low), float(high)


def flaggings(results):
    """By code, part and group: how its flags did. Cases in the grey zone, whose flag is `None`, are left out."""
    made = defaultdict(Flagging)
    for result in results:
        for code, should in result.case.flags.items():
            if should is not None:
                made[code, result.case.part, result.case.group].add(should, result.has(code), result.case.id)
    return made


def errors(results):
    """By reading, part and group: how far it was off."""
    made = defaultdict(Errors)
    for result in results:
        for path, true in result.case.numbers.items():
            made[path, result.case.part, result.case.group].add(true, result.measured(path))
    return made


def pooled(by_group, name, part):
    """The sum over all groups of one code or reading in one part."""
    parts = [value for (key, own_part, _), value in by_group.items() if (key, own_part) == (name, part)]
    whole = type(next(iter(by_group.values())))()
    for one in parts:
        for attribute, value in vars(one).items():
            setattr(whole, attribute, getattr(whole, attribute) + value)
    return whole


def share(successes, trials):
    """A share with its interval, as a table's cell: "98.2 % (94-100)"."""
    found = interval(successes, trials)
    if found is None:
        return "–"
    return f"{_percent(successes / trials)} % ({_percent(found[0])}–{_percent(found[1])})"


def _percent(ratio):
    return "100" if ratio == 1 else f"{100 * ratio:.1f}".rstrip("0").rstrip(".")


def flag_cells(flagging):
    """Precision, recall, false-alarm rate and the numbers behind them."""
    fired, should = flagging.hits + flagging.false, flagging.hits + flagging.missed
    should_not = flagging.false + flagging.quiet
    return (
        share(flagging.hits, fired),
        share(flagging.hits, should),
        share(flagging.false, should_not),
        f"{should} / {should_not}",
    )
