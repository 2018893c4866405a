"""What the flags must reach, and whether they do."""

from dataclasses import dataclass

import numpy as np
import score
from cases import SURELY_ODD, TOLD_OF
from recordings import PARTS
from scipy import stats

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


def share_of_flagged(code, group):
    """Of the cases whose group holds that word and that should not have the code, those that have it."""

    def of(results):
        flagging = _pooled([result for result in results if group in result.case.group], code)
        quiet = flagging.false + flagging.quiet
        return flagging.false / quiet if quiet else None

    return of


def cost(code, kind):
    """By how much fewer cases of a kind are found under the worst condition than as plain ones; groups are "kind, condition, …"."""

    def of(results):
        groups = [result.case.group.split(", ") for result in results if result.case.group.startswith(f"{kind}, ")]
        found = {second: recall(code, f"{kind}, {second}")(results) for second in {group[1] for group in groups}}
        return found["plain"] - min(found.values()) if "plain" in found else None

    return of


def median_edge(code):
    def of(results):
        edges_s = [edge for (own, _), event in score.events(results).items() if own == code for edge in event.edges_s]
        return float(np.median(np.abs(edges_s))) if edges_s else None

    return of


def false_an_hour(code, group, sure=None):
    """Stretches of a code an hour in the cases of a group, which should have none; with `sure`, the upper bound of that rate."""

    def of(results):
        chosen = [result for result in results if group in result.case.group]
        hours = sum(result.clip["decoded_s"] for result in chosen) / 3600
        events = sum(len(result.spans(code)) for result in chosen)
        if not hours:
            return None
        return (events if sure is None else float(stats.chi2.ppf(sure, 2 * events + 2)) / 2) / hours

    return of


ONE_READER = ("SECOND_SPEAKER", "one reader, as recorded")
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
    Goal("another reader's 2 to 5 s: SECOND_SPEAKER", 0.98, recall("SECOND_SPEAKER", "insert, plain"), at_least=True),
    Goal("another reader's 2 to 5 s: SECOND_SPEAKER or UNSURE", 0.98, recall(TOLD_OF, "insert, plain"), at_least=True),
    Goal("their edges, median, s", 0.5, median_edge("SECOND_SPEAKER"), at_least=False),
    Goal("codecs, telephone, noise: points lost", 0.03, cost("SECOND_SPEAKER", "insert"), at_least=False),
    Goal("one reader: false stretches an hour", 0.2, false_an_hour(*ONE_READER), at_least=False),
    Goal("one reader: the same, upper bound at 95 %", 0.2, false_an_hour(*ONE_READER, 0.95), at_least=False),
    Goal("conversations: SECOND_SPEAKER", 0.95, recall("SECOND_SPEAKER", "conversation"), at_least=True),
    Goal("one reader, joined rooms: SECOND_SPEAKER", 0.05, share_of_flagged("SECOND_SPEAKER", "rooms"), at_least=False),
    Goal("one reader, joined rooms: OVERLAP", 0.05, share_of_flagged("OVERLAP", "rooms"), at_least=False),
    Goal("two voices at once: OVERLAP", 0.8, recall("OVERLAP", "overlap"), at_least=True),
    Goal("another's file: ODD_SPEAKER", 0.99, recall("ODD_SPEAKER", "another's file"), at_least=True),
    Goal("ODD_SPEAKER: false alarms, the reader's own files", 0, false_alarms("ODD_SPEAKER"), at_least=False),
    Goal(
        "a stranger's file beside takes recorded otherwise: ODD_SPEAKER",
        0.99,
        recall("ODD_SPEAKER", "a stranger"),
        at_least=True,
    ),
    Goal(
        "ODD_SPEAKER, an error: false alarms, own takes recorded otherwise", 0, false_alarms(SURELY_ODD), at_least=False
    ),
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
