"""Labelled cases: audio files in folders, each with what should be found in it and what should be measured.

A suite is a module with `build(folder)`, which adds its cases with fixed seeds. Every dataset is one folder and is given to the real
command once.
"""

import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import soundfile
import soxr

TOLD_OF = "SECOND_SPEAKER or UNSURE"
"""Of the findings UNSURE only the one about voices has times."""

SURELY_ODD = "ODD_SPEAKER, an error"
"""That a clip may be another person's is only a warning."""

CODECS = {".mp3": "libmp3lame", ".opus": "libopus", ".m4a": "aac", ".wma": "wmav2", ".ac3": "ac3"}
RATES_HZ = {".opus": 48_000, ".ac3": 48_000}
"""Those that take only some rates."""


@dataclass(frozen=True)
class Case:
    """One file: `flags` says for each code whether it should be found (`None`: grey zone, left out), `numbers` the true
    value of each reading, by its path in the report ("noise.snr_db"), `spans` for a code the stretches, in seconds, that its
    finding should list. `group` is the condition it stands for.
    """

    id: str
    part: str
    group: str
    flags: dict[str, bool | None] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    spans: dict[str, list] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """A case with the clip's part of report.json."""

    case: Case
    clip: dict

    def has(self, code):
        """Whether the code was found; `TOLD_OF` is a second voice that is told of, sure or not, `SURELY_ODD` no mere warning."""
        if code == TOLD_OF:
            return self.has("SECOND_SPEAKER") or bool(self.spans("UNSURE"))
        if code == SURELY_ODD:
            return any(f["code"] == "ODD_SPEAKER" and f["severity"] == "error" for f in self.clip["findings"])
        return any(finding["code"] == code for finding in self.clip["findings"])

    def spans(self, code):
        found = [finding["spans"] for finding in self.clip["findings"] if finding["code"] == code]
        return [(span["start_s"], span["end_s"]) for spans in found for span in spans]

    def measured(self, path):
        value = self.clip["readings"]
        for name in path.split("."):
            value = None if value is None else value.get(name)
        return value


class Folder:
    """Collects the cases of one dataset as files under `path`."""

    def __init__(self, path):
        self.path, self.cases = Path(path), []
        self.path.mkdir(parents=True, exist_ok=True)

    def add(self, samples, rate_hz, *, suffix=".wav", kbit_s=None, name=None, **case):
        """Write samples (frames,) or (frames, channels) as 16 bit WAV or FLAC, or coded by FFmpeg; returns the id.

        `case` are the fields of `Case`: part and group, and flags, numbers or spans.
        """
        name = f"{len(self.cases):04d}{suffix}" if name is None else name
        write(self.path / name, samples, rate_hz, kbit_s)
        self.cases.append(Case(name, **case))
        return name


def write(path, samples, rate_hz, kbit_s=None):
    """A file of the kind that its suffix names."""
    samples = np.asarray(samples, np.float32)
    if path.suffix in (".wav", ".flac"):
        soundfile.write(path, samples, rate_hz, "PCM_16")
        return
    if path.suffix == ".ogg":  # FFmpeg's own Vorbis encoder is crude
        with soundfile.SoundFile(path, "w", rate_hz, 1 if samples.ndim == 1 else samples.shape[1], "VORBIS") as ogg:
            for start in range(0, len(samples), rate_hz):
                ogg.write(samples[start : start + rate_hz])
        return
    coded_hz = RATES_HZ.get(path.suffix, rate_hz)
    samples = samples if coded_hz == rate_hz else soxr.resample(samples, rate_hz, coded_hz)
    planes = np.ascontiguousarray(samples.reshape(len(samples), -1).T)
    layout = "mono" if len(planes) == 1 else "stereo"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(CODECS[path.suffix], rate=coded_hz, layout=layout)
        if kbit_s is not None:
            stream.bit_rate = kbit_s * 1000
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout=layout)
        frame.sample_rate = coded_hz
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def run(folder, out, *options):
    """The results of the real command on a folder; raises when it fails to make a report."""
    command = [
        sys.executable,
        "-c",
        "from pipeline.cli import main; main()",
        "check",
        str(folder.path),
        "-o",
        str(out),
        "--fresh",
        *options,
    ]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode not in (0, 1) or not (Path(out) / "report.json").exists():
        raise RuntimeError(f"{' '.join(command)} ended with {ran.returncode}: {ran.stderr[-2000:]}")
    report = json.loads((Path(out) / "report.json").read_text(encoding="utf-8"))
    clips = {clip["id"]: clip for clip in report["clips"]}
    return [Result(case, clips[case.id]) for case in folder.cases]
