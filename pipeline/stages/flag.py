"""Flag a clip or the dataset: run the checks over the readings and render their evidence as findings. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pipeline.catalogue import NOT_MEASURED, Rule, Subject
from pipeline.config import Settings
from pipeline.records import Clip, Evidence, Finding, Readings


def flag(clip: Clip, subjects: Sequence[Subject], settings: Settings) -> Clip:
    """The clip with all findings that follow from its readings and faults, and no others."""
    found: list[Finding] = []
    for subject in subjects:
        reading = clip.readings.by_type.get(subject.kind) if subject.kind is not None else None
        if reading is not None:
            found.extend(findings(subject, reading, clip.readings, settings))
    for fault in clip.faults:
        subject_name = "" if fault.subject is None else f"{fault.subject}: "
        found.append(_finding(NOT_MEASURED, Evidence(detail=f"{subject_name}{fault.why}"), settings))
    return replace(clip, findings=()).with_findings(tuple(found))


def findings(subject: Subject, reading: Any, readings: Readings, settings: Settings) -> Iterator[Finding]:
    """What the subject's checks find in a reading, with texts and severities in force."""
    limits = settings.limits(subject)
    for rule in subject.rules:
        for evidence in subject.evidence(rule, reading, readings, limits):
            yield _finding(rule, evidence, settings)


def _finding(rule: Rule, evidence: Evidence, settings: Settings) -> Finding:
    severity = evidence.severity if evidence.severity is not None else rule.severity
    severity = settings.severities.get(rule.code, severity)
    facts = {"value": evidence.value, "limit": evidence.limit, "detail": evidence.detail}
    return Finding(rule.code, severity, rule.says.format(**facts), rule.hint.format(**facts), evidence)
