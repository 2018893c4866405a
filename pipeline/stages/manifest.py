"""The manifest: the clips that passed, byte for byte, and under which terms. Written only when the gate says yes."""

import os
from typing import Any

from pipeline.outcome import Report, totals
from pipeline.readings import Container, Speech
from pipeline.records import Clip, Severity
from pipeline.remote import MANIFEST_SCHEMA
from pipeline.storage import codec

NAME = "manifest.json"


def document(report: Report) -> dict[str, Any]:
    """The manifest of an approved run. Its bytes depend on the input and the settings alone."""
    profile = report.settings.profile
    made: dict[str, Any] = codec.rounded(
        {
            "schema": MANIFEST_SCHEMA,
            "profile": {"name": profile.name, "provider": profile.provider, "use": profile.use},
            "settings_sha256": report.settings.sha256,
            "tool": {"name": "voxgate", "version": report.version},
            "root": report.root,
            "totals": totals(report),
            "not_examined": report.not_examined,
            "relaxed": report.settings.relaxed,
            "language": report.language,
            "clips": [_clip(clip, report.root) for clip in report.clips if clip.verdict.counts],
        }
    )
    return made | {"sha256": codec.digest(made)}


def _clip(clip: Clip, root: str) -> dict[str, Any]:
    container, speech = clip.readings[Container], clip.readings.get(Speech)
    made = {
        "id": clip.source.id,
        "path": _relative(clip.source.path, root),
        "sha256": clip.sha256,
        "bytes": clip.source.bytes,
        "format": container.format,
        "decoded_s": container.decoded_s,
        "speech_s": None if speech is None else speech.speech_s,
        "warnings": sorted({f.code for f in clip.findings if f.severity is Severity.WARNING}),
    }
    if clip.source.transcript is None:
        return made
    beside = os.path.join(os.path.dirname(clip.source.path), clip.source.transcript)  # noqa: PTH118, PTH120 - as relpath
    return made | {"transcript": _relative(beside, root)}


def _relative(path: str, root: str) -> str:
    return os.path.relpath(path, root).replace(os.sep, "/")
