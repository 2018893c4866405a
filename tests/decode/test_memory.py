"""Ten hours need hardly more memory than a minute: measured as the peak of a process of its own."""

import subprocess
import sys
from fractions import Fraction

import av
import pytest

MORE_MB = 80
MINUTES = 600

PROGRAM = """
import resource, sys
from pipeline.stages import decode
with decode.Stream(sys.argv[1]) as stream:
    for block in stream.blocks():
        pass
    container = stream.container()
# not ru_maxrss, which begins at what the parent held when it forked
lines = open("/proc/self/status").read().splitlines() if sys.platform == "linux" else []
peaks = [int(line.split()[1]) for line in lines if line.startswith("VmHWM")]
peak_kb = peaks[0] if peaks else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(container.decoded_s, peak_kb / 1024)
"""


@pytest.fixture(scope="module")
def minute(signal, encode):
    """A minute of 8 kHz as the packets of one codec, encoded once."""

    def make(container, codec, folder):
        path = folder / "minute"
        path.write_bytes(encode(container, codec, signal(60.0, 8_000), 8_000))
        return path

    return make


def repeated(source, target, container, times):
    """The packets of a file over and over, so that ten hours need not be encoded."""
    with av.open(str(source)) as read, av.open(str(target), "w", format=container) as written:
        stream = read.streams.audio[0]
        copy = written.add_stream_from_template(stream)
        packets = [(bytes(packet), packet.duration) for packet in read.demux(stream) if packet.size]
        time_base, at = stream.time_base, 0
        for _ in range(times):
            for data, duration in packets:
                packet = av.Packet(data)
                packet.stream, packet.time_base = copy, Fraction(time_base)
                packet.pts = packet.dts = at
                packet.duration = duration
                at += duration
                written.mux(packet)


def measured(path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(path)], capture_output=True, text=True, check=True, timeout=180
    )
    return tuple(map(float, done.stdout.split()))


@pytest.mark.parametrize(("container", "codec", "name"), [("mp3", "libmp3lame", "a.mp3"), ("ipod", "aac", "a.m4a")])
def test_ten_hours_add_less_than_80_megabytes_to_a_minute(minute, tmp_path, container, codec, name):
    source = minute(container, codec, tmp_path)
    for folder, times in (("short", 1), ("long", MINUTES)):
        (tmp_path / folder).mkdir()
        repeated(source, tmp_path / folder / name, container, times)
    short_s, short_mb = measured(tmp_path / "short" / name)
    long_s, long_mb = measured(tmp_path / "long" / name)
    assert short_s == pytest.approx(60.0, rel=0.01)
    assert long_s == pytest.approx(60.0 * MINUTES, rel=0.01)
    assert long_mb - short_mb < MORE_MB


def test_a_wav_of_three_hours_is_not_held_either(encode, signal, tmp_path):
    path = tmp_path / "a.wav"
    data = encode("wav", "pcm_s16le", signal(60.0, 8_000), 8_000)
    path.write_bytes(data)
    short_s, short_mb = measured(path)
    at = data.index(b"data") + 4
    size = 3 * 3600 * 16_000
    with path.open("r+b") as file:  # the rest is a hole that takes no disk
        file.seek(at)
        file.write(size.to_bytes(4, "little"))
        file.truncate(at + 4 + size)
    long_s, long_mb = measured(path)
    assert (short_s, long_s) == (60.0, 10_800.0)
    assert long_mb - short_mb < MORE_MB
