"""Files cut short and damaged, against whole ones of every kind."""

import recordings

OPTIONS = ("--set", "speech.engine=webrtcvad", "--set", "quality.engine=off")
"""What is measured here asks for no network."""
GREY = "bare MP3, AAC and AC-3 cut exactly between two frames: nothing in the file tells."

RATE_HZ = 44_100
KINDS = (
    (".wav", None),
    (".flac", None),
    (".mp3", 96),
    (".m4a", 96),
    (".ogg", None),
    (".opus", 48),
    (".wma", 96),
    (".ac3", 128),
)
PER_CONDITION = 4
KEPT = (0.3, 0.6, 0.9)


def build(folder, part, random):
    voices = [u for u in recordings.clean(part, 35.0) if len(u.samples) > 3 * u.rate_hz]
    for suffix, kbit_s in KINDS:
        for _ in range(PER_CONDITION):
            samples = voices[random.integers(len(voices))].at(RATE_HZ)
            case = {"part": part, "suffix": suffix, "kbit_s": kbit_s}
            folder.add(
                samples,
                RATE_HZ,
                group="whole",
                flags={"TRUNCATED": False, "DURATION_MISMATCH": False},
                **case,
            )
            name = folder.add(samples, RATE_HZ, group=f"cut {suffix}", flags={"TRUNCATED": True}, **case)
            path = folder.path / name
            content = path.read_bytes()
            path.write_bytes(content[: round(len(content) * KEPT[random.integers(len(KEPT))]) - 1])
            if suffix == ".m4a":  # its index stands at the end and goes with it
                folder.cases.pop()
                path.unlink()
