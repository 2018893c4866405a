"""Fit what tells another person from another room, on the tuning cases of the suite `speakers`, and say how often it errs: make odds

Printed are the weights for `ODDS` in `pipeline/confirmation.py`, of which a clip's stretches are judged with CAM++, and in
`pipeline/turns.py`, of which they and clips are judged without it, and for `SECOND_ODDS` there, of which clips are compared with it;
those that stand there now; and for all how many stretches or clips of other readers and of the same reader lie on the wrong side of a
half, and how many clips that came by telephone, held against others that did not or the reverse, reach `ACROSS_SURE`. Nothing is
written.
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import concurrent.futures
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
import speakers as suite
from cases import Folder
from sklearn.linear_model import LogisticRegression

from pipeline import confirmation, turns
from pipeline.cast import MIN_FRAMES, PLAIN, PRINT_FRAMES, TELEPHONE, cast, heard_apart, own_speech, suspects
from pipeline.confirmation import OTHER_FRAMES, Confirmation
from pipeline.corpus.main_voice import ACROSS_SURE
from pipeline.meters.partials import PartialsMeter
from pipeline.models import session
from pipeline.records import Block, StreamInfo
from pipeline.stages import decode, derive
from pipeline.telephone import by_telephone
from pipeline.turns import foreign, main_of, tells

NOISE = ("insert, noise", "one reader, noise", "overlap")
"""Which cases are not learned from: noise makes voices of nobody, and of two at once there is no telling."""


STRENGTH, CLIPS_STRENGTH = 100.0, 10.0
"""The less, the more the weights are held back; those of what hardly ever errs here would grow without end."""

PART = "tuning"

SURE = 0.7
"""Told of, too: how many are as sure as that."""

ONE_BY_TELEPHONE = 3
"""Which of the numbers of `pipeline.turns.second_tells` says so."""

STANDS_OUT = 0.86
"""More stretches than are judged, so that there are enough of the same reader, too."""


def main():
    with tempfile.TemporaryDirectory() as room:
        cases = list(built(Path(room)))
        with concurrent.futures.ProcessPoolExecutor() as pool:
            found = [row for rows in pool.map(stretches, *zip(*cases, strict=True), chunksize=4) for row in rows]
    judged = [row for row in found if row[-1]]
    show("stretches, with CAM++", [(row[0], row[2]) for row in found], confirmation.ODDS, STRENGTH)
    show("stretches, without CAM++", [(row[1], row[2]) for row in judged], turns.ODDS, STRENGTH)
    compared = list(clips())
    show("clips, with CAM++", compared, turns.SECOND_ODDS, CLIPS_STRENGTH)
    across = [row for row in compared if row[0][ONE_BY_TELEPHONE]]
    print(
        f"  in use, where only one of both came by telephone: {told(*likely(across, turns.SECOND_ODDS), ACROSS_SURE)}"
    )


def show(what, rows, in_use, strength):
    """Of rows (numbers, whether it is another reader's) the fit, and the weights in use."""
    numbers, other = (np.array(column) for column in zip(*rows, strict=True))
    print(f"{what}: {other.sum()} of other readers, {(~other).sum()} of the same one")
    fitted = LogisticRegression(C=strength, class_weight="balanced", fit_intercept=False, max_iter=10_000)
    for kind, weights in (("fitted", fitted.fit(numbers, other).coef_[0]), ("in use", np.array(in_use))):
        print(f"  {kind}  {np.round(weights, 2)}: {told(*likely(rows, weights), SURE)}")


def likely(rows, weights):
    """How likely the rows of other readers, and those of the same one, are another's."""
    numbers, other = (np.array(column) for column in zip(*rows, strict=True))
    found = 1 / (1 + np.exp(-numbers @ np.array(weights)))
    return found[other], found[~other]


def told(others, same, high):
    """How a fit divides them, in words."""
    sure = np.mean(others >= high), np.mean(same >= high)
    wrong = np.mean(others < 0.5), np.mean(same >= 0.5)
    return (
        f"on the wrong side {wrong[0]:.1%} of the others, {wrong[1]:.1%} of the same; "
        f"over {high:.0%} sure of {sure[0]:.1%} and {sure[1]:.1%}"
    )


def built(room):
    """The suite's cases with what is known of them: the file, whether another reader is in it, and where."""
    folders = {}

    def dataset(label):
        return folders.setdefault(label, Folder(room / label.replace(" ", "-")))

    suite.build(dataset, PART, np.random.default_rng(zlib.crc32(f"speakers {PART}".encode())))
    for folder in folders.values():
        for case in folder.cases:
            if "SECOND_SPEAKER" in case.flags and not case.group.startswith(NOISE):
                yield folder.path / case.id, case.flags["SECOND_SPEAKER"], case.spans.get("SECOND_SPEAKER")


def stretches(path, other, spans):
    """Of each stretch of a file that is unlike the rest of it, and each turn that PyanNet alone hears: both kinds of numbers, whether
    it is another reader's, whether it is so unlike that it is judged without CAM++, too.
    """
    meter = PartialsMeter(session("ge2e"))
    with decode.Stream(str(path)) as stream:
        for block in derive.derive(stream.info, stream.blocks(), derive.activity_engine("pyannet")):
            meter.feed(block)
    partials = meter.read()
    main_sound = main_of(partials)
    telephone = by_telephone(partials.kept.own((), PRINT_FRAMES))
    found = [s for s in foreign(partials, main_sound.voice, STANDS_OUT) if s.end - s.start >= MIN_FRAMES]
    gate = TELEPHONE if telephone else PLAIN
    suspected = suspects(partials, main_sound, gate)
    found += heard_apart(partials, main_sound, suspected, gate)
    own = own_speech(partials, main_sound, suspected)
    asked = Confirmation(session("campplus"), own, telephone=telephone)
    rows = []
    for stretch in found:
        ends_s = partials.spoken[[stretch.start, stretch.end - 1]] / 100
        foreign_s = max((min(ends_s[1], end) - max(ends_s[0], start) for start, end in spans or ()), default=0.0)
        if spans and 0 < foreign_s < 0.6 * (ends_s[1] - ends_s[0]):
            continue  # half of it is one reader's, half another's
        if other and spans is None and not PLAIN.passes(stretch, main_sound):
            continue  # who speaks in it was not written down
        heard = asked.heard(partials.kept.unlike([(stretch.start, stretch.end)], OTHER_FRAMES))
        numbers = asked.tells(heard, float(stretch.sound.voice @ main_sound.voice))
        if numbers is not None:
            is_other = other and (spans is None or foreign_s > 0)
            rows.append((numbers, tells(main_sound, stretch.sound), is_other, PLAIN.passes(stretch, main_sound)))
    return rows


def clips():
    """What tells a clip from a reader's others, recorded in all ways, and whether it is another reader's.

    The reader's others are all as recorded, or all in one room, or all by telephone.
    """
    readers = suite.Cast(PART)
    utterances = [u for found in readers.hosts.values() for u in found] + readers.others
    with concurrent.futures.ProcessPoolExecutor() as pool:
        heard = [each for found in pool.map(sounds, utterances, range(len(utterances)), chunksize=2) for each in found]
    for usual in ("as recorded", *suite.ways(PART)):
        for reader in readers.hosts:
            own = [each for each in heard if each[0] == reader and each[2] == usual]
            for who, name, _, sound in heard:
                others = [each[3] for each in own if each[1] != name]
                numbers = turns.second_tells(turns.together(others, np.ones(len(others))), sound)
                if numbers is not None:
                    yield numbers, who != reader


def sounds(utterance, seed):
    """An utterance's reader, its name, a way in which it was recorded, and how its voice sounds then, for each way."""
    random, found = np.random.default_rng(seed), []
    for way, otherwise in {"as recorded": None, **suite.ways(PART)}.items():
        samples = suite.spoken(utterance)
        made, rate_hz = (samples, suite.RATE_HZ) if otherwise is None else otherwise(samples, PART, random)
        blocks = [Block(np.float32(made[at : at + rate_hz, None]), at, rate_hz) for at in range(0, len(made), rate_hz)]
        meter = PartialsMeter(session("ge2e"))
        for block in derive.derive(
            StreamInfo("wav", "pcm_s16le", rate_hz, 1), blocks, derive.activity_engine("pyannet")
        ):
            meter.feed(block)
        partials = meter.read()
        if len(partials.at):
            found.append((utterance.reader, utterance.name, way, cast(partials, session("campplus"))[0].sound))
    return found


if __name__ == "__main__":
    sys.exit(main())
