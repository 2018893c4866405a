"""The gate: lets through what the manifest approves, byte for byte, and says of everything else why not.

It stands in the path: a provider is given Cleared records alone, and they are made nowhere else. The manifest is not believed,
for its digest guards against accidents only: it is held against what the journal beside it leads to when it is judged again.
"""

import os
import re
import stat
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import Refused
from pipeline.formats import FORMATS
from pipeline.inventory import NAME_DIGITS
from pipeline.remote import MANIFEST_SCHEMA, Cleared, Facts, Onlooker
from pipeline.storage import codec
from pipeline.storage.files import Stamp, sha256_of
from pipeline.words import clock, count, printable

NAME_LETTERS = 40
LEADS_ELSEWHERE = "the journal, judged again, leads to another manifest"
ROWS = {row.name: row for row in FORMATS}


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms somebody wants through: the speaker's consent in words, and whether unexamined subjects may pass."""

    consent: str | None
    allow_unexamined: bool = False


@dataclass(frozen=True, slots=True)
class Ground:
    """What a manifest is held against: the same judged again from the journal (or why that failed), and each file's stamp."""

    remade: Mapping[str, Any] | None
    why: str | None
    stamps: Mapping[str, Stamp | None]


def clear(
    manifest: Mapping[str, Any], ground: Ground, facts: Facts, terms: Terms, onlooker: Onlooker
) -> tuple[Cleared, ...]:
    """Everything that the manifest approves, each content once. Raises Refused with every reason against it.

    Every file is read and hashed before anything can be sent.
    """
    reasons = list(paper(manifest, ground))
    approved = ground.remade or {}  # from here on nothing is taken from the manifest itself
    if not reasons:
        reasons.extend((*unfit(approved, facts), *_files(approved, ground, onlooker)))
    reasons.extend(_terms(approved, terms))
    if reasons:
        listed = "\n".join(f"  - {reason}" for reason in reasons)
        raise Refused(f"nothing was sent, for {count(len(reasons), 'reason')}:\n{listed}")
    return _cleared(approved)


def paper(manifest: Mapping[str, Any], ground: Ground) -> Iterator[str]:
    """What is wrong with the manifest itself."""
    if manifest.get("schema") != MANIFEST_SCHEMA:
        yield f"this is no {MANIFEST_SCHEMA}: it says {printable(str(manifest.get('schema')))}"
        return
    if manifest.get("sha256") != codec.digest(manifest):
        yield "the manifest was changed after it was written: its digest is another; run check again"
        return
    if ground.remade is None:
        yield f"the journal beside the manifest cannot be judged again: {ground.why}"
        return
    clips = manifest.get("clips")
    if not isinstance(clips, list) or not all(
        isinstance(clip, dict) and isinstance(clip.get("id"), str) for clip in clips
    ):
        yield "the manifest's clips do not read; run check again"
    elif ground.remade != manifest:
        differences = list(_differences(manifest, ground.remade))
        yield from differences or [
            f"{LEADS_ELSEWHERE}: its clips or totals are listed otherwise; run check or judge again"
        ]
    elif not clips:
        yield "the manifest is empty: it approves nothing"


def _differences(manifest: Mapping[str, Any], remade: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(manifest.keys() | remade.keys()):
        if name not in ("clips", "sha256", "totals") and manifest.get(name) != remade.get(name):
            yield f"{LEADS_ELSEWHERE}: {name} differs; run check or judge again"
    listed, approved = ({clip["id"]: clip for clip in made["clips"]} for made in (manifest, remade))
    for id_ in sorted(listed.keys() | approved.keys()):
        if listed.get(id_) != approved.get(id_):
            what = "is not approved" if id_ not in approved else "is missing" if id_ not in listed else "differs"
            yield f"{LEADS_ELSEWHERE}: {printable(id_)} {what}; run check or judge again"


def unfit(manifest: Mapping[str, Any], facts: Facts) -> Iterator[str]:
    """What speaks against handing this very set to this provider."""
    profile = manifest.get("profile") or {}
    if facts.uses is not None:
        if profile.get("provider") != facts.name:
            yield (
                f"the profile {profile.get('name')} approves for {profile.get('provider') or 'no provider'}, not for "
                f"{facts.name}; judge with a profile of {facts.name}'s (`voxgate list profiles`)"
            )
        elif profile.get("use") not in facts.uses:
            uses = " or ".join(facts.uses)
            yield f"the profile {profile.get('name')} approves for {profile.get('use')}; a dataset there is for {uses}"
    for clip in manifest.get("clips") or ():
        name = printable(str(clip.get("id")))
        if clip.get("format") not in facts.formats:
            yield f"{name}: {facts.name} takes no {clip.get('format')}"
        if facts.max_bytes is not None and clip["bytes"] > facts.max_bytes:
            yield f"{name}: {clip['bytes']} bytes, {facts.name} takes {facts.max_bytes}"
        if facts.min_s is not None and clip["decoded_s"] < facts.min_s:
            yield f"{name}: {clock(clip['decoded_s'])} long, {facts.name} takes {clock(facts.min_s)} and more"
        if facts.max_s is not None and clip["decoded_s"] > facts.max_s:
            yield f"{name}: {clock(clip['decoded_s'])} long, {facts.name} takes {clock(facts.max_s)} at most"


def _terms(manifest: Mapping[str, Any], terms: Terms) -> Iterator[str]:
    if terms.consent is None or not terms.consent.strip():
        yield (
            "consent is not stated: say with --consent who agreed to what, for example "
            "--consent 'Ada Byron agreed on 2026-11-01 that her voice is cloned for our audiobooks'"
        )
    for absence in manifest.get("not_examined") or ():
        if not terms.allow_unexamined:
            yield f"nobody has examined {absence['subject']} ({absence['why']}); examine it, or add --allow-unexamined"


def _files(manifest: Mapping[str, Any], ground: Ground, onlooker: Onlooker) -> Iterator[str]:
    clips: Sequence[Mapping[str, Any]] = manifest["clips"]
    onlooker.begin("hashing", sum(clip["bytes"] for clip in clips))
    for clip in clips:
        why = _changed(Path(manifest["root"]), clip, ground.stamps.get(clip["id"]))
        onlooker.advance(clip["bytes"])
        if why is not None:
            yield f"{printable(clip['id'])}: {why}; check again"


def _changed(root: Path, clip: Mapping[str, Any], stamp: Stamp | None) -> str | None:
    """Why a file is not the approved one; `None` where it is."""
    path = root / clip["path"]
    try:
        now = path.stat()
        if not stat.S_ISREG(now.st_mode):
            return "it is no file any more"
        if (stamp is None or stamp.inode != now.st_ino) and _linked(root, path):
            return f"it is reached by a link now, to {printable(os.path.realpath(path))}"
        if now.st_size != clip["bytes"]:
            return f"it has {now.st_size} bytes, {clip['bytes']} were approved"
        if sha256_of(path) != clip["sha256"]:
            return "its bytes are not the approved ones"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None


def _linked(root: Path, path: Path) -> bool:
    """Whether a link stands in the way below the root."""
    plain = os.path.normpath(os.path.join(os.path.realpath(root), os.path.relpath(path, root)))  # noqa: PTH118
    return os.path.realpath(path) != plain


def names(manifest: Mapping[str, Any]) -> dict[str, int]:
    """The names that a manifest's files get elsewhere, with their sizes; one for each content."""
    return {_name(same[0]): same[0]["bytes"] for same in _by_content(manifest)}


def _cleared(manifest: Mapping[str, Any]) -> tuple[Cleared, ...]:
    return tuple(
        Cleared(
            ids=tuple(clip["id"] for clip in same),
            path=str(Path(manifest["root"]) / same[0]["path"]),
            sha256=same[0]["sha256"],
            bytes=same[0]["bytes"],
            media_type=ROWS[same[0]["format"]].media_type,
            decoded_s=same[0]["decoded_s"],
            name=_name(same[0]),
        )
        for same in _by_content(manifest)
    )


def _by_content(manifest: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for clip in manifest["clips"]:
        found.setdefault(clip["sha256"], []).append(clip)
    return list(found.values())


def _name(clip: Mapping[str, Any]) -> str:
    return remote_name(clip["sha256"], clip["id"], ROWS[clip["format"]].extension)


def remote_name(sha256: str, id_: str, extension: str) -> str:
    """The name that a file gets elsewhere: a part of its digest, what ASCII has of its own name, and its format's extension."""
    stem = os.path.splitext(id_.rpartition("/")[2])[0]  # noqa: PTH122 - an id is no path
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode("ascii")
    slug = re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-")[:NAME_LETTERS].strip("-") or "clip"
    return f"{sha256[:NAME_DIGITS]}-{slug}{extension}"
