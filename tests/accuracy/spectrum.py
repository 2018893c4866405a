"""Bandwidth: low-passed, upsampled and coded speech of known edge.

The one reader here who was recorded at 48 kHz is VCTK's p286; the others are given an upper half by noise that follows their own
sibilants, so that there is something to cut off. A coded file's edge is taken from the file: the highest frequency at which a
hundredth of the power is left of what the codec was given. Its edge for white noise is another: where an encoder lets single
bands through above its low pass, noise fills them and a voice does not.
"""

import tempfile
from pathlib import Path

import numpy as np
import recordings
import soxr
from cases import write
from scipy import signal

OPTIONS = ("--set", "speech.engine=webrtcvad", "--set", "quality.engine=off")
"""What is measured here asks for no network."""
GREY = (
    "NARROW_BAND: an edge within 500 Hz of the limit (11 kHz, or 0.9 of half the rate); noise that lies over the upper part of "
    "the voice, which then is neither heard nor measured."
)

RATE_HZ = 48_000
EDGES_HZ = (3_400, 4_500, 7_000, 8_000, 9_500, 12_000, 14_000, 16_000, 19_000)
UPSAMPLED_HZ = (8_000, 11_025, 16_000, 22_050, 32_000)
SOXR_PASS = 0.95
"""soxr's high quality filter passes up to 0.913 of half the rate and has rejected everything at 1.0; its edge is between."""
CODED = (
    (".mp3", 32),
    (".mp3", 64),
    (".mp3", 128),
    (".m4a", 32),
    (".m4a", 64),
    (".opus", 24),
    (".opus", 64),
    (".wma", 48),
)
PER_CONDITION = 4
HISS_DB = 40.0


def build(folder, part, random):
    voices = recordings.clean(part, 40.0)
    for edge_hz in EDGES_HZ:
        for n in range(PER_CONDITION):
            samples = low_passed(wide(voices[random.integers(len(voices))], random), edge_hz)
            if n % 2:
                hiss = recordings.noise_for("white", len(samples), RATE_HZ, random)
                samples = samples + hiss * recordings.decibels(recordings.ACTIVE_DBFS - HISS_DB)
            add(folder, samples, RATE_HZ, edge_hz, part=part, group="low pass")
    for from_hz in UPSAMPLED_HZ:
        for _ in range(PER_CONDITION):
            lower = soxr.resample(wide(voices[random.integers(len(voices))], random), RATE_HZ, from_hz)
            samples = soxr.resample(lower, from_hz, RATE_HZ)
            add(folder, samples, RATE_HZ, SOXR_PASS * from_hz / 2, part=part, group="upsampled")
    for suffix, kbit_s in CODED:
        for _ in range(PER_CONDITION):
            samples = wide(voices[random.integers(len(voices))], random)
            edge_hz = kept_hz(samples, suffix, kbit_s)
            add(folder, samples, RATE_HZ, edge_hz, part=part, group="coded", suffix=suffix, kbit_s=kbit_s)


def add(folder, samples, rate_hz, edge_hz, **case):
    wanted_hz = min(11_000.0, 0.9 * rate_hz / 2)
    narrow = None if abs(edge_hz - wanted_hz) <= 500 else edge_hz < wanted_hz
    folder.add(samples, rate_hz, flags={"NARROW_BAND": narrow}, numbers={"spectrum.bandwidth_hz": edge_hz}, **case)


def wide(voice, random):
    """A voice at 48 kHz with noise above its own band that comes and goes with its sibilants, 6 dB under them."""
    samples = voice.at(RATE_HZ)
    own_hz = 0.92 * voice.rate_hz / 2
    high = signal.sosfilt(signal.butter(4, (0.5 * own_hz, 0.9 * own_hz), "bandpass", fs=RATE_HZ, output="sos"), samples)
    envelope = np.sqrt(np.maximum(signal.sosfiltfilt(signal.butter(2, 30, fs=RATE_HZ, output="sos"), high**2), 0))
    above = signal.butter(8, own_hz, "highpass", fs=RATE_HZ, output="sos")
    noise = signal.sosfilt(above, random.standard_normal(len(samples)))
    return (samples + 0.5 * noise * envelope).astype(np.float32)


def low_passed(samples, edge_hz):
    taps = signal.firwin(801, edge_hz, fs=RATE_HZ, window=("kaiser", 9))
    return signal.fftconvolve(samples, taps, "same").astype(np.float32)


def kept_hz(samples, suffix, kbit_s):
    """Up to where a codec at that rate leaves a hundredth of the power, in bands of 130 Hz."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"coded{suffix}"
        write(path, samples, RATE_HZ, kbit_s)
        coded, rate_hz = recordings.decoded(path)
    frames = min(len(samples), len(coded))
    hz, given = signal.welch(samples[:frames], RATE_HZ, nperseg=4096)
    _, left = signal.welch(coded[:frames], rate_hz, nperseg=4096)
    band = np.ones(11)
    return float(hz[np.flatnonzero(np.convolve(left, band, "same") > 0.01 * np.convolve(given, band, "same"))[-1]])
