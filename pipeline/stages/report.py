"""Report a run: everything that was measured, found and decided, as one JSON document."""

from collections.abc import Sequence
from typing import Any

from pipeline.catalogue import rules
from pipeline.config import Settings
from pipeline.outcome import Report, totals
from pipeline.readings import BY_SUBJECT, Container
from pipeline.records import SUBJECTS, Absence, Clip, Finding
from pipeline.storage import codec

SCHEMA = "voxgate.report/1"
HIDDEN = frozenset({"why", "pcm", "unreadable", "no_audio", "prints", "second_prints", "telephone"})
"""Fields of readings that others tell in words already, and what only a machine reads: the digest of samples, voices as numbers,
whether these are a telephone's, of which NARROW_BAND tells."""


def not_examined(examined: Sequence[str], switched_off: Sequence[Absence] = ()) -> tuple[Absence, ...]:
    """The subjects of a clip that nobody looked at, by choice or for want of a check; that does not make them right."""
    why = dict.fromkeys(
        (name for name in SUBJECTS if name not in examined), "this version of voxgate does not examine it"
    )
    why |= {absence.subject: absence.why for absence in switched_off}
    return tuple(Absence(name, why[name]) for name in SUBJECTS if name in why)


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
        "speakers": _speakers(report),
        "not_examined": report.not_examined,
        "relaxed": report.settings.relaxed,
        "skipped": report.skipped,
        "left_out": report.left_out,
        "findings": [_finding(f, report.settings) | {"clips": f.evidence.clips} for f in report.findings],
        "clips": [_clip(clip, report.settings) for clip in report.clips],
    }
    shown: dict[str, Any] = codec.rounded(made)
    return shown


def _speakers(report: Report) -> dict[str, Any]:
    """The voices of the set: the main one, that of the reference or the most frequent, and the others."""
    people = [
        {"speech_s": person.speech_s, "sure_ratio": person.sure_ratio, "clips": list(person.clips)}
        for person in report.voices.people
    ]
    return {"reference": report.voices.reference, "people": people}


def _finding(finding: Finding, settings: Settings) -> dict[str, Any]:
    evidence, unit = finding.evidence, _unit(finding, settings)
    return {
        "code": finding.code,
        "severity": str(finding.severity),
        "message": finding.message,
        "hint": finding.hint,
        "value": codec.rounded(evidence.value, unit),
        "limit": evidence.limit if evidence.limit in settings.values.values() else codec.rounded(evidence.limit, unit),
    }


def _unit(finding: Finding, settings: Settings) -> str:
    """A name that ends in the unit of the finding's value: that of the limit it was held against, else seconds."""
    subject, rule = rules().get(finding.code, (None, None))
    read = () if subject is None or rule is None else subject.reads(rule)
    return next((d.key for d in read if settings.values[d.key] == finding.evidence.limit), "_s")


def _clip(clip: Clip, settings: Settings) -> dict[str, Any]:
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
        "findings": [_finding(f, settings) | {"spans": f.evidence.spans} for f in clip.findings],
    }


def _readings(clip: Clip) -> dict[str, Any]:
    made = {}
    for name, kind in BY_SUBJECT.items():
        reading = clip.readings.by_type.get(kind)
        if reading is not None and name in SUBJECTS:
            facts = codec.shallow(reading)
            made[name] = {key: value for key, value in facts.items() if key not in HIDDEN or (key == "why" and value)}
    return made
