"""PyanNet's windows, and the layers in front of its graph: waveforms normalised, through SincNet's filters, magnitudes pooled.

As a convolution this was the dearest layer of the network; by spectra it takes a fraction. Ravanelli and Bengio, "Speaker
recognition from raw waveform with SincNet", SLT 2018.
"""

from collections.abc import Mapping
from functools import cache

import numpy as np

from pipeline.graphs import carried_as
from pipeline.graphs.pyannet import EPSILON, FILTERS, POOL, SINC_STRIDE, WAVE_NORM
from pipeline.kernels import FilterBank, band_maxima
from pipeline.records import Floats

WINDOW, FRAMES, LEAD = 80_000, 293, 360
"""A window of 5 s is so many samples and gives so many frames of activity, of which the first begins so many samples into it."""


class SincNet:
    """Made of what the metadata of PyanNet's graph carries; it is read once in a process."""

    def __init__(self, metadata: Mapping[str, str]) -> None:
        self._weight, self._bank = _read(metadata[WAVE_NORM], metadata[FILTERS])

    def bands(self, waveforms: Floats) -> Floats:
        """What the graph takes, (batch, 2 * bands, pools), for waveforms (batch, samples) at 16 kHz, of any level."""
        centred = waveforms - waveforms.mean(axis=1, keepdims=True, dtype=np.float64)
        power = np.einsum("ij,ij->i", centred, centred)[:, None] / max(waveforms.shape[1], 1)
        return band_maxima((centred * (self._weight / np.sqrt(power + EPSILON))).astype(np.float32), self._bank)


@cache
def _read(norm: str, bank: str) -> tuple[float, FilterBank]:
    """The weight of the normalisation, and the filters.

    Its bias is added behind the filters, so that digital silence is the same throughout: what follows makes everything of the
    least difference.
    """
    (weight, bias), filters = carried_as(norm), carried_as(bank)
    return float(weight), FilterBank(filters, bias * filters.sum(axis=1), SINC_STRIDE, POOL)
