"""What can be measured: one record a subject, so that checks of different subjects may share them.

Each value is a number with its unit in its name, or `None` when the clip does not allow to measure it; `why` says why not.
"""

import base64
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

    `clipped_runs` counts tops that were cut off: flat ones, three or more neighbouring samples at the ceiling of their
    second; and those that a codec or a filter has bent since, `rounded_runs` of them, told by piling up
    at one height and being broader there than lower ones. `clipped_spans` are the places, neighbours within 50 ms joined;
    `clipped_ratio` is the share of samples in flat ones. `dropouts` are gaps of silence inside sound that no voice makes, the first 1,000 of `dropout_count`.
    `decoded_s` is how long all of it lasts.
    """

    peak_dbfs: float | None = None
    rms_dbfs: float | None = None
    clipped_runs: int = 0
    rounded_runs: int = 0
    clipped_ratio: float = 0.0
    clipped_spans: tuple[Span, ...] = ()
    dc_offset_ratio: float | None = None
    dropouts: tuple[Span, ...] = ()
    dropout_count: int = 0
    decoded_s: float | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Loudness(Reading):
    """Loudness by ITU-R BS.1770-5 and EBU Tech 3341/3342, and active speech level by ITU-T P.56 method B.

    A mono file is one channel; `dual_mono_lufs` is what the same signal reads on both sides of a stereo file.

    How even the voice is, is told by sections of one second of speech each, pauses left out; `None` with under
    10 s of speech (16 s for the drift), or where nobody looked for speech. `speech_drift_db` is the Theil-Sen slope of their levels times the
    clip's length: how much louder (positive) the voice is at the end than at the start. `speech_step_db` is the largest
    difference between the medians of five to ten sections on either side of a boundary, positive for louder. `steps` are the
    places where it is 4 dB or more.
    """

    integrated_lufs: float | None = None
    dual_mono_lufs: float | None = None
    range_lu: float | None = None
    max_momentary_lufs: float | None = None
    max_short_term_lufs: float | None = None
    true_peak_dbtp: float | None = None
    active_speech_level_dbfs: float | None = None
    activity_ratio: float | None = None
    speech_drift_db: float | None = None
    speech_step_db: float | None = None
    steps: tuple[Span, ...] = ()
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


@dataclass(frozen=True, slots=True)
class Noise(Reading):
    """What is under the voice. `snr_db` is the mean power of speech-active frames minus the noise's, over the noise's.

    `floor_dbfs` is the mean power of the noise alone, full band, as recorded, and `speech_dbfs` that of the speech without it.
    `pause_snr_db` is what the pauses say, `None` where they hold no noise; `valley_snr_db` what is heard under the voice
    while it is loud: reliable up to 25 dB, above that "at least". `hum_hz` is the mains frequency, 50 or 60, whose
    harmonics stand out, `hum_dbfs` their power together, as recorded.
    """

    snr_db: float | None = None
    floor_dbfs: float | None = None
    pause_snr_db: float | None = None
    valley_snr_db: float | None = None
    speech_dbfs: float | None = None
    hum_hz: float | None = None
    hum_dbfs: float | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Spectrum(Reading):
    """What frequencies the clip holds: up to `bandwidth_hz` there is sound, above it next to nothing.

    `bands_db` is the long-term spectrum of the speech in third octaves, from 100 Hz up, against its own mean.
    """

    bandwidth_hz: float | None = None
    bands_db: tuple[float, ...] = ()
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Room(Reading):
    """How long the room rings: the time in which sound decays by 60 dB (ISO 3382-2), from the decays of the speech.

    It is that of the octaves from 500 Hz to 2 kHz. A dry voice reads up to 0.2 s for its own decays, and a tail that begins 20 dB
    under the voice is not heard in them.
    """

    t60_s: float | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Music(Reading):
    """Where music plays, with or without a voice over it; `music_ratio` is its share of the clip."""

    spans: tuple[Span, ...] = ()
    music_s: float | None = None
    music_ratio: float | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Quality(Reading):
    """Mean opinion scores that DNSMOS P.835 predicts, 1 to 5: of the voice, the background and overall, over `windows` of 9 s."""

    dnsmos_sig: float | None = None
    dnsmos_bak: float | None = None
    dnsmos_ovrl: float | None = None
    windows: int = 0
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """From when to when a voice speaks, pauses included: "A" is who speaks most in this clip."""

    start_s: float
    end_s: float
    speaker: str


@dataclass(frozen=True, slots=True)
class Voice:
    """One voice of a clip. `similarity` is the cosine to voice "A", 1 for itself; `sure_ratio` how likely it is another person.

    `pitch_semitones` is over 100 Hz, `None` where it has too little pitch. `decay_db` is how far its sound falls in 30 ms where it
    falls fast: another room, or another distance, changes it.
    """

    speaker: str
    speech_s: float
    similarity: float
    sure_ratio: float | None
    pitch_semitones: float | None
    decay_db: float


@dataclass(frozen=True, slots=True)
class Speakers(Reading):
    """Who speaks when: the voices of a clip, the one with the most speech first, and where two speak at once.

    `count` is how many people are heard, `None` where nobody speaks for long enough; `voices` also holds those of which it is not
    sure that they are another person's. `prints` are the voices as `pipeline.voiceprints` writes them, in the same order,
    `second_prints` the same by the second encoder, `None` where it heard too little. `telephone`: all this is as a telephone's.
    """

    count: int | None = None
    speech_s: float | None = None
    turns: tuple[Turn, ...] = ()
    voices: tuple[Voice, ...] = ()
    prints: tuple[str, ...] = ()
    second_prints: tuple[str | None, ...] = ()
    telephone: bool | None = None
    overlaps: tuple[Span, ...] = ()
    overlap_s: float | None = None
    engine: str | None = None
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Reference:
    """The voice that a set should be: of which file, and how it sounds, as in `Speakers`."""

    path: str
    voice: Voice
    print: str
    second_print: str | None = None
    telephone: bool = False


@dataclass(frozen=True, slots=True)
class Fingerprint(Reading):
    """What a clip is known by in another file: spectral peaks as `pipeline.prints` writes them. ValueError for other text."""

    peaks: str | None = None
    why: str | None = None

    def __post_init__(self) -> None:
        if self.peaks is not None and len(base64.b64decode(self.peaks, validate=True)) % 2:
            raise ValueError("a fingerprint holds two bytes a peak")


BY_SUBJECT: dict[str, type[Reading]] = {
    "container": Container,
    "levels": Levels,
    "loudness": Loudness,
    "noise": Noise,
    "speech": Speech,
    "spectrum": Spectrum,
    "channels": Channels,
    "room": Room,
    "music": Music,
    "quality": Quality,
    "speakers": Speakers,
    "fingerprint": Fingerprint,
}
"""The reading of each subject, under its name in the journal and, where it is one of `records.SUBJECTS`, in the report."""
