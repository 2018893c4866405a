"""A table of all clips, one a line, for spreadsheets: verdict, lengths, the main numbers and the codes found."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from pipeline.selection import Selection

APPROVED = False

COLUMNS = {
    "integrated_lufs": ("loudness", "integrated_lufs"),
    "true_peak_dbtp": ("loudness", "true_peak_dbtp"),
    "snr_db": ("noise", "snr_db"),
    "floor_dbfs": ("noise", "floor_dbfs"),
    "bandwidth_hz": ("spectrum", "bandwidth_hz"),
    "t60_s": ("room", "t60_s"),
    "music_s": ("music", "music_s"),
    "dnsmos_ovrl": ("quality", "dnsmos_ovrl"),
}
"""A column's name, and where the report has it."""


def files(selection: Selection) -> Iterator[tuple[str, str]]:
    """One table; a cell is empty where nothing was measured."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(
        ["id", "verdict", "format", "sample_rate", "channels", "decoded_s", "speech_s", *COLUMNS, "findings"]
    )
    for clip in selection.clips:
        table.writerow(_row(clip))
    yield "clips.csv", text.getvalue()


def _row(clip: dict[str, Any]) -> list[Any]:
    readings = clip["readings"]
    numbers = [readings.get(subject, {}).get(name) for subject, name in COLUMNS.values()]
    known = [clip[name] for name in ("id", "verdict", "format", "sample_rate", "channels", "decoded_s")]
    codes = " ".join(finding["code"] for finding in clip["findings"])
    return [*known, readings.get("speech", {}).get("speech_s"), *numbers, codes]
