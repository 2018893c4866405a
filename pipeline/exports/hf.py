"""A metadata.jsonl for Hugging Face's AudioFolder; it belongs beside the recordings, in the folder that was checked."""

import os
from collections.abc import Iterator

from pipeline.selection import Selection
from pipeline.storage import codec

APPROVED = True


def files(selection: Selection) -> Iterator[tuple[str, str]]:
    """Names are relative to that folder, as AudioFolder wants them, and its column for text is `transcription`."""
    lines = []
    for clip in selection.clips:
        name = os.path.relpath(clip["path"], selection.root).replace(os.sep, "/")
        entry = {"file_name": name, "duration_s": clip["decoded_s"], "sha256": clip["sha256"]}
        if clip["id"] in selection.texts:
            entry["transcription"] = selection.texts[clip["id"]]
        lines.append(codec.text(entry) + "\n")
    yield "metadata.jsonl", "".join(lines)
