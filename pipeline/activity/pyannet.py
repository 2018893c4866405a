"""Voice activity by PyanNet (pyannote/segmentation): who speaks among up to three local voices, five seconds at a time.

A window of 80,000 samples gives 293 frames whose centres lie 495 + 270 n samples into it. Windows step by 293 x 270
samples, so that the frames of all windows form one even grid, and the stream is led by 360 zeros, which puts frame n's
centre on the middle of samples [270 n, 270 n + 270). At its ends a window lacks context. So where a pause is near the
border of two windows, the network looks again with the border in the middle of a window, and the mean of both counts;
in fluent speech, where nothing hangs on it, it does not. Kept: the samples of one batch of windows and a half, 23 s.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.dsp import runs
from pipeline.models import session
from pipeline.records import Activity, Floats
from pipeline.sincnet import FRAMES, LEAD, WINDOW, SincNet

HALF = FRAMES // 2
BATCH = 4
"""Windows at once; larger batches were no faster on one thread and would hold back more audio."""

GAP_FRAMES = 45
"""0.75 s: with a gap of this length around it, a border is looked at again. Shorter ones are no pause for anybody."""


class Engine:
    """Feeds the network in batches of windows; `voices` are comparable only inside one window of 293 frames."""

    name = "pyannet"

    def __init__(self) -> None:
        self._session = session("pyannet")
        self._front = SincNet(self._session.get_modelmeta().custom_metadata_map)
        self._held = np.zeros(LEAD, np.float32)
        self._held_from = 0  # the frame at which the held samples begin
        self._seen = np.empty((0, 4), np.float32)  # frames not handed out yet
        self._fed = self._windows = self._made = 0

    def feed(self, samples: Floats) -> Floats:
        """Probabilities (frames, 4) that someone speaks, and that each local voice does; the frames that became certain."""
        self._held = np.concatenate((self._held, samples))
        self._fed += len(samples)
        while self._end_of(self._windows + BATCH) <= len(self._held):
            self._look(BATCH)
        return self._certain(max(self._windows * FRAMES - HALF, 0))

    def finish(self) -> Floats:
        """The frames still owed, from the rest of the stream filled up with silence."""
        owed = -(-self._fed // Activity.HOP)
        windows = -(-owed // FRAMES)
        missing = self._end_of(windows) - len(self._held)
        self._held = np.concatenate((self._held, np.zeros(max(missing, 0), np.float32)))
        while self._windows < windows:
            self._look(min(windows - self._windows, BATCH))
        return self._certain(owed)

    def _end_of(self, windows: int) -> int:
        """How many samples must be held to see that many windows from the stream's start."""
        return ((windows - 1) * FRAMES - self._held_from) * Activity.HOP + WINDOW

    def _look(self, windows: int) -> None:
        first = self._windows
        voices = self._run([(first + i) * FRAMES for i in range(windows)])
        seen = np.concatenate((voices.max(axis=2, keepdims=True), voices), axis=2)
        self._seen = np.concatenate((self._seen, seen.reshape(-1, seen.shape[2])))
        self._windows += windows
        self._look_again([window * FRAMES - HALF for window in range(max(first, 1), self._windows)])
        done = self._windows * FRAMES - HALF - self._held_from
        self._held, self._held_from = self._held[done * Activity.HOP :], self._held_from + done

    def _look_again(self, firsts: Sequence[int]) -> None:
        """Windows from these frames on, where a gap shows; their mean with what was seen replaces it."""
        gaps = [first for first in firsts if _has_gap(self._seen[first - self._made :][:FRAMES, 0])]
        if gaps:
            for first, again in zip(gaps, self._run(gaps), strict=True):
                speech = self._seen[first - self._made :][:FRAMES, 0]
                speech += (again.max(axis=1) - speech) / 2

    def _run(self, firsts: Sequence[int]) -> Floats:
        """The voices (windows, 293, 3) of the windows that begin at these frames."""
        starts = [(first - self._held_from) * Activity.HOP for first in firsts]
        batch = np.stack([self._held[start : start + WINDOW] for start in starts])
        (voices,) = self._session.run(None, {"bands": self._front.bands(batch)})
        return np.asarray(voices, np.float32)

    def _certain(self, until: int) -> Floats:
        done = until - self._made
        made, self._seen, self._made = self._seen[:done], self._seen[done:], until
        return made


def _has_gap(speech: Floats) -> bool:
    return any(end - start >= GAP_FRAMES for start, end in runs(speech < 0.5))
