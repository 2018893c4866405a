"""DNSMOS P.835: a network's guess at the mean opinion scores that listeners would give, after ITU-T P.835.

C. K. A. Reddy, V. Gopal, R. Cutler, "DNSMOS P.835: A non-intrusive perceptual objective speech quality metric to evaluate
noise suppressors", ICASSP 2022; the model and the polynomials are those of microsoft/DNS-Challenge, not personalized. The
reference averages windows a second apart and repeats clips that are too short; here a window stands alone.
"""

import numpy as np

from pipeline.dsp import Doubles
from pipeline.network import Network
from pipeline.records import Floats

RATE_HZ = 16_000
WINDOW = 144_160
"""The 9.01 s that the network was trained on, in samples."""

SPEECH_DBFS = -26.0
"""The level of the speech (ITU-T P.56) that a window is brought to: the network hears level as quality. The same clean
readings scored 3.36 overall at -26 dBFS, 3.20 at -16, 3.28 at -36, 2.94 at -46 and 2.53 at -56."""

POLYNOMIALS = (
    (-0.08397278, 1.22083953, 0.0052439),
    (-0.13166888, 1.60915514, -0.39604546),
    (-0.06766283, 1.11546468, 0.04602535),
)
"""From what the network gives to a score, highest power first: for the signal, the background and overall."""


def scores(network: Network, window: Floats, speech_dbfs: float) -> Doubles:
    """Signal, background and overall score of 144,160 samples at 16 kHz whose speech has that level, (3,)."""
    gain = 10 ** ((SPEECH_DBFS - speech_dbfs) / 20)
    raw = network.run(None, {"input_1": (window * np.float32(gain))[None, :]})[0][0]
    return np.array([np.polyval(polynomial, float(x)) for polynomial, x in zip(POLYNOMIALS, raw, strict=True)])
