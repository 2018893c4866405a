"""Loudness and peaks: speech brought to a known level, by FFmpeg's ebur128 filter and by construction."""

import av
import numpy as np
import recordings

OPTIONS = ("--set", "speech.engine=webrtcvad", "--set", "quality.engine=off")
"""What is measured here asks for no network."""
GREY = "loudness within 0.5 LU of a limit, true peaks within 0.3 dB of -1 dBTP, offsets of 0.8 to 1.2 % of full scale."

RATE_HZ = 44_100
LEVELS_LUFS = (-50.0, -47.0, -44.0, -35.0, -31.0, -29.0, -26.0, -23.0, -20.0, -17.0, -15.0, -12.0)
QUIET_LUFS, LOUD_LUFS, EDGE_LU = -30.0, -16.0, 0.5
PEAKS_DBTP = (-9.0, -6.0, -3.0, -1.6, -0.6, -0.1)
OFFSETS = (0.0, 0.002, 0.006, 0.014, 0.03)
PER_CONDITION = 2


def build(folder, part, random):
    voices = [u for u in recordings.clean(part, 35.0) if len(u.samples) > 3 * u.rate_hz]
    for n in range(PER_CONDITION):
        for lufs in LEVELS_LUFS:
            samples = voices[random.integers(len(voices))].at(RATE_HZ)
            samples = (
                np.tanh(samples * 4) / 4 if lufs > -20 else samples
            )  # a voice that can be so loud without clipping
            samples = samples * recordings.decibels(lufs - loudness_lufs(samples))
            samples = np.clip(samples, -0.99, 0.99)
            sides = samples if n % 2 else np.stack((samples, samples), axis=1) * recordings.decibels(-3.01)
            lufs_true = loudness_lufs(sides)
            flags = {
                "TOO_QUIET": None if abs(lufs_true - QUIET_LUFS) < EDGE_LU else lufs_true < QUIET_LUFS - 2,
                "TOO_LOUD": None if abs(lufs_true - LOUD_LUFS) < EDGE_LU else lufs_true > LOUD_LUFS,
            }
            if -32.5 < lufs_true < -30:
                flags["TOO_QUIET"] = None  # speech level and loudness must both be low, and differ by a decibel or two
            numbers = {"loudness.integrated_lufs": lufs_true}
            folder.add(sides, RATE_HZ, part=part, group="speech at a level", flags=flags, numbers=numbers)
        for dbtp in PEAKS_DBTP:
            samples = voices[random.integers(len(voices))].at(RATE_HZ)
            samples = samples * recordings.decibels(dbtp) / peak(samples)
            flags = {"HOT_PEAK": dbtp > -1}
            numbers = {"loudness.true_peak_dbtp": dbtp}
            folder.add(samples, RATE_HZ, part=part, group="speech with a peak", flags=flags, numbers=numbers)
        for offset in OFFSETS:
            samples = voices[random.integers(len(voices))].at(RATE_HZ)
            samples = samples - samples.mean() + offset
            flags = {"DC_OFFSET": offset > 0.01}
            numbers = {"levels.dc_offset_ratio": offset}
            folder.add(samples, RATE_HZ, part=part, group="speech off centre", flags=flags, numbers=numbers)


def loudness_lufs(samples):
    """Integrated loudness by FFmpeg's ebur128 filter."""
    planes = np.ascontiguousarray(np.asarray(samples, np.float32).reshape(len(samples), -1).T)
    layout = "mono" if len(planes) == 1 else "stereo"
    graph = av.filter.Graph()
    source = graph.add_abuffer(sample_rate=RATE_HZ, format="fltp", layout=layout)
    meter = graph.add("ebur128", "metadata=1")
    sink = graph.add("abuffersink")
    source.link_to(meter)
    meter.link_to(sink)
    graph.configure()
    last = None
    for start in range(0, planes.shape[1], RATE_HZ // 10):
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(planes[:, start : start + RATE_HZ // 10]), "fltp", layout
        )
        frame.sample_rate, frame.pts = RATE_HZ, start
        source.push(frame)
        while True:
            try:
                last = sink.pull().metadata.get("lavfi.r128.I", last)
            except (av.error.BlockingIOError, av.error.EOFError):
                break
    return float(last)


def peak(samples):
    """The highest value of the waveform between its samples, by a 16-fold oversampling transform of the whole."""
    padded = np.concatenate((np.zeros(4096), samples, np.zeros(4096 + (-len(samples)) % 4096)))
    bins = np.fft.rfft(padded)
    return 16 * np.abs(np.fft.irfft(bins, 16 * len(padded))).max()
