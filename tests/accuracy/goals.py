"""What the flags must reach, and whether they do."""

from dataclasses import dataclass

import numpy as np
import score
from recordings import PARTS

CLEAN_SUITE = "clean"


@dataclass(frozen=True)
class Goal:
    """A sentence, the least or most that a value may be, and how the value is had from the results of one part."""

    says: str
    bound: float
    value: object
    at_least: bool

    def met(self, results):
        """The value and whether it is good enough; `None` for a value that no case tells."""
        found = self.value(results)
        if found is None:
            return None, False
        return found, found >= self.bound if self.at_least else found <= self.bound


def recall(code, group=""):
    """Of the cases whose group holds that word."""

    def of(results):
        flagging = _pooled([result for result in results if group in result.case.group], code)
        should = flagging.hits + flagging.missed
        return flagging.hits / should if should else None

    return of


def precision(code):
    def of(results):
        flagging = _pooled(results, code)
        fired = flagging.hits + flagging.false
        return flagging.hits / fired if fired else None

    return of


def false_alarms(code):
    return lambda results: float(_pooled(results, code).false)


def right(code):
    def of(results):
        flagging = _pooled(results, code)
        cases = flagging.hits + flagging.missed + flagging.false + flagging.quiet
        return (flagging.hits + flagging.quiet) / cases if cases else None

    return of


def median_error(path):
    return lambda results: _over(results, path, lambda _true, error: np.median(np.abs(error)))


def bias(path):
    return lambda results: _over(results, path, lambda _true, error: abs(np.mean(error)))


def within(path, ratio, absolute):
    """The share of values that lie within a ratio of the truth or an absolute distance, whichever is more."""
    return lambda results: _over(
        results, path, lambda true, error: np.mean(np.abs(error) <= np.maximum(ratio * true, absolute))
    )


def worst_on_clean(results):
    """The share of clean clips on which the code fires that fires most often."""
    clean = [result for result in results if "one utterance" in result.case.group or "joined" in result.case.group]
    shares = [
        (flagging.false / (flagging.false + flagging.quiet))
        for code in sorted({code for result in clean for code in result.case.flags})
        for flagging in [_pooled(clean, code)]
        if flagging.false + flagging.quiet
    ]
    return max(shares, default=None)


def _pooled(results, code):
    whole = score.Flagging()
    for result in results:
        should = result.case.flags.get(code)
        if should is not None:
            whole.add(should, result.has(code), result.case.id)
    return whole


def _over(results, path, statistic):
    whole = score.Errors()
    for result in results:
        if path in result.case.numbers:
            whole.add(result.case.numbers[path], result.measured(path))
    return float(statistic(np.array(whole.true), whole.errors)) if whole.true else None


SNR, T60, BAND = "noise.snr_db", "room.t60_s", "spectrum.bandwidth_hz"
GOALS = (
    Goal("SNR: median absolute error, dB", 2.0, median_error(SNR), at_least=False),
    Goal("SNR: bias, dB", 1.0, bias(SNR), at_least=False),
    Goal("NOISY: share of clips judged right", 0.97, right("NOISY"), at_least=True),
    Goal("CLIPPED: recall, lossless files", 0.99, recall("CLIPPED", "lossless"), at_least=True),
    Goal("CLIPPED: false alarms", 0, false_alarms("CLIPPED"), at_least=False),
    Goal("T60: share within 25 % or 0.1 s", 0.9, within(T60, 0.25, 0.1), at_least=True),
    Goal("bandwidth: share within 500 Hz", 0.95, within(BAND, 0.0, 500.0), at_least=True),
    Goal("HUM: precision", 0.95, precision("HUM"), at_least=True),
    Goal("HUM: recall", 0.95, recall("HUM"), at_least=True),
    Goal("DROPOUT: precision", 0.95, precision("DROPOUT"), at_least=True),
    Goal("DROPOUT: recall", 0.95, recall("DROPOUT"), at_least=True),
    Goal("MUSIC: recall", 0.90, recall("MUSIC"), at_least=True),
    Goal("MUSIC: false alarms", 0, false_alarms("MUSIC"), at_least=False),
    Goal("NEAR_DUPLICATE: recall", 1.0, recall("NEAR_DUPLICATE"), at_least=True),
    Goal("NEAR_DUPLICATE: false alarms", 0, false_alarms("NEAR_DUPLICATE"), at_least=False),
    Goal("clean speech: share of clips with the most frequent finding", 0.02, worst_on_clean, at_least=False),
)


def rows(results):
    """A row a goal: what it says, its bound, its value and whether that is met, in each part."""
    made = []
    for goal in GOALS:
        cells = []
        for part in PARTS:
            value, met = goal.met([result for result in results if result.case.part == part])
            cells.append("not measured" if value is None else f"{value:.3g}{'' if met else ' (not met)'}")
        made.append((goal.says, f"{'at least' if goal.at_least else 'at most'} {goal.bound:g}", *cells))
    return made


def unmet(results):
    """The sentences of the goals that are missed in either part."""
    return [row[0] for row in rows(results) if any("not" in cell for cell in row[2:])]
