"""The pipeline, top to bottom: find, examine each clip, decide, and write what became of it."""

import functools
import importlib
import os
import pkgutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline import __version__, catalogue, config, engines, exports
from pipeline.errors import MeasuringChanged, NotExamined, NothingToCheck, UsageError
from pipeline.journal import Entry, Journal, Roster, Terms
from pipeline.outcome import Report
from pipeline.readings import Container, Reference, Speakers
from pipeline.records import Absence, Clip, DatasetVerdict, Engine, Fault, Finding, Readings, Source
from pipeline.stages import decide, find, flag, manifest, page, report
from pipeline.stages import export as exporting
from pipeline.storage import codec
from pipeline.storage.files import Stamp, make_folder, remove, write_atomic
from pipeline.task import Examination

VOICELESS = "webrtcvad"
"""The voice activity engine that cannot tell one voice from another."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a check is asked to do; `engine` is a name of `pipeline/engines`, `jobs` how many clips at once.

    Raises UsageError where that asks for nothing.
    """

    inputs: tuple[str, ...]
    out: Path
    profile: str = config.DEFAULT_PROFILE
    overrides: tuple[str, ...] = ()
    leave_out: frozenset[str] = frozenset()
    language: str | None = None
    reference: str | None = None
    engine: str = "serial"
    jobs: int = 1
    fresh: bool = False
    strict: bool = False

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise UsageError(f"{self.jobs} jobs do nothing; ask for one or more")
        if not self.inputs:
            raise UsageError("there is nothing to check; name a folder, a file, or several")


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who is told how a check goes: `begin` once with all clips, `finish` with each one that is done."""

    begin: Callable[[Sequence[Source]], None] = field(default=lambda _sources: None)
    finish: Callable[[Clip], None] = field(default=lambda _clip: None)


def check(request: Request, watcher: Watcher | None = None) -> Report:
    """Examine everything under the inputs, decide, and write journal, report and, if approved, the manifest.

    Raises UsageError, SettingsError or OutputError; what is wrong with a clip is in the report.
    """
    watch = Watcher() if watcher is None else watcher
    if request.engine not in engine_names():
        raise UsageError(f"there is no engine {request.engine}; there are {', '.join(engine_names())}")
    settings = config.load(request.profile, request.overrides)
    try:
        found = find.find(request.inputs, request.out)
    except NothingToCheck:
        remove(request.out / manifest.NAME)  # what it approved is gone
        raise
    sources = _without(found.sources, request.leave_out)
    reference = None if request.reference is None else reference_voice(request.reference, settings)
    make_folder(request.out)
    remove(request.out / manifest.NAME)
    journal = Journal(request.out)
    if not request.fresh:
        journal.load()
    roster = Roster(
        root=found.root,
        sources=tuple(sources),
        measuring=settings.measuring_sha256,
        version=__version__,
        profile=config.located(request.profile),
        skipped=found.skipped,
        left_out=tuple(sorted(request.leave_out)),
        switched_off=_switched_off(settings),
        overrides=request.overrides,
        language=request.language,
        reference=reference,
    )
    watch.begin(sources)
    clips = []
    try:
        for clip in _examined(sources, settings, journal, request):
            clips.append(clip)
            watch.finish(clip)
    finally:
        journal.close()
    journal.finish(roster)
    return _concluded(clips, settings, roster, request.out, strict=request.strict)


def judge(
    out: Path,
    profile: str | None = None,
    overrides: tuple[str, ...] = (),
    *,
    reference: str | None = None,
    strict: bool = False,
) -> Report:
    """Decide again from OUT's journal, with other limits or another reference voice, and without decoding the clips.

    Without a profile the run's own profile and --set are taken, `overrides` on top. Raises RecordError when there is no
    finished run, MeasuringChanged when the settings would need a new decoding.
    """
    journal = Journal(out)
    journal.load()
    roster, clips = journal.last_run(__version__)
    config.refuse_measuring(overrides)
    kept = roster.overrides if profile is None else tuple(o for o in roster.overrides if config.measures(o))
    settings = config.load(roster.profile if profile is None else profile, (*kept, *overrides))
    if settings.measuring_sha256 != roster.measuring:
        raise MeasuringChanged("this profile measures otherwise than the run did; run check with it instead of judge")
    if reference is not None:
        roster = replace(roster, reference=reference_voice(reference, settings))
    remove(out / manifest.NAME)
    journal.judged(
        Terms(
            roster.profile if profile is None else config.located(profile),
            (*kept, *overrides),
            roster.reference,
            strict,
        )
    )
    return _concluded(clips, settings, roster, out, strict=strict)


def export(out: Path, to: str, folder: Path) -> list[Path]:
    """Write OUT's run as the files of another tool.

    Raises UsageError, RecordError, OutputError, and Refused when a training list is wanted of a set that is not approved.
    """
    if to not in export_names():
        raise UsageError(f"--to {to}: there is no such export; there are {', '.join(export_names())}")
    format_ = importlib.import_module(f"pipeline.exports.{to}")
    return exporting.write(format_.files, exporting.selected(out, approved=format_.APPROVED), folder)


def _examined(
    sources: Sequence[Source], settings: config.Settings, journal: Journal, request: Request
) -> Iterable[Clip]:
    """Clips in any order: those that the journal knows, then the others as the engine finishes them."""
    measuring = settings.measuring_sha256
    stamps: dict[str, Stamp | None] = {}
    todo = []
    for source in sources:
        stamps[source.id] = Stamp.found(source.path)
        clip = journal.known(source, stamps[source.id], measuring, __version__)
        if clip is None:
            todo.append(source)
        else:
            yield clip
    if not todo:
        return
    engine: Engine = importlib.import_module(f"pipeline.engines.{request.engine}").engine(request.jobs)
    unwanted = frozenset(absence.subject for absence in _switched_off(settings))
    task = Examination(str(settings.values["speech.engine"]), unwanted)
    for clip in engine.map(task, todo, _lost):
        journal.add(Entry(clip, stamps[clip.source.id], measuring, __version__))
        yield clip


def reference_voice(path: str, settings: config.Settings) -> Reference:
    """The voice of a recording that the set is held against.

    Raises UsageError where it holds none or several, NotExamined where we failed to look, as without the weights.
    """
    if any(absence.subject == "speakers" for absence in _switched_off(settings)):
        raise UsageError("--reference needs the subject speakers, which is switched off; leave that out")
    if not Path(path).is_file():
        raise UsageError(f"--reference {path}: there is no such file")
    source = Source(Path(path).name, path, Path(path).stat().st_size)
    unwanted = frozenset(s.name for s in catalogue.clip_subjects() if s.name != "speakers")
    clip = Examination(str(settings.values["speech.engine"]), unwanted)(source)
    speakers = clip.readings.get(Speakers) or Speakers()
    if clip.faults:
        raise NotExamined(f"--reference {path} could not be examined: {clip.faults[0].why}")
    if not speakers.voices:
        why = (clip.readings.get(Container) or Container()).unreadable or speakers.why or "nobody speaks in it"
        raise UsageError(f"--reference {path} holds no voice to compare with: {why}")
    if speakers.count != 1:
        raise UsageError(f"--reference {path} holds {speakers.count} voices; name a recording of the wanted one alone")
    return Reference(
        path, speakers.voices[0], speakers.prints[0], speakers.second_prints[0], speakers.telephone is True
    )


def _switched_off(settings: config.Settings) -> tuple[Absence, ...]:
    """The subjects whose engine is set to "off", or that the voice activity engine leaves without what they need."""
    off = []
    for subject in catalogue.clip_subjects():
        key = f"{subject.name}.engine"
        if settings.values.get(key) == "off":
            off.append(Absence(subject.name, f"switched off with {key}=off"))
        elif "voices" in subject.needs and settings.values["speech.engine"] == VOICELESS:
            off.append(Absence(subject.name, f"speech.engine={VOICELESS} hears no voices"))
    return tuple(off)


def _lost(source: Source, why: str) -> Clip:
    return Clip(source, faults=(Fault(None, why),))


def _without(sources: Sequence[Source], leave_out: frozenset[str]) -> list[Source]:
    unknown = sorted(leave_out - {source.id for source in sources})
    if unknown:
        raise UsageError(f"--leave-out {unknown[0]}: there is no clip of that id; the report lists the ids")
    kept = [source for source in sources if source.id not in leave_out]
    if not kept:
        raise NothingToCheck("--leave-out leaves no clip to check; leave fewer out")
    return kept


def _concluded(clips: Sequence[Clip], settings: config.Settings, roster: Roster, out: Path, *, strict: bool) -> Report:
    """Decide and write; the same for a fresh run and for one judged again."""
    made = decided(clips, settings, roster, strict=strict)
    document = report.document(made)
    write_atomic(out / "report.json", codec.page(document) + "\n")
    write_atomic(out / "report.html", page.rendered(document))
    if made.verdict is DatasetVerdict.APPROVED:
        write_atomic(out / manifest.NAME, codec.page(manifest.document(made)) + "\n")
    return made


def decided(clips: Sequence[Clip], settings: config.Settings, roster: Roster, *, strict: bool) -> Report:
    """Flag and decide: pure, so that the same clips and terms always lead to the same."""
    flagged = [flag.flag(clip, catalogue.clip_subjects(), settings) for clip in clips]
    finder = functools.partial(_found_in, settings)
    decision = decide.decide(flagged, catalogue.corpus_subjects(), finder, roster.reference)
    return Report(
        verdict=decide.strict(decision) if strict else decision.verdict,
        settings=settings,
        root=roster.root,
        clips=decision.clips,
        findings=decision.findings,
        extent=decision.extent,
        minimum_s=_number(settings, "extent.minimum_s"),
        target_s=_number(settings, "extent.target_s"),
        not_examined=report.not_examined([s.name for s in catalogue.clip_subjects()], roster.switched_off),
        skipped=roster.skipped,
        left_out=roster.left_out,
        language=roster.language,
        voices=decision.voices,
        version=__version__,
    )


def _found_in(settings: config.Settings, subject: catalogue.Subject, reading: object) -> Iterable[Finding]:
    return flag.findings(subject, reading, Readings(), settings)


def _number(settings: config.Settings, key: str) -> float | None:
    value = settings.values[key]
    return float(value) if isinstance(value, (int, float)) else None


def speakers_override(choice: str) -> tuple[str, ...]:
    """What `--speakers` sets. Raises UsageError for a choice that this version does not have."""
    if choice == "auto":
        return ()
    key = "speakers.engine"
    choices = catalogue.declared_limits()[key].choices
    if choice not in choices:
        raise UsageError(f"--speakers {choice} is not available in this version; choose auto, {' or '.join(choices)}")
    return (f"{key}={choice}",)


def engine_names() -> list[str]:
    """The engines that there are, a module each."""
    return sorted(module.name for module in pkgutil.iter_modules(engines.__path__))


def export_names() -> list[str]:
    """The exports that there are, a module each."""
    return sorted(module.name for module in pkgutil.iter_modules(exports.__path__))


def default_jobs() -> int:
    """As many as there are processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
