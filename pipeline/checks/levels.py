"""Levels: peak, mean power, constant offset and flat tops of the samples as they are."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline import kernels
from pipeline.catalogue import Limits, Subject, limit
from pipeline.dsp import amplitude_db, power_db
from pipeline.meters.dropouts import DropoutMeter
from pipeline.meters.flat_tops import CutTops
from pipeline.readings import Levels, Speech
from pipeline.records import Block, Evidence, Floats, Severity, StreamInfo

PIECE_S, MAX_PIECE_SAMPLES = 1.0, 1 << 20
"""Every second has a ceiling of its own, so that a clipped take is found among others that are louder; less than a second
where it would be more samples than that, of all channels."""


@dataclass(frozen=True, slots=True)
class LevelsLimits(Limits):
    """How much clipping and offset a clip may have."""

    max_clipped_runs_per_minute: float | None = limit(
        2.0, "clean readings have none in an hour; speech 2 dB over the converter's ceiling has 13 a minute"
    )
    max_clipped_ratio: float | None = limit(
        0.005,
        "of the speech in flat tops: speech is 7 dB over the ceiling then, and distorted by as much as noise 20 dB under it",
    )
    max_dropouts_per_minute: float | None = limit(
        0.5, "none should be; in 75 minutes of speech without, a cut from noise to silence was taken for one once"
    )
    max_dc_offset_ratio: float | None = limit(0.01, "of full scale: one per cent costs no headroom worth mentioning")
    min_rms_dbfs: float | None = limit(None, "of the whole file; only audiobooks and some voices are judged by it")
    max_rms_dbfs: float | None = limit(None, "of the whole file; only audiobooks and some voices are judged by it")


class LevelsMeter:
    """Keeps sums, a second of samples, the places of cut tops, at most 1,000, and the shapes of half a minute of tops."""

    def __init__(self, info: StreamInfo) -> None:
        self._rate = info.sample_rate
        self._sum = np.zeros(info.channels)
        self._power = 0.0
        self._frames = self._measured = self._held = 0
        size = min(round(PIECE_S * info.sample_rate), MAX_PIECE_SAMPLES // info.channels)
        self._piece = np.empty((info.channels, size), np.float32)
        self._dropouts = DropoutMeter(info.sample_rate, info.channels, info.bits)
        self._tops = CutTops(info.sample_rate, info.channels, info.bits)

    def feed(self, block: Block) -> None:
        """Take in a block."""
        planes, taken, size = block.samples.T, 0, self._piece.shape[1]
        while taken < planes.shape[1]:
            part = planes[:, taken : taken + size - self._held]
            taken += part.shape[1]
            if part.shape[1] == size:
                self._measure(part)
                continue
            self._piece[:, self._held : self._held + part.shape[1]] = part
            self._held += part.shape[1]
            if self._held == size:
                self._measure(self._piece)
                self._held = 0
        self._dropouts.feed(block.samples)
        self._frames += len(block.samples)

    def _measure(self, piece: Floats) -> None:
        """Add up a piece (channels, frames)."""
        sums, squares = kernels.moments(piece)
        self._sum += sums[:, 0]
        self._power += float(squares.sum())
        self._tops.search(piece, self._measured)
        self._measured += piece.shape[1]

    def read(self) -> Levels:
        """The levels of everything fed so far."""
        if not self._frames:
            return Levels(why="no samples")
        if self._held:
            self._measure(self._piece[:, : self._held])
            self._held = 0
        self._tops.finish()
        self._dropouts.finish()
        samples = self._frames * len(self._sum)
        return Levels(
            peak_dbfs=amplitude_db(self._tops.peak),
            rms_dbfs=power_db(self._power / samples),
            clipped_runs=self._tops.count,
            rounded_runs=self._tops.rounded,
            clipped_ratio=self._tops.samples / samples,
            clipped_spans=self._tops.spans(),
            dc_offset_ratio=float(np.abs(self._sum).max()) / self._frames,
            dropouts=self._dropouts.spans(),
            dropout_count=self._dropouts.count,
            decoded_s=self._frames / self._rate,
            why=None if self._tops.peak > 0 else "every sample is zero",
        )


SUBJECT = Subject("levels", LevelsLimits, Levels, LevelsMeter)


@SUBJECT.check(
    "CLIPPED",
    Severity.WARNING,
    says="is clipped: {detail}",
    hint="Record it again with the gain lower, peaks at -6 dBFS; turning down a clipped file does not mend it.",
    means="The tops of the waveform are cut flat, at full scale or below it, which is heard as a harsh crackle on loud "
    "syllables and is learned as part of the voice.",
    gravest=Severity.ERROR,
    also=(Speech,),
)
def clipped(levels: Levels, speech: Speech | None, limits: LevelsLimits) -> Iterator[Evidence]:
    """Fires when cut tops come more often than chance makes them; grave when flat ones are a share of the speech.

    Bent tops are told by their likeness to each other, not one by one, so they are never grave.
    """
    if not levels.clipped_runs or not levels.decoded_s:
        return
    share = levels.clipped_ratio / (speech.speech_ratio or 1.0 if speech is not None else 1.0)
    flat = levels.clipped_runs - levels.rounded_runs
    told = f"{flat} flat top{'s' * (flat != 1)}, {share:.2%} of the speech" if flat else ""
    if levels.rounded_runs:
        told += f"{', and ' * (flat > 0)}{levels.rounded_runs} cut off and bent since, by a codec or a filter"
    if limits.max_clipped_ratio is not None and share > limits.max_clipped_ratio:
        yield Evidence(share, limits.max_clipped_ratio, levels.clipped_spans, detail=told, severity=Severity.ERROR)
        return
    rate, most = levels.clipped_runs / max(levels.decoded_s / 60, 1.0), limits.max_clipped_runs_per_minute
    if most is not None and rate > most:
        yield Evidence(rate, most, levels.clipped_spans, detail=told)


@SUBJECT.check(
    "DROPOUT",
    Severity.WARNING,
    says="drops out: {detail}",
    hint="Record it again, with a larger buffer or over a cable; cut the takes where it happens, they cannot be mended.",
    means="Sound breaks off into silence in the middle of a syllable and comes back as abruptly: samples were lost "
    "between the microphone and the file.",
)
def dropout(levels: Levels, limits: LevelsLimits) -> Iterator[Evidence]:
    """Fires when gaps come too often; under two minutes a single one is told."""
    most = limits.max_dropouts_per_minute
    if most is None or not levels.dropout_count or levels.decoded_s is None:
        return
    rate = levels.dropout_count / max(levels.decoded_s / 60, 1.0)
    if rate > most:
        longest = max((span.length_s for span in levels.dropouts), default=0.0)
        told = f"{levels.dropout_count} gap{'s' * (levels.dropout_count > 1)} inside sound, the longest {1000 * longest:.0f} ms"
        yield Evidence(rate, most, levels.dropouts, detail=told)


@SUBJECT.check(
    "RMS_LEVEL",
    Severity.WARNING,
    says="is at {value:.1f} dBFS RMS, where {limit:.0f} is {detail}",
    hint="Bring it there by plain gain, and use a limiter only for single peaks; measure the exported file.",
    means="Some services ask for the mean power of the whole file between two limits, pauses counted in. Loudness in LUFS and "
    "the level of the speech say more, but theirs is the gate.",
)
def rms_level(levels: Levels, limits: LevelsLimits) -> Iterator[Evidence]:
    """Fires outside the limits of a profile that has some."""
    rms = levels.rms_dbfs
    if rms is None:
        return
    if limits.min_rms_dbfs is not None and rms < limits.min_rms_dbfs:
        yield Evidence(rms, limits.min_rms_dbfs, detail="the least")
    elif limits.max_rms_dbfs is not None and rms > limits.max_rms_dbfs:
        yield Evidence(rms, limits.max_rms_dbfs, detail="the most")


@SUBJECT.check(
    "DC_OFFSET",
    Severity.WARNING,
    says="has a constant offset of {value:.3f} of full scale; at most {limit:.3f} is wanted",
    hint="Check the interface; a high-pass filter at 20 Hz removes it.",
    means="The waveform is not centred on zero, which eats headroom and clicks at every cut.",
)
def dc_offset(levels: Levels, limits: LevelsLimits) -> Iterator[Evidence]:
    """Fires when the mean sample of any channel is too far from zero."""
    offset, most = levels.dc_offset_ratio, limits.max_dc_offset_ratio
    if offset is not None and most is not None and offset > most:
        yield Evidence(offset, most)
