"""Fit what tells another person from another room, on the tuning cases of the suite `speakers`, and say how often it errs: make odds

Printed are the weights for `ODDS` in `pipeline/turns.py`, those that stand there now, and for both how many stretches of other
readers and of the same reader in another room lie on the wrong side of a half. Nothing is written.
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

from pipeline.checks.speakers import MIN_FRAMES, UNLIKE, WHOLE_UNLIKE
from pipeline.meters.partials import PartialsMeter
from pipeline.models import session
from pipeline.stages import decode, derive
from pipeline.turns import ODDS, foreign, main_of, tells

GROUPS = ("insert, plain", "insert, MP3", "insert, telephone", "insert, -45", "conversation", "one reader, rooms")
"""Which cases are learned from: noise is left out, for it makes voices of nobody."""


def main():
    with tempfile.TemporaryDirectory() as room:
        cases = list(built(Path(room)))
        with concurrent.futures.ProcessPoolExecutor() as pool:
            found = [row for rows in pool.map(stretches, *zip(*cases, strict=True), chunksize=4) for row in rows]
    numbers, other = np.array([row[0] for row in found]), np.array([row[1] for row in found])
    fitted = LogisticRegression(C=1e6, class_weight="balanced", fit_intercept=False, max_iter=10_000).fit(
        numbers, other
    )
    print(f"{other.sum()} stretches of other readers, {(~other).sum()} of one reader in another room")
    for name, weights in (("fitted", fitted.coef_[0]), ("in use", np.array(ODDS))):
        likely = 1 / (1 + np.exp(-numbers @ weights))
        print(f"{name}  {np.round(weights, 2)}: {told(likely[other], likely[~other])}")


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
            if case.group.startswith(GROUPS):
                yield folder.path / case.id, not case.group.startswith("one reader"), case.spans.get("SECOND_SPEAKER")


def stretches(path, other, spans):
    """The numbers of each stretch of a file that is unlike the rest of it, and whether it is another reader's."""
    meter = PartialsMeter(session("ge2e"))
    with decode.Stream(str(path)) as stream:
        for block in derive.derive(stream.info, stream.blocks(), derive.activity_engine("pyannet")):
            meter.feed(block)
    partials = meter.read()
    main_sound = main_of(partials)
    rows = []
    for stretch in foreign(partials, main_sound.voice):
        long_enough = stretch.end - stretch.start >= MIN_FRAMES
        if long_enough and stretch.lowest < UNLIKE and stretch.sound.voice @ main_sound.voice < WHOLE_UNLIKE:
            ends_s = partials.spoken[[stretch.start, stretch.end - 1]] / 100
            if spans is None or any(ends_s[0] < end and ends_s[1] > start for start, end in spans):
                rows.append((tells(main_sound, stretch.sound), other))
    return rows


if __name__ == "__main__":
    sys.exit(main())
