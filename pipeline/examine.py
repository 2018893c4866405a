"""Examine one file, in one worker, in bounded memory: hash, decode once, derive, measure. Never raises for a bad file.

This is all that a worker process imports, and all that crosses its border: a Source goes in, a Clip comes out.
"""

import functools
import logging
from dataclasses import replace
from pathlib import Path

from pipeline import catalogue, models
from pipeline.allocation import keep_freed_memory
from pipeline.catalogue import Subject
from pipeline.errors import DecodeError, ModelError, SourceChanged
from pipeline.readings import BY_SUBJECT, Container
from pipeline.records import Clip, Fault, Readings, Source
from pipeline.stages import decode, derive, measure
from pipeline.storage import codec
from pipeline.storage.files import Stamp, sha256_of

log = logging.getLogger(__name__)


def examine(source: Source, activity: str, unwanted: frozenset[str] = frozenset()) -> Clip:
    """The clip with all readings, and with a fault for whatever failed; findings are left to `flag`.

    `activity` names the voice activity engine, `unwanted` the subjects that are switched off.
    """
    keep_freed_memory()
    clip = Clip(source)
    try:
        before = Stamp.of(source.path)
        clip = Clip(replace(source, bytes=before.bytes), sha256=sha256_of(source.path))
    except OSError as error:
        return _undecoded(clip, DecodeError("unreadable", _why_not_read(source, error)))
    try:
        clip = _decoded(clip, activity, unwanted, before)
    except SourceChanged as error:
        return Clip(source, faults=(Fault(None, str(error)),))
    except (
        Exception
    ) as error:  # an OSError too: the whole file could be read a moment ago, so it is none of the audio's
        log.debug("examining %s", source.id, exc_info=True)
        return replace(clip, faults=(Fault(None, f"{type(error).__name__}: {error}"),))
    return clip


def _decoded(clip: Clip, activity: str, unwanted: frozenset[str], before: Stamp) -> Clip:
    """The clip with all readings, or with why it does not decode. Raises SourceChanged where it is another file by now."""
    try:
        clip = _measured(clip, activity, unwanted)
    except DecodeError as error:
        clip = _undecoded(clip, error)
    if Stamp.found(clip.source.path) != before:
        raise SourceChanged("it was changed while it was read; run again when nothing writes to it")
    return clip


def _undecoded(clip: Clip, error: DecodeError) -> Clip:
    """A clip of which is known only why it does not decode."""
    reading = Container(
        extension=Path(clip.source.path).suffix.lower(),
        unreadable=error.why if error.kind == "unreadable" else None,
        no_audio=error.why if error.kind == "no_audio" else None,
    )
    return replace(clip, readings=Readings().with_reading(reading))


def _why_not_read(source: Source, error: OSError) -> str:
    if Path(source.path).is_symlink() and not Path(source.path).exists():
        return "it is a link to a file that is not there"
    return f"it cannot be read ({error.strerror})"


def _measured(clip: Clip, activity: str, unwanted: frozenset[str]) -> Clip:
    """The clip with the readings of every subject, or of those that need no model when the model is missing."""
    subjects = [subject for subject in catalogue.clip_subjects() if subject.name not in unwanted]
    faults = _without_model(subjects)
    engine = None
    try:
        engine = derive.activity_engine(activity)
    except ModelError as error:
        faults += [Fault(s.name, str(error)) for s in subjects if "activity" in s.needs]
        subjects = [s for s in subjects if "activity" not in s.needs]
    with decode.Stream(clip.source.path) as stream:
        blocks = derive.derive(stream.info, stream.blocks(), engine)
        readings = measure.measure(stream.info, blocks, subjects).with_reading(stream.container())
    unsound = _unsound(readings)
    faults += [Fault(name, why) for name, why in unsound.items()]
    sound = {BY_SUBJECT[name]: readings[BY_SUBJECT[name]] for name in _names(readings) if name not in unsound}
    return replace(clip, info=stream.info, readings=Readings(dict(sound)), faults=tuple(faults))


def _without_model(subjects: list[Subject]) -> list[Fault]:
    """Take out the subjects whose own network is missing, and say so."""
    faults = []
    for subject in [s for s in subjects if s.models]:
        try:
            for name in subject.models:
                _located(name)
        except ModelError as error:
            faults.append(Fault(subject.name, str(error)))
            subjects.remove(subject)
    return faults


@functools.cache
def _located(name: str) -> Path:
    """Looked for once in a process, for it reads the whole file."""
    return models.locate(name)


def _unsound(readings: Readings) -> dict[str, str]:
    """Subjects that measured what no report can hold, a float that is not a number or a foreign type, and why."""
    found = {}
    for name in _names(readings):
        try:
            codec.refuse_unsound(readings[BY_SUBJECT[name]])
        except (TypeError, ValueError) as error:
            found[name] = f"it measured something that is no number ({error})"
    return found


def _names(readings: Readings) -> list[str]:
    return [name for name, kind in BY_SUBJECT.items() if readings.get(kind) is not None]
