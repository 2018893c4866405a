"""What can be measured: one record a subject, so that checks of different subjects may share them.

Each value is a number with its unit in its name, or `None` when the clip does not allow to measure it; `why` then says
in words what stood in the way. Values carry no judgement.
"""

from dataclasses import dataclass

from pipeline.records import Reading, Span


@dataclass(frozen=True, slots=True)
class Container(Reading):
    """The file as a file: what it is, what it claims, what came out of it.

    `extensions` are those that fit the content; `exact` says that `declared_s` is the container's own count and no
    estimate from a bit rate. `cut` tells in words how the file shows that it ends early, `lost_s` how much is missing
    (`None`: it is known to be cut, not by how much). `errors` counts places that did not decode, `error_spans` the first of them.
    `changes` counts changes of rate or channels in mid-stream. `kbps` is coded sound over decoded time.
    """

    format: str | None = None
    extension: str | None = None
    extensions: tuple[str, ...] = ()
    codec: str | None = None
    sample_rate: int | None = None
    channels: int | None = None
    bits: int | None = None
    lossy: bool | None = None
    declared_s: float | None = None
    exact: bool = False
    decoded_s: float | None = None
    frames: int | None = None
    kbps: float | None = None
    cut: str | None = None
    lost_s: float | None = None
    errors: int = 0
    error_spans: tuple[Span, ...] = ()
    changes: int = 0
    pcm: str | None = None
    unreadable: str | None = None
    no_audio: str | None = None


@dataclass(frozen=True, slots=True)
class Levels(Reading):
    """Plain sample statistics over all channels; dBFS has a full-scale square wave at 0.

    `clipped_runs` counts flat tops: three or more neighbouring samples at the ceiling of their second. `clipped_spans` are
    the places, neighbours within 50 ms joined; `clipped_ratio` is the share of samples in such runs. `decoded_s` is
    how long all of it lasts.
    """

    peak_dbfs: float | None = None
    rms_dbfs: float | None = None
    clipped_runs: int = 0
    clipped_ratio: float = 0.0
    clipped_spans: tuple[Span, ...] = ()
    dc_offset_ratio: float | None = None
    decoded_s: float | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Loudness(Reading):
    """Loudness by ITU-R BS.1770-5 and EBU Tech 3341/3342, and active speech level by ITU-T P.56 method B.

    A mono file is one channel; `dual_mono_lufs` is what the same signal reads on both sides of a stereo file.
    """

    integrated_lufs: float | None = None
    dual_mono_lufs: float | None = None
    range_lu: float | None = None
    max_momentary_lufs: float | None = None
    max_short_term_lufs: float | None = None
    true_peak_dbtp: float | None = None
    active_speech_level_dbfs: float | None = None
    activity_ratio: float | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Speech(Reading):
    """Where someone speaks: `pauses` are the gaps between speech, `leading_s` and `trailing_s` the silence at the ends.

    `unlisted_pauses` counts pauses beyond the longest that are listed. `engine` is who said so.
    """

    speech_s: float | None = None
    speech_ratio: float | None = None
    pauses: tuple[Span, ...] = ()
    unlisted_pauses: int = 0
    leading_s: float | None = None
    trailing_s: float | None = None
    engine: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Channels(Reading):
    """How the channels of a clip relate; all `None` for a mono clip.

    `dead` are the numbers (from 1) of channels that stay 40 dB or more under the loudest. `correlation` is the
    zero-lag correlation of the first two live channels, -1 to 1, `coherence` how much of their spectra goes together
    whatever the delay, 0 to 1, `level_correlation` that of their levels in decibels while either is active, and
    `downmix_loss_db` how much power their mean loses against the louder of them.
    """

    count: int = 1
    dead: tuple[int, ...] = ()
    correlation: float | None = None
    coherence: float | None = None
    level_correlation: float | None = None
    downmix_loss_db: float | None = None
    why: str | None = None


BY_SUBJECT: dict[str, type[Reading]] = {
    "container": Container,
    "levels": Levels,
    "loudness": Loudness,
    "speech": Speech,
    "channels": Channels,
}
"""The reading of each subject, under its name in the report and the journal."""


@dataclass(frozen=True, slots=True)
class Duplicates(Reading):
    """Sets of clips that hold the same samples, each with its best copy first."""

    sets: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Extent(Reading):
    """How much audio there is: all that decodes, the speech in it, and the part of both that is approved."""

    clips: int = 0
    decoded_s: float = 0.0
    speech_s: float = 0.0
    approved_s: float = 0.0
    approved_speech_s: float = 0.0
    undecided_s: float = 0.0
