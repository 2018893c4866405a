"""Fingerprint: what a clip is known by in another codec, at another level, or inside another file; judged by the dataset."""

from dataclasses import dataclass

from pipeline.catalogue import Limits, Subject
from pipeline.meters.fingerprint import SpectralPeaks
from pipeline.prints import written
from pipeline.readings import Fingerprint
from pipeline.records import Block, StreamInfo


@dataclass(frozen=True, slots=True)
class FingerprintLimits(Limits):
    """Nothing to set: `near_duplicates` says how much of a clip may be in another."""


class FingerprintMeter:
    """Keeps 12 s of spectra, and 5 bytes for each of about 18 peaks a second."""

    def __init__(self, _info: StreamInfo) -> None:
        self._peaks = SpectralPeaks()

    def feed(self, block: Block) -> None:
        """Take in a block."""
        if block.spectra is not None:
            self._peaks.feed(block.spectra)

    def read(self) -> Fingerprint:
        """The peaks of everything fed so far."""
        frames, steps = self._peaks.read()
        if not len(frames):
            return Fingerprint(why="nothing in it stands out")
        return Fingerprint(written(frames, steps))


SUBJECT = Subject("fingerprint", FingerprintLimits, Fingerprint, FingerprintMeter, needs=("spectra",))
