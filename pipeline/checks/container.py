"""Container: what the file is, whether it is whole, and whether it is what it says. Read by the decoder itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.catalogue import Limits, Subject, limit
from pipeline.formats import FORMATS
from pipeline.readings import Container
from pipeline.records import Evidence, Severity, Span

GUIDE = "docs.cartesia.ai, clone-voices-pro/playground, read 2026-11-20"
API_PAGE = "docs.cartesia.ai/ja-jp/api-reference/datasets/upload-file, read 2026-11-20"
PER_CHANNEL = "per channel, of the coded sound over its decoded time; below it the codec audibly colours speech"


@dataclass(frozen=True, slots=True)
class ContainerLimits(Limits):
    """Which files a provider takes, and how much a file may lie or lack."""

    formats: tuple[str, ...] = limit(
        tuple(f.name for f in FORMATS), "the formats that the provider's guide names", GUIDE, looser="longer"
    )
    safe_formats: tuple[str, ...] = limit(
        ("wav", "mp3", "flac", "ogg", "oga", "webm"),
        "the formats that the API page names as well",
        API_PAGE,
        looser="longer",
    )
    max_lost_s: float | None = limit(1.0, "less than a second at the end is a cut word, not a cut take")
    max_lost_ratio: float | None = limit(0.01, "of a clip's length; more means that something went wrong on the way")
    max_mismatch_s: float | None = limit(0.5, "codec delay and rounding stay below it")
    max_mismatch_ratio: float | None = limit(0.01, "of the decoded length: constant-rate estimates are this good")
    min_clip_s: float | None = limit(None, "the provider sets no minimum for one clip")
    max_clip_s: float | None = limit(None, "the provider sets no maximum for one clip")
    min_sample_rate_hz: int | None = limit(
        16_000, "below it a professional voice is rejected", "Azure custom voice, data rules"
    )
    min_full_sample_rate_hz: int | None = limit(
        24_000, "what a professional voice is trained at", "Azure custom voice, data rules"
    )
    min_mp3_kbps: float | None = limit(48.0, PER_CHANNEL)
    min_aac_kbps: float | None = limit(32.0, PER_CHANNEL)
    min_vorbis_kbps: float | None = limit(32.0, PER_CHANNEL)
    min_opus_kbps: float | None = limit(14.0, "per channel; below it libopus gives up the full band of a voice")
    min_wma_kbps: float | None = limit(48.0, PER_CHANNEL)
    min_ac3_kbps: float | None = limit(48.0, PER_CHANNEL)


SUBJECT = Subject("container", ContainerLimits, Container)


def _usable(container: Container) -> bool:
    return container.unreadable is None and container.no_audio is None


@SUBJECT.check(
    "UNREADABLE",
    Severity.ERROR,
    says="cannot be decoded: {detail}",
    hint="Export it again from the original project, or leave it out; a provider cannot read it either.",
    means="Nothing could be decoded: the file is damaged, encrypted, or holds something other than audio.",
)
def unreadable(container: Container, limits: ContainerLimits) -> Iterator[Evidence]:
    """Fires when the decoder gave up before the first sample."""
    if container.unreadable is not None:
        yield Evidence(detail=container.unreadable)


@SUBJECT.check(
    "NO_AUDIO",
    Severity.ERROR,
    says="holds no audio: {detail}",
    hint="Leave it out, or export the sound track.",
    means="The file can be opened, but there is no audio stream in it, or one without a single sample.",
)
def no_audio(container: Container, limits: ContainerLimits) -> Iterator[Evidence]:
    """Fires when there is no audio stream or no sample."""
    if container.no_audio is not None:
        yield Evidence(detail=container.no_audio)


@SUBJECT.check(
    "UNSUPPORTED_FORMAT",
    Severity.ERROR,
    says="is {value}, which the provider does not take (it takes {limit})",
    hint="Export it again from the original in a format that is taken, lossless where there is one: {limit}.",
    means="By its content, not its name, the file is none of the formats that the provider lists.",
)
def unsupported_format(container: Container, limits: ContainerLimits) -> Iterator[Evidence]:
    """Fires for a format outside the profile's list."""
    if _usable(container) and container.format not in limits.formats:
        yield Evidence(container.format, ", ".join(limits.formats))


@SUBJECT.check(
    "FORMAT_AT_RISK",
    Severity.WARNING,
    says="is {value}, which the provider's guide names and its API page does not",
    hint="Export it as FLAC or WAV to be safe.",
    means="The provider's own pages differ on this format: the guide for people takes it, the API's list does not.",
)
def format_at_risk(container: Container, limits: ContainerLimits) -> Iterator[Evidence]:
    """Fires for a format that only one of the provider's two lists has."""
    if _usable(container) and container.format in limits.formats and container.format not in limits.safe_formats:
        yield Evidence(container.format, ", ".join(limits.safe_formats))


@SUBJECT.check(
    "EXTENSION_MISMATCH",
    Severity.WARNING,
    says="is named {value}, but its content is {detail} (named {limit})",
    hint="Rename it to what it is, or export it again under its name.",
    means="Name and content disagree. A provider that goes by the name will refuse or misread the file.",
)
def extension_mismatch(container: Container, limits: ContainerLimits) -> Iterator[Evidence]:
    """Fires when the extension promises another content."""
    if _usable(container) and container.extensions and container.extension not in container.extensions:
        yield Evidence(
            container.extension or "without an extension", " or ".join(container.extensions), detail=container.format
        )


@SUBJECT.check(
    "TRUNCATED",
    Severity.WARNING,
    says="is cut short or damaged: {detail}",
    hint="Copy or export it again from the original; what could be read is counted, the rest is lost.",
    means="The file ends before it should or has damaged places. Decoders pass over this in silence and players show "
    "the full length, so the missing part is noticed nowhere else.",
    gravest=Severity.ERROR,
)
def truncated(container: Container, limits: ContainerLimits) -> Iterator[Evidence]:
    """Fires on a structure that ends early, packets that do not decode, and less decoded than counted."""
    if not _usable(container) or container.decoded_s is None or (container.cut is None and container.errors == 0):
        return
    end = container.decoded_s
    told = [container.cut] if container.cut is not None else []
    if container.errors:
        told.append(f"{container.errors} place{'s' * (container.errors > 1)} did not decode")
    lost_s = container.lost_s
    told.append("how much is lost cannot be known" if lost_s is None else f"about {max(lost_s, 0.01):.2f} s are lost")
    weight = _loss_weight(container, limits)
    if weight is Severity.ERROR and lost_s is not None and limits.max_lost_s is not None:
        told[-1] += f", where {limits.max_lost_s:g} s or more is too much"
    spans = container.error_spans or (Span(end, end),)
    yield Evidence(lost_s, limits.max_lost_s, spans, detail="; ".join(told), severity=weight)


def _loss_weight(container: Container, limits: ContainerLimits) -> Severity:
    """A loss is grave when it is long, or unknown where the container ought to say where its stream ends."""
    lost_s, decoded_s = container.lost_s, container.decoded_s or 0.0
    if lost_s is None:
        bare = container.cut is None or container.cut.endswith("last frame")
        return Severity.WARNING if bare else Severity.ERROR
    long = limits.max_lost_s is not None and lost_s >= limits.max_lost_s
    large = limits.max_lost_ratio is not None and lost_s >= limits.max_lost_ratio * (decoded_s + lost_s)
    return Severity.ERROR if long or large else Severity.WARNING


@SUBJECT.check(
    "DURATION_MISMATCH",
    Severity.WARNING,
    says="{detail}",
    hint="Only decoded minutes are counted here. Export it again so that players and providers count the same.",
    means="The header's length is not the decoded one: variable rate without an index, a bare stream, chained or live "
    "recordings. A provider that believes headers counts other minutes than you have.",
)
def duration_mismatch(container: Container, limits: ContainerLimits) -> Iterator[Evidence]:
    """Fires when declared and decoded length differ by more than both limits, or none is declared."""
    declared_s, decoded_s = container.declared_s, container.decoded_s
    if not _usable(container) or decoded_s is None:
        return
    if declared_s is None:
        yield Evidence(None, decoded_s, detail=f"declares no length and decodes to {decoded_s:.2f} s")
    elif _mismatch(abs(declared_s - decoded_s), decoded_s, limits):
        yield Evidence(declared_s, decoded_s, detail=f"declares {declared_s:.2f} s and decodes to {decoded_s:.2f} s")


def _mismatch(difference_s: float, decoded_s: float, limits: ContainerLimits) -> bool:
    """Whether a difference is over both limits; one that is off is never exceeded."""
    most_s, most_ratio = limits.max_mismatch_s, limits.max_mismatch_ratio
    return most_s is not None and most_ratio is not None and difference_s > max(most_s, most_ratio * decoded_s)


@SUBJECT.check(
    "TOO_SHORT",
    Severity.ERROR,
    says="lasts {value:.2f} s, less than the {limit:g} s that a clip needs",
    hint="Join it with its neighbours or leave it out.",
    means="The profile sets a minimum for a single clip.",
)
def too_short(container: Container, limits: ContainerLimits) -> Iterator[Evidence]:
    """Fires under the profile's minimum of a clip."""
    if limits.min_clip_s is not None and container.decoded_s is not None and container.decoded_s < limits.min_clip_s:
        yield Evidence(container.decoded_s, limits.min_clip_s)


@SUBJECT.check(
    "TOO_LONG",
    Severity.ERROR,
    says="lasts {value:.2f} s, more than the {limit:g} s that a clip may have",
    hint="Split it at a pause.",
    means="The profile sets a maximum for a single clip.",
)
def too_long(container: Container, limits: ContainerLimits) -> Iterator[Evidence]:
    """Fires over the profile's maximum of a clip."""
    if limits.max_clip_s is not None and container.decoded_s is not None and container.decoded_s > limits.max_clip_s:
        yield Evidence(container.decoded_s, limits.max_clip_s)


@SUBJECT.check(
    "LOW_SAMPLE_RATE",
    Severity.WARNING,
    says="has a sample rate of {value:g} Hz; {limit:g} Hz or more is wanted",
    hint="Record or export at 44.1 or 48 kHz; resampling what is there adds nothing.",
    means="The sample rate caps the highest frequency at half its value; a clone made from it sounds dull.",
    gravest=Severity.ERROR,
)
def low_sample_rate(container: Container, limits: ContainerLimits) -> Iterator[Evidence]:
    """Fires under either of the two rates; under the lower one the clip is rejected."""
    rate = container.sample_rate
    if rate is None or not _usable(container):
        return
    if limits.min_sample_rate_hz is not None and rate < limits.min_sample_rate_hz:
        yield Evidence(rate, limits.min_sample_rate_hz, severity=Severity.ERROR)
    elif limits.min_full_sample_rate_hz is not None and rate < limits.min_full_sample_rate_hz:
        yield Evidence(rate, limits.min_full_sample_rate_hz)


@SUBJECT.check(
    "LOW_BITRATE",
    Severity.WARNING,
    says="is compressed to {value:.0f} kbit/s a channel; {limit:.0f} or more is wanted for {detail}",
    hint="Export it again from the original at a higher rate, or as FLAC.",
    means="Strong lossy compression leaves artefacts that a clone learns as part of the voice.",
)
def low_bitrate(container: Container, limits: ContainerLimits) -> Iterator[Evidence]:
    """Fires under the limit of the clip's codec family; measured, not declared."""
    if not container.lossy or container.kbps is None or not container.channels or container.codec is None:
        return
    families = {
        "mp3": limits.min_mp3_kbps,
        "aac": limits.min_aac_kbps,
        "vorbis": limits.min_vorbis_kbps,
        "opus": limits.min_opus_kbps,
        "wma": limits.min_wma_kbps,
        "ac3": limits.min_ac3_kbps,
        "eac3": limits.min_ac3_kbps,
    }
    family = next((name for name in families if container.codec.startswith(name)), None)
    per_channel = container.kbps / min(container.channels, 2)
    least = None if family is None else families[family]
    if least is not None and per_channel < least:
        yield Evidence(per_channel, least, detail=family)
