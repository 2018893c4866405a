"""A manifest for NVIDIA NeMo: one JSON object a line, with the path, the length in seconds and the text where one is known."""

from collections.abc import Iterator

from pipeline.selection import Selection
from pipeline.storage import codec

APPROVED = True


def files(selection: Selection) -> Iterator[tuple[str, str]]:
    """The keys that NeMo's readers look for; without a transcript there is no `text`."""
    lines = []
    for clip in selection.clips:
        entry = {"audio_filepath": clip["path"], "duration": clip["decoded_s"]}
        if clip["id"] in selection.texts:
            entry["text"] = selection.texts[clip["id"]]
        if selection.language is not None:
            entry["lang"] = selection.language
        lines.append(codec.text(entry) + "\n")
    yield "manifest.jsonl", "".join(lines)
