"""Label tracks for Audacity (File, Import, Labels), a file for each clip with something at a time: start, end, finding."""

from collections.abc import Iterator

from pipeline.selection import Selection

APPROVED = False


def files(selection: Selection) -> Iterator[tuple[str, str]]:
    """Labels beside each other in the order of time; tabs part their fields, so that none may stand in a message."""
    for clip in selection.clips:
        labels = sorted(
            (span["start_s"], span["end_s"], f"{finding['code']} {finding['message']}")
            for finding in clip["findings"]
            for span in finding["spans"]
        )
        lines = [f"{start:.6f}\t{end:.6f}\t{' '.join(told.split())}\n" for start, end, told in labels]
        if lines:
            yield f"{clip['id']}.labels.txt", "".join(lines)
