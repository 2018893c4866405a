"""Speech: how much of a clip is speech, where the pauses are, and how long the silence at its ends is."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pipeline.catalogue import Limits, Subject, limit
from pipeline.readings import Speech
from pipeline.records import Activity, Block, Evidence, Severity, Span, StreamInfo
from pipeline.segments import stretches
from pipeline.series import Series

MAX_PAUSES = 10_000


@dataclass(frozen=True, slots=True)
class SpeechLimits(Limits):
    """Who says what speech is, and how long it may pause."""

    engine: str = limit(
        "pyannet",
        "PyanNet knows speech from noise; webrtcvad is 15 times as fast, knows less and sees no voices",
        choices=("pyannet", "webrtcvad"),
    )
    long_pause_s: float | None = limit(
        2.0, "long pauses make the clone drift", "Alibaba CosyVoice; NeMo Curator", looser="higher"
    )
    max_edge_silence_s: float | None = limit(2.0, "as for pauses: the model learns to begin with silence")
    heavy_min_pauses: int | None = limit(3, "fewer are single events", looser="higher")
    max_heavy_ratio: float | None = limit(0.15, "of the clip: more and the provider's remark is 'too many long pauses'")
    heavy_min_clip_s: float | None = limit(60.0, "in less than a minute three pauses are soon 15 %", looser="higher")
    min_speech_ratio: float | None = limit(0.10, "less is a recording of something else")


class SpeechMeter:
    """Keeps a probability and a level per frame of 17 ms: 850 kB an hour."""

    def __init__(self, info: StreamInfo) -> None:
        self._speech = Series(np.uint8)
        self._level = Series(np.float16)
        self._samples = 0
        self._rate = info.sample_rate
        self._engine: str | None = None

    def feed(self, block: Block) -> None:
        """Take in a block with its activity."""
        self._samples += len(block.samples)
        if block.activity is None:
            return
        self._engine = block.activity.engine
        self._speech.extend(np.round(block.activity.speech * 255))
        self._level.extend(block.activity.level_dbfs)

    def read(self) -> Speech:
        """Speech and pauses of everything fed so far."""
        total_s = self._samples / self._rate
        speech = self._speech.array().astype(np.float32) / 255
        if not self._samples or self._engine is None:
            return Speech(why="no samples" if not self._samples else "voice activity was not measured")
        spoken = stretches(speech, self._level.array().astype(np.float32))
        if not len(spoken):
            return Speech(0.0, 0.0, (), 0, total_s, total_s, self._engine)
        edges = np.minimum(spoken * Activity.FRAME_S, total_s)
        speech_s = float((edges[:, 1] - edges[:, 0]).sum())
        gaps = [Span(float(a), float(b)) for a, b in zip(edges[:-1, 1], edges[1:, 0], strict=True)]
        kept = sorted(sorted(gaps, key=lambda span: -span.length_s)[:MAX_PAUSES])
        return Speech(
            speech_s=speech_s,
            speech_ratio=speech_s / total_s,
            pauses=tuple(kept),
            unlisted_pauses=len(gaps) - len(kept),
            leading_s=float(edges[0, 0]),
            trailing_s=max(total_s - float(edges[-1, 1]), 0.0),
            engine=self._engine,
        )


SUBJECT = Subject("speech", SpeechLimits, Speech, SpeechMeter, needs=("activity",))


def _long_pauses(speech: Speech, limits: SpeechLimits) -> tuple[Span, ...]:
    """Pauses of the limit or more in tenths of a second, as they are told; their edges are found to a few hundredths."""
    if limits.long_pause_s is None:
        return ()
    return tuple(span for span in speech.pauses if round(span.length_s, 1) >= limits.long_pause_s)


@SUBJECT.check(
    "LONG_PAUSE",
    Severity.WARNING,
    says="pauses for {detail}; less than {limit:g} s is wanted",
    hint="Shorten these pauses to half a second and check again.",
    means="A gap between words that is so long that a model learns it: clones made from such recordings stall or drift "
    "in mid-sentence.",
)
def long_pause(speech: Speech, limits: SpeechLimits) -> Iterator[Evidence]:
    """Fires once a clip, with every pause of the limit or more."""
    pauses = _long_pauses(speech, limits)
    if pauses:
        longest = max(span.length_s for span in pauses)
        told = f"{longest:.1f} s" if len(pauses) == 1 else f"up to {longest:.1f} s, {len(pauses)} times"
        yield Evidence(longest, limits.long_pause_s, pauses, detail=told)


@SUBJECT.check(
    "PAUSE_HEAVY",
    Severity.ERROR,
    says="is {value:.0%} long pauses, in {detail} of them; at most {limit:.0%} is wanted",
    hint="Cut the pauses down to half a second and check again.",
    means="Long pauses make up so much of the clip that it teaches pausing more than speaking.",
)
def pause_heavy(speech: Speech, limits: SpeechLimits) -> Iterator[Evidence]:
    """Fires when several long pauses make up a share of a clip that is long enough to tell."""
    pauses = _long_pauses(speech, limits)
    least, most, least_s = limits.heavy_min_pauses, limits.max_heavy_ratio, limits.heavy_min_clip_s
    if least is None or most is None or least_s is None or not speech.speech_s or not speech.speech_ratio:
        return
    clip_s = speech.speech_s / speech.speech_ratio
    ratio = sum(span.length_s for span in pauses) / clip_s
    if len(pauses) >= least and ratio > most and clip_s >= least_s:
        yield Evidence(ratio, most, pauses, detail=str(len(pauses)))


@SUBJECT.check(
    "EDGE_SILENCE",
    Severity.WARNING,
    says="{detail}; at most {limit:g} s is wanted",
    hint="Trim the ends to about half a second.",
    means="Silence before the first or after the last word counts as minutes and teaches nothing.",
)
def edge_silence(speech: Speech, limits: SpeechLimits) -> Iterator[Evidence]:
    """Fires when either end is silent for longer than the limit."""
    most = limits.max_edge_silence_s
    if not speech.speech_s or speech.leading_s is None or speech.trailing_s is None or most is None:
        return
    clip_s = speech.speech_s / (speech.speech_ratio or 1.0)
    spans, told = [], []
    if speech.leading_s > most:
        spans.append(Span(0.0, speech.leading_s))
        told.append(f"begins with {speech.leading_s:.1f} s of silence")
    if speech.trailing_s > most:
        spans.append(Span(clip_s - speech.trailing_s, clip_s))
        told.append(f"ends with {speech.trailing_s:.1f} s of silence")
    if spans:
        yield Evidence(max(span.length_s for span in spans), most, tuple(spans), detail=" and ".join(told))


@SUBJECT.check(
    "NO_SPEECH",
    Severity.ERROR,
    says="is {value:.0%} speech; at least {limit:.0%} is wanted",
    hint="Leave it out: it holds next to no speech.",
    means="Hardly anyone speaks in this clip: silence, noise, music, or a recording of something else.",
)
def no_speech(speech: Speech, limits: SpeechLimits) -> Iterator[Evidence]:
    """Fires when speech is less than the limit's share of the clip."""
    ratio, least = speech.speech_ratio, limits.min_speech_ratio
    if ratio is not None and least is not None and ratio < least:
        yield Evidence(ratio, least)
