"""The clips of a run that are handed on to another tool."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Selection:
    """`clips` are entries of report.json, `texts` the transcripts of those that have one, by id.

    `root` is the folder that was checked, `language` is as the user stated it.
    """

    root: str
    clips: tuple[dict[str, Any], ...]
    texts: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None
