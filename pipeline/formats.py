"""The formats as a table, recognised by content: what a file is, which names fit it, how it is opened and inspected.

A row is all that a format needs; nothing else in voxgate branches on a format's name. Content outside the table is
recognised too, as far as it is audio, so that a report can say what a file is instead of only what it is not.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import BinaryIO, Final

from pipeline.containers import asf, ebml, flac, frames, id3_end, mp4, ogg, riff
from pipeline.records import Claim

HEAD_BYTES = 4096
TAGS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICSBE")
"""How ID3v2, ID3v1, APEv2 and Lyrics3 tags begin."""


@dataclass(frozen=True, slots=True)
class Container:
    """A way of wrapping audio: FFmpeg's demuxer for it and what reads its structure.

    `slack_s` is how far the structure's own count may lie from what decodes without anything being lost: codecs that
    count whole frames or superframes are off by up to that much. `with_video` are the extensions of the same wrapping when
    it holds moving pictures too, where that makes it another format, which is called like the first.

    A bare stream is nothing but frames, so that what someone hung on behind reaches the decoder: `frame_mask` has the bits
    that are the same at the start of all its frames, `frame_bytes` reads the length from there. `checksums`: each frame
    carries one. `stamped`: time stamps are the file's own. `next_part` finds, behind a byte, where another stream is
    chained on, and `goes_on` tells whether anything of the container follows there at all. `options`: how
    FFmpeg is to read this file, by its own names.
    """

    name: str
    demuxer: str
    claim: Callable[[BinaryIO, int], Claim] | None = None
    slack_s: float = 0.0
    with_video: tuple[str, ...] = ()
    frame_mask: bytes | None = None
    frame_bytes: Callable[[bytes], int | None] | None = None
    checksums: bool = False
    stamped: bool = True
    next_part: Callable[[BinaryIO, int], int | None] | None = None
    goes_on: Callable[[BinaryIO, int], bool] | None = None
    options: Callable[[BinaryIO], dict[str, str]] | None = None


WAVE = Container("wave", "wav", riff.claim, 0.001, options=riff.options)

WAVE64 = Container("wave64", "w64", riff.claim, 0.001)
MPEG = Container(
    "mpeg", "mp3", frames.claim_mpeg, 0.06, frame_mask=frames.MPEG_MASK, frame_bytes=frames.mpeg_length, stamped=False
)
FLAC = Container("flac", "flac", flac.claim, 0.001, frame_mask=flac.FRAME_MASK, checksums=True)
OGG = Container("ogg", "ogg", ogg.claim, next_part=ogg.next_part, goes_on=ogg.goes_on)
ADTS = Container(
    "adts", "aac", frames.claim_adts, 0.06, frame_mask=frames.ADTS_MASK, frame_bytes=frames.adts_length, stamped=False
)
ASF = Container("asf", "asf", asf.claim, 0.5, (".wmv", ".asf"))
MP4 = Container("mp4", "mov", mp4.claim, 0.1, (".mp4", ".mov", ".3gp"))
AC3 = Container(
    "ac3",
    "ac3",
    frames.claim_ac3,
    0.06,
    frame_mask=frames.AC3_MASK,
    frame_bytes=frames.ac3_length,
    checksums=True,
    stamped=False,
)
EAC3 = Container(
    "eac3",
    "eac3",
    frames.claim_ac3,
    0.06,
    frame_mask=frames.AC3_MASK,
    frame_bytes=frames.ac3_length,
    checksums=True,
    stamped=False,
)
WEBM = Container("webm", "matroska", ebml.claim, 0.1)
MATROSKA = Container("matroska", "matroska", ebml.claim, 0.1)


@dataclass(frozen=True, slots=True)
class Format:
    """A format that a profile may admit: what wraps it, and the codecs that its extension promises (`None`: any).

    `media_type` is its IANA or customary name, for those to whom a file is sent.
    """

    name: str
    extension: str
    containers: tuple[Container, ...]
    codecs: tuple[str, ...] | None = None
    note: str = ""
    media_type: str = "application/octet-stream"


FORMATS: Final = (
    Format(
        "wav",
        ".wav",
        (WAVE, WAVE64),
        None,
        "PCM, float, A-law, mu-law, ADPCM; RIFF, RF64, BW64 and Wave64",
        "audio/wav",
    ),
    Format("mp3", ".mp3", (MPEG,), ("mp3",), "MPEG-1, 2 and 2.5 layer III", "audio/mpeg"),
    Format("flac", ".flac", (FLAC,), None, "native FLAC", "audio/flac"),
    Format("ogg", ".ogg", (OGG,), None, "Ogg with Vorbis, Opus, FLAC or Speex", "audio/ogg"),
    Format("oga", ".oga", (OGG,), None, "Ogg, under its name for audio", "audio/ogg"),
    Format("ogx", ".ogx", (OGG,), None, "Ogg, under its name for anything multiplexed", "application/ogg"),
    Format("aac", ".aac", (ADTS,), None, "AAC as a bare ADTS stream", "audio/aac"),
    Format(
        "wma",
        ".wma",
        (ASF,),
        ("wmav1", "wmav2", "wmapro", "wmalossless", "wmavoice"),
        "WMA 1, 2, Pro, Lossless and Voice in ASF",
        "audio/x-ms-wma",
    ),
    Format("m4a", ".m4a", (MP4,), ("aac", "alac"), "AAC or ALAC in MPEG-4", "audio/mp4"),
    Format("opus", ".opus", (OGG,), ("opus",), "Ogg Opus", "audio/ogg"),
    Format("ac3", ".ac3", (AC3, EAC3), None, "AC-3 and E-AC-3", "audio/ac3"),
    Format("webm", ".webm", (WEBM,), ("opus", "vorbis"), "Opus or Vorbis, with or without video", "audio/webm"),
)

OTHERS: Final = (
    (Container("aiff", "aiff"), (".aif", ".aiff", ".aifc")),
    (Container("caf", "caf"), (".caf",)),
    (Container("au", "au"), (".au", ".snd")),
    (Container("amr", "amr"), (".amr",)),
    (Container("wavpack", "wv"), (".wv",)),
    (Container("monkey", "ape"), (".ape",)),
    (Container("true audio", "tta"), (".tta",)),
    (Container("musepack", "mpc8"), (".mpc",)),
    (Container("dsf", "dsf"), (".dsf",)),
    (Container("dts", "dts"), (".dts",)),
    (Container("avi", "avi"), (".avi",)),
    (Container("flv", "flv"), (".flv",)),
    (Container("musepack", "mpc"), (".mpc",)),
    (MATROSKA, (".mka", ".mkv")),
    (MP4, (".mp4", ".m4b", ".m4p", ".m4r", ".3gp", ".mov")),
    (ASF, (".asf", ".wmv")),
    (MPEG, (".mp2", ".mp1", ".mpga")),
    (WAVE, (".wave", ".bwf", ".rf64", ".w64")),
    (OGG, (".spx", ".ogv")),
    (EAC3, (".eac3", ".ec3")),
)
"""Audio that is recognised and decoded but is none of the twelve, and names under which people keep audio."""

EXTENSIONS: Final = frozenset((*(f.extension for f in FORMATS), *(e for _, names in OTHERS for e in names)))
"""A file with one of these names is a clip, whatever it holds."""

MAGIC: Final[tuple[tuple[int, bytes, Container], ...]] = (
    (0, b"fLaC", FLAC),
    (0, b"OggS", OGG),
    (0, asf.HEADER, ASF),
    (4, b"ftyp", MP4),
    (4, b"moov", MP4),
    (4, b"mdat", MP4),
    (0, riff.W64_RIFF, WAVE64),
    (0, b"caff", OTHERS[1][0]),
    (0, b".snd", OTHERS[2][0]),
    (0, b"#!AMR", OTHERS[3][0]),
    (0, b"wvpk", OTHERS[4][0]),
    (0, b"MAC ", OTHERS[5][0]),
    (0, b"TTA1", OTHERS[6][0]),
    (0, b"MPCK", OTHERS[7][0]),
    (0, b"MP+", OTHERS[12][0]),
    (0, b"DSD ", OTHERS[8][0]),
    (0, b"\x7f\xfe\x80\x01", OTHERS[9][0]),
    (0, b"FLV\x01", OTHERS[11][0]),
)


def sniff(file: BinaryIO) -> Container | None:
    """What wraps the audio in a file, from its content alone; `None` when it is nothing that we know to be audio.

    Reads a few kilobytes at the start and behind ID3v2 tags.
    """
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if head[:3] == b"ID3":
        file.seek(id3_end(file))
        head = file.read(HEAD_BYTES)
        return _by_magic(head) or _by_frames(head) or MPEG
    return _by_magic(head) or _by_frames(head)


def _by_magic(head: bytes) -> Container | None:
    if head[:4] in (b"RIFF", b"RF64", b"BW64"):
        return WAVE if head[8:12] == b"WAVE" else OTHERS[10][0] if head[8:12] == b"AVI " else None
    if head[:4] == b"FORM":
        return OTHERS[0][0] if head[8:12] in (b"AIFF", b"AIFC") else None
    if head[:4] == ebml.EBML_ID.to_bytes(4, "big"):
        return WEBM if ebml.doctype(head) == "webm" else MATROSKA
    return next((kind for at, magic, kind in MAGIC if head[at : at + len(magic)] == magic), None)


def _by_frames(head: bytes) -> Container | None:
    """Bare frame streams: two frames in a row, the first within a little junk (Xing encoders pad, radios cut)."""
    for at in range(min(len(head), 2048)):
        for length_of, kind in ((frames.adts_length, ADTS), (frames.ac3_length, AC3), (frames.mpeg_length, MPEG)):
            length = length_of(head[at : at + frames.HEADER_BYTES])
            if length is None:
                continue
            after = head[at + length : at + length + frames.HEADER_BYTES]
            if length_of(after) is not None or (at == 0 and not after):
                return EAC3 if kind is AC3 and head[at + 5] >> 3 > 10 else kind
    return None


def named(container: Container, codec: str, extension: str) -> str:
    """The name of what a file holds: a row's name where one fits, else the container's own.

    Ogg has four rows with the same content; the one that the file's extension names wins, if the codec allows it.
    """
    rows = _rows(container, codec)
    best = next((row for row in rows if row.extension == extension), None)
    if best is None:
        best = next((row for row in rows if row.codecs is not None), rows[0] if rows else None)
    return best.name if best is not None else codec if container is MPEG else container.name


def fitting(container: Container, codec: str) -> tuple[str, ...]:
    """The extensions that promise nothing but what the file holds."""
    mine = [row.extension for row in _rows(container, codec)]
    if not mine:
        mine = [name for kind, names in OTHERS if kind.name == container.name for name in names]
    return tuple(mine)


def _rows(container: Container, codec: str) -> list[Format]:
    plain = "mp3" if codec.startswith("mp3") else codec
    return [row for row in FORMATS if container in row.containers and (row.codecs is None or plain in row.codecs)]


def opened_by(names: str) -> Container | None:
    """What a demuxer opens that goes by these names, separated by commas as FFmpeg gives them."""
    kinds = [kind for row in FORMATS for kind in row.containers] + [kind for kind, _ in OTHERS]
    return next((kind for kind in kinds if kind.demuxer in names.split(",")), None)


def demuxers() -> Iterable[str]:
    """FFmpeg's names of all demuxers that may open a file of unknown content; none of them follows links elsewhere."""
    kinds = [kind for row in FORMATS for kind in row.containers] + [kind for kind, _ in OTHERS]
    return sorted({kind.demuxer for kind in kinds})
