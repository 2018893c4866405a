"""Voice activity by WebRTC's detector: fast, good at speech against silence, poor at speech against noise, one voice.

Decisions come every 10 ms and are averaged over the frames of the common grid. Kept: less than two frames.
"""

import numpy as np
import webrtcvad

from pipeline.records import Activity, Floats

CHUNK = 160
AGGRESSIVENESS = 2
"""Of 0 to 3. 3 drops soft word ends, 0 and 1 call breath and room noise speech."""


class Engine:
    """Feeds the detector 10 ms at a time; what it returns has a single column."""

    name = "webrtcvad"

    def __init__(self) -> None:
        self._vad = webrtcvad.Vad(AGGRESSIVENESS)
        self._held = np.empty(0, np.float32)
        self._decisions = np.empty(0, np.float32)
        self._fed = self._made = self._decided_at = 0

    def feed(self, samples: Floats) -> Floats:
        """Share of each certain frame (frames, 1) that the detector calls speech."""
        self._held = np.concatenate((self._held, samples))
        self._fed += len(samples)
        self._decide(len(self._held) // CHUNK)
        return self._frames((self._decided_at + len(self._decisions)) * CHUNK // Activity.HOP)

    def finish(self) -> Floats:
        """The frames still owed, the last one filled up with silence."""
        owed = -(-self._fed // Activity.HOP)
        missing = max(owed * Activity.HOP - self._fed + CHUNK, 0)
        self._held = np.concatenate((self._held, np.zeros(missing, np.float32)))
        self._decide(len(self._held) // CHUNK)
        return self._frames(owed)

    def _decide(self, chunks: int) -> None:
        pcm = (np.clip(self._held[: chunks * CHUNK], -1, 1) * 32767).astype("<i2").tobytes()
        size = 2 * CHUNK
        said = [self._vad.is_speech(pcm[at : at + size], Activity.RATE_HZ, CHUNK) for at in range(0, len(pcm), size)]
        self._decisions = np.concatenate((self._decisions, np.array(said, np.float32)))
        self._held = self._held[chunks * CHUNK :]

    def _frames(self, until: int) -> Floats:
        """Mean decision over each frame's samples, from the running integral of the decisions."""
        edges = np.arange(self._made, until + 1) * Activity.HOP / CHUNK - self._decided_at
        integral = np.concatenate(([0.0], np.cumsum(self._decisions)))
        made = np.diff(np.interp(edges, np.arange(len(integral)), integral)) * (CHUNK / Activity.HOP)
        done = int(edges[-1])
        self._decisions, self._decided_at, self._made = self._decisions[done:], self._decided_at + done, until
        return made.astype(np.float32)[:, None]
