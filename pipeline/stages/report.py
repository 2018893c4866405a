"""Report a run: everything that was measured, found and decided, as one JSON document."""

from collections.abc import Sequence
from typing import Any

from pipeline.outcome import Report, totals
from pipeline.readings import BY_SUBJECT, Container
from pipeline.records import SUBJECTS, Absence, Clip, Finding
from pipeline.storage import codec

SCHEMA = "voxgate.report/1"
HIDDEN = frozenset({"why", "pcm", "unreadable", "no_audio"})
"""Fields of readings that others tell in words already, and the digest of samples, which nobody reads."""


def not_examined(examined: Sequence[str]) -> tuple[Absence, ...]:
    """The subjects of a clip that this version has no check for; what was not looked at is not in order."""
    why = "this version of voxgate does not examine it yet"
    return tuple(Absence(name, why) for name in SUBJECTS if name not in examined)


def document(report: Report) -> dict[str, Any]:
    """The report as `report.json` holds it, with values rounded to what their units deserve."""
    made: dict[str, Any] = {
        "schema": SCHEMA,
        "verdict": str(report.verdict),
        "profile": report.settings.profile.name,
        "settings_sha256": report.settings.sha256,
        "tool": {"name": "voxgate", "version": report.version},
        "root": report.root,
        "totals": totals(report),
        "not_examined": codec.plain(report.not_examined),
        "relaxed": codec.plain(report.settings.relaxed),
        "skipped": list(report.skipped),
        "left_out": list(report.left_out),
        "findings": [_finding(f) | {"clips": list(f.evidence.clips)} for f in report.findings],
        "clips": [_clip(clip) for clip in report.clips],
    }
    plain: dict[str, Any] = codec.rounded(made)
    return plain


def _finding(finding: Finding) -> dict[str, Any]:
    evidence = finding.evidence
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "message": finding.message,
        "hint": finding.hint,
        "value": evidence.value,
        "limit": evidence.limit,
    }


def _clip(clip: Clip) -> dict[str, Any]:
    container = clip.readings.get(Container) or Container()
    return {
        "id": clip.source.id,
        "path": clip.source.path,
        "sha256": clip.sha256,
        "bytes": clip.source.bytes,
        "verdict": str(clip.verdict),
        "format": container.format,
        "codec": container.codec,
        "sample_rate": container.sample_rate,
        "channels": container.channels,
        "declared_s": container.declared_s,
        "decoded_s": container.decoded_s,
        "transcript": clip.source.transcript,
        "readings": _readings(clip),
        "findings": [_finding(f) | {"spans": codec.plain(f.evidence.spans)} for f in clip.findings],
    }


def _readings(clip: Clip) -> dict[str, Any]:
    made = {}
    for name, kind in BY_SUBJECT.items():
        reading = clip.readings.by_type.get(kind)
        if reading is not None:
            plain = codec.plain(reading)
            made[name] = {key: value for key, value in plain.items() if key not in HIDDEN or (key == "why" and value)}
    return made
