"""Voice activity by PyanNet (pyannote/segmentation): who speaks among up to three local voices, five seconds at a time.

A window of 80,000 samples gives 293 frames whose centres lie 495 + 270 n samples into it. Windows step by 293 x 270
samples, so that the frames of all windows form one even grid, and the stream is led by 360 zeros, which puts frame n's
centre on the middle of samples [270 n, 270 n + 270). Kept: the samples of one batch of windows, 20 s.
"""

import numpy as np

from pipeline.models import session
from pipeline.records import Activity, Floats

WINDOW = 80_000
FRAMES = 293
STEP = FRAMES * Activity.HOP
LEAD = 360
BATCH = 4
"""Windows at once; larger batches were no faster on one thread and would hold back more audio."""


class Engine:
    """Feeds the network in batches of windows; `voices` are comparable only inside one window of 293 frames."""

    name = "pyannet"

    def __init__(self) -> None:
        self._session = session("pyannet")
        self._input = self._session.get_inputs()[0].name
        self._held = np.zeros(LEAD, np.float32)
        self._fed = self._made = 0

    def feed(self, samples: Floats) -> Floats:
        """Probabilities (frames, 3) of the local voices, for the frames that became certain."""
        self._held = np.concatenate((self._held, samples))
        self._fed += len(samples)
        made = [np.empty((0, 3), np.float32)]
        while len(self._held) >= STEP * (BATCH - 1) + WINDOW:
            made.append(self._run(BATCH))
        return self._counted(np.concatenate(made))

    def finish(self) -> Floats:
        """The frames still owed, from the rest of the stream filled up with silence."""
        owed = -(-self._fed // Activity.HOP) - self._made
        windows = -(-owed // FRAMES)
        made = [np.empty((0, 3), np.float32)]
        missing = max(windows - 1, 0) * STEP + WINDOW - len(self._held)
        self._held = np.concatenate((self._held, np.zeros(max(missing, 0), np.float32)))
        while windows > 0:
            made.append(self._run(min(windows, BATCH)))
            windows -= BATCH
        return self._counted(np.concatenate(made)[:owed])

    def _run(self, windows: int) -> Floats:
        batch = np.stack([self._held[i * STEP : i * STEP + WINDOW] for i in range(windows)])
        (voices,) = self._session.run(None, {self._input: batch[:, None, :]})
        self._held = self._held[windows * STEP :]
        return np.asarray(voices, np.float32).reshape(-1, voices.shape[-1])

    def _counted(self, voices: Floats) -> Floats:
        self._made += len(voices)
        return voices
