"""Spectrum: up to what frequency there is sound, and the colour of the voice."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.catalogue import Limits, Subject, limit
from pipeline.meters.bandwidth import BandwidthMeter, third_octaves
from pipeline.readings import Container, Spectrum
from pipeline.records import Activity, Block, Evidence, Severity, StreamInfo
from pipeline.spectra import BINS

MIN_SPEECH_S = 1.0


@dataclass(frozen=True, slots=True)
class SpectrumLimits(Limits):
    """How wide a recording's band must be."""

    min_full_bandwidth_hz: float | None = limit(
        11_000.0,
        "sibilants reach beyond 10 kHz; a clone never sounds wider than its recordings",
        "Hi-Fi TTS kept 13 kHz",
    )
    min_nyquist_ratio: float | None = limit(
        0.9, "of half the sample rate, where that is less: a file at 16 or 22.05 kHz cannot hold more"
    )
    min_bandwidth_hz: float | None = limit(6_000.0, "less is telephone quality, which has no sibilants at all")


class SpectrumMeter:
    """Keeps 230 kB of band levels at 48 kHz, whatever the length, and one sum a frequency."""

    def __init__(self, info: StreamInfo) -> None:
        self._bandwidth = BandwidthMeter(info.sample_rate, info.channels)
        self._edges = third_octaves(min(info.sample_rate, Activity.RATE_HZ))
        self._power, self._frames = np.zeros(BINS), 0
        self._any = False

    def feed(self, block: Block) -> None:
        """Take in a block with its spectra and activity."""
        self._bandwidth.feed(block.samples)
        self._any = self._any or bool(len(block.samples))
        if block.spectra is None or block.activity is None:
            return
        speaking = block.activity.speech >= Activity.SPEAKING
        self._power += block.spectra[speaking].sum(axis=0, dtype=np.float64)
        self._frames += int(speaking.sum())

    def read(self) -> Spectrum:
        """The spectrum of everything fed so far."""
        bandwidth_hz = self._bandwidth.bandwidth_hz()
        return Spectrum(
            bandwidth_hz=bandwidth_hz,
            bands_db=self._bands_db(),
            why=None if bandwidth_hz is not None else self._why(),
        )

    def _bands_db(self) -> tuple[float, ...]:
        """Third octaves of the voice; a bin that a band's edge divides counts for both sides in proportion."""
        if self._frames * Activity.FRAME_S < MIN_SPEECH_S or not self._power.sum() > 0:
            return ()
        upto = np.concatenate(([0.0], np.cumsum(self._power)))
        bin_edges = np.arange(BINS + 1) - 0.5  # bin k reaches half a bin to either side of k
        at = self._edges / (Activity.RATE_HZ / 2) * (BINS - 1)
        power = np.diff(np.interp(at, bin_edges, upto)) / self._frames
        level = 10 * np.log10(np.maximum(power, 1e-12))
        return tuple(round(float(value), 2) for value in level - level.mean())

    def _why(self) -> str:
        return "there is too little sound in it, or sound that never changes" if self._any else "no samples"


SUBJECT = Subject("spectrum", SpectrumLimits, Spectrum, SpectrumMeter, needs=("spectra",))


@SUBJECT.check(
    "NARROW_BAND",
    Severity.WARNING,
    says="holds sound up to {value:.0f} Hz only; {limit:.0f} Hz is wanted",
    hint="Export it from the original recording, not from a call, a voice message or a low bit rate; raising the sample "
    "rate afterwards brings nothing back.",
    means="The upper part of the voice is missing, as after a telephone, a narrow codec or a lower sample rate that was "
    "converted up. The clone sounds as dull as that.",
    gravest=Severity.ERROR,
    also=(Container,),
)
def narrow_band(spectrum: Spectrum, container: Container | None, limits: SpectrumLimits) -> Iterator[Evidence]:
    """Fires when the highest sound lies under what is wanted, or under what the sample rate could hold."""
    bandwidth_hz = spectrum.bandwidth_hz
    if bandwidth_hz is None:
        return
    if limits.min_bandwidth_hz is not None and bandwidth_hz < limits.min_bandwidth_hz:
        yield Evidence(bandwidth_hz, limits.min_bandwidth_hz, severity=Severity.ERROR)
        return
    wanted_hz, ratio = limits.min_full_bandwidth_hz, limits.min_nyquist_ratio
    if wanted_hz is None or ratio is None or container is None or container.sample_rate is None:
        return
    wanted_hz = min(wanted_hz, ratio * container.sample_rate / 2)
    if bandwidth_hz < wanted_hz:
        yield Evidence(bandwidth_hz, wanted_hz)
