"""Room: how long it rings after the voice, from the decays of the voice itself."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.catalogue import Limits, Subject, limit
from pipeline.dsp import FLOOR_DBFS
from pipeline.meters.decay import starts, t60_s
from pipeline.readings import Room
from pipeline.records import Activity, Block, Evidence, Floats, Severity, StreamInfo
from pipeline.spectra import BIN_HZ

OCTAVES_HZ = (500.0, 1_000.0, 2_000.0)
"""Middles of the octaves: under them a voice has too little, over them rooms are quicker than their T60 says."""

EDGES = tuple(round(OCTAVES_HZ[0] * 2 ** (i - 0.5) / BIN_HZ) for i in range(len(OCTAVES_HZ) + 1))

PIECE_FRAMES = round(20 / Activity.FRAME_S)
"""A room is heard in 20 s of speech; a longer clip is measured in pieces, and its T60 is their median, so that a file of
many takes is not judged by its driest."""


@dataclass(frozen=True, slots=True)
class RoomLimits(Limits):
    """How long a room may ring."""

    max_t60_s: float | None = limit(
        0.6,
        "no reverb is wanted; furnished living rooms ring for 0.4 to 0.5 s, treated ones for less, bare ones for more",
        "Fish Audio's guide to recording for a voice clone",
    )


class RoomMeter:
    """Keeps three octave levels a frame of 17 ms for up to 40 s, and one reverberation time per 20 s."""

    def __init__(self, _info: StreamInfo) -> None:
        self._levels = np.empty((0, len(OCTAVES_HZ)), np.float32)
        self._t60s: list[float] = []
        self._frames = 0
        self._heard = False

    def feed(self, block: Block) -> None:
        """Take in a block with its spectra."""
        if block.spectra is None or not len(block.spectra):
            return
        self._frames += len(block.spectra)
        self._levels = np.concatenate((self._levels, _octave_levels_db(block.spectra)))
        while len(self._levels) >= 2 * PIECE_FRAMES:
            piece, self._levels = self._levels[:PIECE_FRAMES], self._levels[PIECE_FRAMES:]
            self._heard = self._heard or _heard(piece)
            self._t60s += _measured(piece)

    def read(self) -> Room:
        """The reverberation time of everything fed so far; what came after the last whole piece is a piece of 20 to 40 s."""
        t60s = self._t60s + _measured(self._levels)
        if t60s:
            return Room(float(np.median(t60s)))
        if not self._frames:
            return Room(why="no spectra")
        if not (self._heard or _heard(self._levels)):
            return Room(why="too few decays: nothing stands 22 dB over the noise for a second")
        return Room(why="no decay of 20 dB within a second: it is no speech, or the room is a hall")


def _octave_levels_db(spectra: Floats) -> Floats:
    """The level of each octave, (frames, 3), in spectra (frames, 257)."""
    power = np.add.reduceat(spectra[:, : EDGES[-1]], EDGES[:-1], axis=1)
    level: Floats = 10 * np.log10(np.maximum(power, np.float32(10 ** (FLOOR_DBFS / 10))))
    return level


def _measured(levels_db: Floats) -> list[float]:
    """The reverberation time of a piece, or nothing."""
    found = t60_s(levels_db)
    return [] if found is None else [found]


def _heard(levels_db: Floats) -> bool:
    """Whether a piece has enough that stands far enough over its noise."""
    return any(bool(starts(level).any()) for level in levels_db.T)


SUBJECT = Subject("room", RoomLimits, Room, RoomMeter, needs=("spectra",))


@SUBJECT.check(
    "REVERBERANT",
    Severity.WARNING,
    says="rings for {value:.2g} s after the voice (T60); under {limit:g} s is wanted",
    hint="Record it again a hand's width from the microphone, in a small furnished room, with blankets hung on two sides or "
    "before an open wardrobe: under {limit:g} s, better 0.3 s. Reverberation cannot be removed well afterwards.",
    means="The room answers the voice: T60 is how long a sound takes to fall by 60 dB, 0.2 s in a booth, 0.5 s in a "
    "living room, over 1 s in a stairwell. The clone learns the room as part of the voice and sounds far away.",
)
def reverberant(room: Room, limits: RoomLimits) -> Iterator[Evidence]:
    """Fires when the room rings for the limit or longer.

    What could not be measured passes in silence: reverberation is no question of the gate, and a clip too noisy or too short
    for it has a finding about that.
    """
    t60_s, most = room.t60_s, limits.max_t60_s
    if t60_s is not None and most is not None and t60_s >= most:
        yield Evidence(t60_s, most)
