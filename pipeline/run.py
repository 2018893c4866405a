"""The pipeline, top to bottom: find, examine each clip, decide, and write what became of it."""

import functools
import importlib
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline import __version__, catalogue, config
from pipeline.errors import DecodeError, MeasuringChanged, ModelError, SourceChanged, UsageError
from pipeline.outcome import Report
from pipeline.readings import Container
from pipeline.records import Clip, DatasetVerdict, Engine, Fault, Finding, Readings, Source
from pipeline.stages import decide, decode, derive, find, flag, manifest, measure, page, report
from pipeline.storage import codec
from pipeline.storage.files import make_folder, sha256_of, write_atomic
from pipeline.storage.journal import Entry, Journal, Roster, Stamp, last_run

log = logging.getLogger(__name__)

ENGINES = {"serial": "one clip after the other, in this process", "local": "several processes on this machine"}


@dataclass(frozen=True, slots=True)
class Request:
    """What a check is asked to do; `engine` is a name of `pipeline/engines`, `jobs` how many clips at once."""

    inputs: tuple[str, ...]
    out: Path
    profile: str = config.DEFAULT_PROFILE
    overrides: tuple[str, ...] = ()
    leave_out: frozenset[str] = frozenset()
    language: str | None = None
    engine: str = "serial"
    jobs: int = 1
    fresh: bool = False
    strict: bool = False


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
    if request.engine not in ENGINES:
        raise UsageError(f"there is no engine {request.engine}; there are {', '.join(ENGINES)}")
    settings = config.load(request.profile, request.overrides)
    found = find.find(request.inputs, request.out)
    sources = _without(found.sources, request.leave_out)
    make_folder(request.out)
    (request.out / manifest.NAME).unlink(missing_ok=True)
    journal = Journal(request.out)
    if not request.fresh:
        journal.load()
    watch.begin(sources)
    roster = Roster(
        root=found.root,
        ids=tuple(source.id for source in sources),
        skipped=found.skipped,
        left_out=tuple(sorted(request.leave_out)),
        language=request.language,
        measuring=settings.measuring_sha256,
        profile=request.profile,
        overrides=request.overrides,
    )
    clips = []
    try:
        for clip in _examined(sources, settings, journal, request):
            clips.append(clip)
            watch.finish(clip)
    except BaseException:
        journal.close(None)
        raise
    journal.close(roster)
    return _concluded(clips, settings, roster, request.out, strict=request.strict)


def judge(out: Path, profile: str | None = None, overrides: tuple[str, ...] = (), *, strict: bool = False) -> Report:
    """Decide again from OUT's journal, with other limits and without decoding.

    Without a profile the run's own profile and --set are taken, `overrides` on top. Raises RecordError when there is no
    finished run, MeasuringChanged when the settings would need a new decoding.
    """
    journal = Journal(out)
    journal.load()
    roster, entries = last_run(journal)
    config.refuse_measuring(overrides)
    kept = roster.overrides if profile is None else tuple(o for o in roster.overrides if config.measures(o))
    settings = config.load(roster.profile if profile is None else profile, (*kept, *overrides))
    if settings.measuring_sha256 != roster.measuring:
        raise MeasuringChanged("this profile measures otherwise than the run did; run check with it instead of judge")
    (out / manifest.NAME).unlink(missing_ok=True)
    return _concluded([entry.clip for entry in entries], settings, roster, out, strict=strict)


def examine(source: Source, settings: config.Settings, known_sha256: str | None = None) -> Clip:
    """Everything that happens to one file, in one worker, in bounded memory; findings are left to `flag`."""
    clip = Clip(source, sha256=known_sha256)
    try:
        before = Stamp.of(source.path)
        clip = replace(clip, sha256=known_sha256 or sha256_of(source.path))
        clip = _measured(clip, str(settings.values["speech.engine"]))
        _refuse_changed(source, before)
    except DecodeError as error:
        reading = Container(extension=Path(source.path).suffix.lower(), **{error.kind: error.why})  # type: ignore[arg-type]
        return replace(clip, readings=Readings().with_reading(reading))
    except OSError as error:
        reading = Container(unreadable=f"it cannot be read ({error.strerror})")
        return replace(clip, readings=Readings().with_reading(reading))
    except SourceChanged as error:
        return Clip(source, faults=(Fault(None, str(error)),))
    except Exception as error:
        log.debug("examining %s", source.id, exc_info=True)
        return Clip(source, sha256=clip.sha256, faults=(Fault(None, f"{type(error).__name__}: {error}"),))
    return clip


def _refuse_changed(source: Source, before: Stamp) -> None:
    if Stamp.of(source.path) != before:
        raise SourceChanged("it was changed while it was read; run again when nothing writes to it")


def _measured(clip: Clip, engine_name: str) -> Clip:
    """The clip with the readings of every subject, or of those that need no model when the model is missing."""
    subjects: Iterable[catalogue.Subject] = catalogue.clip_subjects()
    faults: tuple[Fault, ...] = ()
    engine = None
    try:
        engine = derive.activity_engine(engine_name)
    except ModelError as error:
        faults = tuple(Fault(s.name, str(error)) for s in subjects if "activity" in s.needs)
        subjects = [s for s in subjects if "activity" not in s.needs]
    with decode.Stream(clip.source.path) as stream:
        blocks = derive.derive(stream.info, stream.blocks(), engine)
        readings = measure.measure(stream.info, blocks, list(subjects))
        return replace(clip, info=stream.info, readings=readings.with_reading(stream.container()), faults=faults)


def _examined(
    sources: Sequence[Source], settings: config.Settings, journal: Journal, request: Request
) -> Iterable[Clip]:
    """Clips in any order: those that the journal knows, then the others as the engine finishes them."""
    todo = []
    for source in sources:
        clip = _known(source, settings, journal)
        if clip is None:
            todo.append(source)
        else:
            yield clip
    engine: Engine = importlib.import_module(f"pipeline.engines.{request.engine}").engine(request.jobs)
    task = functools.partial(examine, settings=settings)
    for clip in engine.map(task, todo, _lost):
        _record(clip, settings, journal)
        yield clip


def _known(source: Source, settings: config.Settings, journal: Journal) -> Clip | None:
    """What an earlier run measured in these very bytes."""
    sha256 = journal.sha256_by_stamp(source)
    if sha256 is None:
        return None
    return journal.reusable(source, sha256, settings.measuring_sha256, __version__)


def _record(clip: Clip, settings: config.Settings, journal: Journal) -> None:
    try:
        stamp = Stamp.of(clip.source.path)
    except OSError:
        stamp = None
    journal.add(Entry(clip, stamp, settings.measuring_sha256, __version__))


def _lost(source: Source, why: str) -> Clip:
    return Clip(source, faults=(Fault(None, why),))


def _without(sources: Sequence[Source], leave_out: frozenset[str]) -> list[Source]:
    unknown = sorted(leave_out - {source.id for source in sources})
    if unknown:
        raise UsageError(f"--leave-out {unknown[0]}: there is no clip of that id; the report lists the ids")
    return [source for source in sources if source.id not in leave_out]


def _concluded(clips: Sequence[Clip], settings: config.Settings, roster: Roster, out: Path, *, strict: bool) -> Report:
    """Flag, decide and write; the same for a fresh run and for one judged again."""
    flagged = [flag.flag(clip, catalogue.clip_subjects(), settings) for clip in clips]
    finder = functools.partial(_found_in, settings)
    decision = decide.decide(flagged, catalogue.corpus_subjects(), finder)
    made = Report(
        verdict=decide.strict(decision) if strict else decision.verdict,
        settings=settings,
        root=roster.root,
        clips=decision.clips,
        findings=decision.findings,
        extent=decision.extent,
        minimum_s=_number(settings, "extent.minimum_s"),
        target_s=_number(settings, "extent.target_s"),
        not_examined=report.not_examined([subject.name for subject in catalogue.clip_subjects()]),
        skipped=roster.skipped,
        left_out=roster.left_out,
        language=roster.language,
        version=__version__,
    )
    document = report.document(made)
    write_atomic(out / "report.json", codec.text(document) + "\n")
    write_atomic(out / "report.html", page.rendered(document))
    if made.verdict is DatasetVerdict.APPROVED:
        write_atomic(out / manifest.NAME, codec.text(manifest.document(made)) + "\n")
    return made


def _found_in(settings: config.Settings, subject: catalogue.Subject, reading: object) -> Iterable[Finding]:
    return flag.findings(subject, reading, Readings(), settings)


def _number(settings: config.Settings, key: str) -> float | None:
    value = settings.values[key]
    return float(value) if isinstance(value, (int, float)) else None


def default_jobs() -> int:
    """As many as there are processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
