"""PyanNet's windows, and the layers in front of its graph: waveforms normalised, through SincNet's filters, magnitudes pooled.

Half of the network's arithmetic as a convolution, a tenth of it by spectra. Ravanelli and Bengio, "Speaker recognition from raw
waveform with SincNet", SLT 2018.
"""

from collections.abc import Mapping

import numpy as np

from pipeline.graphs import carried_by
from pipeline.graphs.pyannet import EPSILON, FILTERS, POOL, SINC_STRIDE, WAVE_NORM
from pipeline.kernels import FilterBank, band_maxima
from pipeline.records import Floats

WINDOW, FRAMES, LEAD = 80_000, 293, 360
"""A window of 5 s is so many samples and gives so many frames of activity, of which the first begins so many samples into it."""


class SincNet:
    """Made of what the metadata of PyanNet's graph carries."""

    def __init__(self, metadata: Mapping[str, str]) -> None:
        self._weight, bias = carried_by(metadata, WAVE_NORM)
        filters = carried_by(metadata, FILTERS)
        # The bias is added behind the filters, so that digital silence is the same throughout: what follows makes everything
        # of the least difference.
        self._bank = FilterBank(filters, bias * filters.sum(axis=1), SINC_STRIDE, POOL)

    def bands(self, waveforms: Floats) -> Floats:
        """What the graph takes, (batch, 2 * bands, pools), for waveforms (batch, samples) at 16 kHz, of any level."""
        centred = waveforms - waveforms.mean(axis=1, keepdims=True, dtype=np.float64)
        power = np.einsum("ij,ij->i", centred, centred)[:, None] / max(waveforms.shape[1], 1)
        return band_maxima((centred * (self._weight / np.sqrt(power + EPSILON))).astype(np.float32), self._bank)
