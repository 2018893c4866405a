"""Fit what tells another person from another room, on the tuning cases of the suite `speakers`, and say how often it errs: make odds

Printed are the weights for `ODDS` in `pipeline/confirmation.py`, of which a clip's stretches are judged with CAM++, and in
`pipeline/turns.py`, of which clips are compared without it; those that stand there now; and for all how many stretches of other readers
and of the same reader lie on the wrong side of a half. Nothing is written.
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
from pipeline.cast import MIN_FRAMES, PLAIN, own_speech
from pipeline.confirmation import OWN_FRAMES, Confirmation
from pipeline.meters.partials import PartialsMeter
from pipeline.models import session
from pipeline.stages import decode, derive
from pipeline.telephone import by_telephone
from pipeline.turns import foreign, main_of, tells

NOISE = ("insert, noise", "one reader, noise", "overlap")
"""Which cases are not learned from: noise makes voices of nobody, and of two at once there is no telling."""


STRENGTH = 100.0
"""The weights are held back by that much, or those of what hardly ever errs here would grow without end."""

STANDS_OUT = 0.86
"""More stretches than are judged, so that there are enough of the same reader, too."""


def main():
    with tempfile.TemporaryDirectory() as room:
        cases = list(built(Path(room)))
        with concurrent.futures.ProcessPoolExecutor() as pool:
            found = [row for rows in pool.map(stretches, *zip(*cases, strict=True), chunksize=4) for row in rows]
    judged = [row for row in found if row[-1]]
    for name, column, rows, in_use in (("with", 0, found, confirmation.ODDS), ("without", 1, judged, turns.ODDS)):
        numbers, other = (np.array([row[at] for row in rows]) for at in (column, 2))
        print(f"{name} CAM++: {other.sum()} stretches of other readers, {(~other).sum()} of the same one")
        fitted = LogisticRegression(C=STRENGTH, class_weight="balanced", fit_intercept=False, max_iter=10_000)
        for kind, weights in (("fitted", fitted.fit(numbers, other).coef_[0]), ("in use", np.array(in_use))):
            likely = 1 / (1 + np.exp(-numbers @ weights))
            print(f"  {kind}  {np.round(weights, 2)}: {told(likely[other], likely[~other])}")


def told(others, same):
    """How a fit divides them, in words."""
    sure = np.mean(others >= 0.7), np.mean(same >= 0.7)
    wrong = np.mean(others < 0.5), np.mean(same >= 0.5)
    return (
        f"on the wrong side {wrong[0]:.1%} of the others, {wrong[1]:.1%} of the same; "
        f"over 70 % sure of {sure[0]:.1%} and {sure[1]:.1%}"
    )


def built(room):
    """The suite's cases with what is known of them: the file, whether another reader is in it, and where."""
    folders = {}

    def dataset(label):
        return folders.setdefault(label, Folder(room / label.replace(" ", "-")))

    suite.build(dataset, "tuning", np.random.default_rng(zlib.crc32(b"speakers tuning")))
    for folder in folders.values():
        for case in folder.cases:
            if not case.group.startswith(NOISE):
                yield folder.path / case.id, not case.group.startswith("one reader"), case.spans.get("SECOND_SPEAKER")


def stretches(path, other, spans):
    """Of each stretch of a file that is unlike the rest of it: both kinds of numbers, whether it is another reader's, whether it is
    so unlike that it is judged.
    """
    meter = PartialsMeter(session("ge2e"))
    with decode.Stream(str(path)) as stream:
        for block in derive.derive(stream.info, stream.blocks(), derive.activity_engine("pyannet")):
            meter.feed(block)
    partials = meter.read()
    main_sound = main_of(partials)
    found = [s for s in foreign(partials, main_sound.voice, STANDS_OUT) if s.end - s.start >= MIN_FRAMES]
    telephone = by_telephone(partials.kept.own((), OWN_FRAMES))
    if not found:
        return []
    far = [stretch for stretch in found if PLAIN.passes(stretch, main_sound)]
    own = own_speech(partials, main_sound, far)
    asked = Confirmation(session("campplus"), partials.kept, own, telephone=telephone)
    rows = []
    for stretch in found:
        ends_s = partials.spoken[[stretch.start, stretch.end - 1]] / 100
        foreign_s = max((min(ends_s[1], end) - max(ends_s[0], start) for start, end in spans or ()), default=0.0)
        if spans and 0 < foreign_s < 0.6 * (ends_s[1] - ends_s[0]):
            continue  # half of it is one reader's, half another's
        if other and spans is None and not PLAIN.passes(stretch, main_sound):
            continue  # who speaks in it was not written down
        numbers = asked.tells([(stretch.start, stretch.end)], float(stretch.sound.voice @ main_sound.voice))
        if numbers is not None:
            is_other = other and (spans is None or foreign_s > 0)
            rows.append((numbers, tells(main_sound, stretch.sound), is_other, PLAIN.passes(stretch, main_sound)))
    return rows


if __name__ == "__main__":
    sys.exit(main())
