"""Recordings for lhotse, and supervisions of those with a transcript, as its JSON lines."""

from collections.abc import Iterator
from typing import Any

from pipeline.selection import Selection
from pipeline.storage import codec

APPROVED = True


def files(selection: Selection) -> Iterator[tuple[str, str]]:
    """Lengths are in samples, as decoded; lhotse refuses a recording whose seconds do not fit them."""
    yield "recordings.jsonl", "".join(_line(_recording(clip)) for clip in selection.clips)
    spoken = [_supervision(clip, selection) for clip in selection.clips if clip["id"] in selection.texts]
    if spoken:
        yield "supervisions.jsonl", "".join(map(_line, spoken))


def _recording(clip: dict[str, Any]) -> dict[str, Any]:
    frames, rate = clip["readings"]["container"]["frames"], clip["sample_rate"]
    channels = list(range(clip["channels"]))
    return {
        "id": clip["id"],
        "sources": [{"type": "file", "channels": channels, "source": clip["path"]}],
        "sampling_rate": rate,
        "num_samples": frames,
        "duration": frames / rate,
        "channel_ids": channels,
    }


def _supervision(clip: dict[str, Any], selection: Selection) -> dict[str, Any]:
    recording = _recording(clip)
    made = {
        "id": clip["id"],
        "recording_id": clip["id"],
        "start": 0.0,
        "duration": recording["duration"],
        "channel": recording["channel_ids"],
        "text": selection.texts[clip["id"]],
    }
    return made if selection.language is None else made | {"language": selection.language}


def _line(entry: dict[str, Any]) -> str:
    return codec.text(entry) + "\n"
