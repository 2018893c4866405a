"""Level, peak and room tone of signals held as float64 arrays of (frames,) or (frames, channels) at 48 kHz, ±1.0."""

from typing import cast

import numpy as np
import numpy.typing as npt
import soxr

Samples = npt.NDArray[np.float64]
RATE_HZ = 48000
SPEECH_LUFS = -20.5
CEILING_DBTP = -3.5
ROOM_DBFS = -68.0

# ITU-R BS.1770-5, annex 1, tables 1 and 2: the K-weighting filters at 48 kHz, each as (b, a).
_K_WEIGHTING = (
    ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)),
    ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)),
)
_STEP_S = 0.001


def decibels(value: float) -> float:
    """An amplitude ratio from decibels."""
    return float(10.0 ** (value / 20.0))


def resample(samples: Samples, rate_hz: int, to_hz: int) -> Samples:
    """The same sound at another rate."""
    if rate_hz == to_hz:
        return samples
    return np.asarray(soxr.resample(samples, rate_hz, to_hz, "VHQ"), dtype=np.float64)


def _k_weighted(channel: Samples) -> Samples:
    size = (len(channel) // RATE_HZ + 2) * RATE_HZ
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    response = np.ones_like(z)
    for b, a in _K_WEIGHTING:
        response *= (b[0] + b[1] * z + b[2] * z * z) / (a[0] + a[1] * z + a[2] * z * z)
    return np.fft.irfft(np.fft.rfft(channel, size) * response, size)[: len(channel)]


def integrated_lufs(samples: Samples) -> float:
    """Integrated loudness, ITU-R BS.1770-5 annex 1: blocks of 400 ms at 75 % overlap, gated at -70 LUFS and -10 LU."""
    hop = RATE_HZ // 10
    power = np.zeros(len(samples) // hop - 3)
    for channel in samples.reshape(len(samples), -1).T:
        steps = np.add.reduceat(_k_weighted(channel) ** 2, np.arange(0, len(samples), hop))[: len(power) + 3]
        power += np.convolve(steps, np.ones(4), "valid") / (4 * hop)
    loud = power[power > 10 ** ((-70 + 0.691) / 10)]
    loud = loud[loud > loud.mean() / 10]
    return float(-0.691 + 10 * np.log10(loud.mean()))


def _true_peaks(samples: Samples) -> Samples:
    """The largest 4x oversampled magnitude in every millisecond, over all channels (BS.1770-5 annex 2)."""
    finer = np.abs(resample(samples, RATE_HZ, 4 * RATE_HZ)).reshape(4 * len(samples), -1).max(axis=1)
    return cast("Samples", np.maximum.reduceat(finer, np.arange(0, len(finer), int(4 * RATE_HZ * _STEP_S))))


def limit(samples: Samples, ceiling_dbtp: float) -> Samples:
    """Holds the true peak under a ceiling by turning the gain down smoothly around each peak: no flat tops."""
    needed = np.minimum(1.0, decibels(ceiling_dbtp) / np.maximum(_true_peaks(samples), 1e-9))
    held = np.lib.stride_tricks.sliding_window_view(np.pad(needed, 4, mode="edge"), 9).min(axis=1)
    window = np.hanning(7) / np.hanning(7).sum()
    smooth = np.convolve(np.pad(held, 3, mode="edge"), window, "valid")
    step = RATE_HZ * _STEP_S
    gain = np.interp(np.arange(len(samples)), (np.arange(len(smooth)) + 0.5) * step, smooth)
    return samples * (gain if samples.ndim == 1 else gain[:, None])


def level(samples: Samples, lufs: float = SPEECH_LUFS, ceiling_dbtp: float = CEILING_DBTP) -> Samples:
    """Brings a signal to an integrated loudness, then under a true-peak ceiling, which may take a little away again."""
    return limit(samples * decibels(lufs - integrated_lufs(samples)), ceiling_dbtp)


def shaped_noise(frames: int, seed: str, tilt: float, low_hz: float) -> Samples:
    """Steady noise of 0 dBFS RMS, its power falling as frequency to the power -tilt over low_hz, none under 20 Hz."""
    rng = np.random.default_rng(list(seed.encode()))
    size = (frames // RATE_HZ + 1) * RATE_HZ
    frequency_hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    shape = np.maximum(frequency_hz, low_hz) ** (-tilt / 2) * (frequency_hz > 20)
    noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(size)) * shape, size)[:frames]
    return cast("Samples", noise / np.sqrt(np.mean(noise**2)))


def with_room(samples: Samples, seed: str, dbfs: float = ROOM_DBFS) -> Samples:
    """Lays a very quiet, steady room tone under a signal, since no recording has digital silence; one a channel."""
    columns = samples.reshape(len(samples), -1)
    tones = [shaped_noise(len(samples), f"room {seed} {i}", 1.0, 150.0) for i in range(columns.shape[1])]
    return cast("Samples", (columns + decibels(dbfs) * np.stack(tones, axis=1)).reshape(samples.shape))
