"""Loudness: how loud a clip is by BS.1770-5, how loud its speech by P.56, and how near its peaks come to full scale."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.catalogue import Limits, Subject, limit
from pipeline.meters import bs1770, evenness, p56, true_peak
from pipeline.readings import Loudness
from pipeline.records import Activity, Block, Evidence, Severity, StreamInfo

DUAL_MONO_LU = 3.01
"""Two equal channels carry twice the power of one (BS.1770-5 annex 1, equation 2)."""

MIN_S = 0.4
"""One gating block of BS.1770-5."""

PROVIDERS = "ElevenLabs PVC and ACX ask for -23 to -18 dB RMS"


@dataclass(frozen=True, slots=True)
class LoudnessLimits(Limits):
    """The range in which a voice is recorded well, and the wider one outside of which it is of no use."""

    min_lufs: float | None = limit(
        -30.0, "7 LU under broadcast level; quieter, the converter's noise comes up with the voice", PROVIDERS
    )
    max_lufs: float | None = limit(-16.0, "louder than podcasts are mastered: limited or too close", PROVIDERS)
    min_usable_lufs: float | None = limit(-45.0, "so quiet that raising it to -23 raises the noise by more than 20 dB")
    max_usable_lufs: float | None = limit(-9.0, "no speech is that loud without being squashed flat")
    max_speech_step_db: float | None = limit(
        6.0,
        "clean readings of under 20 s change by up to 5.9 dB of themselves; halving the distance changes it by 6",
    )
    max_speech_drift_db: float | None = limit(
        5.5, "clean readings of under 20 s rise or fall by up to 5 dB of themselves"
    )
    max_true_peak_dbtp: float | None = limit(-1.0, "codecs overshoot by up to a decibel", "EBU R 128, section h")


class LoudnessMeter:
    """Keeps what its four meters keep: about 0.7 MB an hour."""

    def __init__(self, info: StreamInfo) -> None:
        self._channels = info.channels
        self._loudness = bs1770.LoudnessMeter(info.sample_rate, info.positions)
        self._peak = true_peak.TruePeakMeter(info.sample_rate, info.channels)
        self._speech = p56.SpeechLevelMeter(Activity.RATE_HZ)
        self._evenness = evenness.EvennessMeter()
        self._rate, self._frames = info.sample_rate, 0

    def feed(self, block: Block) -> None:
        """Take in a block."""
        self._loudness.feed(block.samples, block.start)
        self._peak.feed(block.samples)
        self._frames += len(block.samples)
        if block.mono16k is not None:
            self._speech.feed(block.mono16k)
        if block.activity is not None:
            self._evenness.feed(block.activity)

    def read(self) -> Loudness:
        """The loudness of everything fed so far."""
        integrated = self._loudness.integrated_lufs()
        speech = self._speech.level()
        return Loudness(
            integrated_lufs=integrated,
            dual_mono_lufs=integrated + DUAL_MONO_LU if integrated is not None and self._channels == 1 else None,
            range_lu=self._loudness.range_lu(),
            max_momentary_lufs=self._loudness.max_momentary_lufs(),
            max_short_term_lufs=self._loudness.max_short_term_lufs(),
            true_peak_dbtp=self._peak.true_peak_dbtp(),
            active_speech_level_dbfs=None if speech is None else speech[0],
            activity_ratio=None if speech is None else speech[1],
            speech_drift_db=self._evenness.drift_db(),
            speech_step_db=self._evenness.step_db(),
            steps=self._evenness.steps(),
            why=None if integrated is not None else self._why(),
        )

    def _why(self) -> str:
        if self._frames < MIN_S * self._rate:
            return f"its loudness needs {MIN_S:g} s and it lasts {self._frames / self._rate:.2f} s"
        return "nothing in it is louder than -70 LUFS"


SUBJECT = Subject("loudness", LoudnessLimits, Loudness, LoudnessMeter, needs=("mono16k",))


@SUBJECT.check(
    "HOT_PEAK",
    Severity.WARNING,
    says="peaks at {value:+.1f} dBTP; at most {limit:+.1f} is wanted",
    hint="Turn the export down by a few decibels; if it was recorded this hot, record with less gain.",
    means="The waveform between the samples comes so near to full scale that codecs and converters will clip it.",
)
def hot_peak(loudness: Loudness, limits: LoudnessLimits) -> Iterator[Evidence]:
    """Fires over the true-peak limit."""
    peak = loudness.true_peak_dbtp
    if peak is not None and limits.max_true_peak_dbtp is not None and peak > limits.max_true_peak_dbtp:
        yield Evidence(peak, limits.max_true_peak_dbtp)


@SUBJECT.check(
    "TOO_QUIET",
    Severity.WARNING,
    says="is quiet: {detail}; at least {limit:.0f} is wanted",
    hint="Come closer to the microphone and raise the gain; if it was only exported too low, export it again at -20 LUFS.",
    means="Both the programme's loudness and the level of the speech in it are low, so that noise is near the voice.",
    gravest=Severity.ERROR,
)
def too_quiet(loudness: Loudness, limits: LoudnessLimits) -> Iterator[Evidence]:
    """Fires when programme loudness and active speech level are both under a limit; one of them alone is its pauses."""
    lufs, speech = loudness.integrated_lufs, loudness.active_speech_level_dbfs
    if lufs is None:
        return
    best = max(lufs, speech) if speech is not None else lufs
    told = f"{lufs:.1f} LUFS" if speech is None else f"{lufs:.1f} LUFS, speech at {speech:.1f} dBFS"
    if limits.min_usable_lufs is not None and best < limits.min_usable_lufs:
        yield Evidence(lufs, limits.min_usable_lufs, detail=told, severity=Severity.ERROR)
    elif limits.min_lufs is not None and best < limits.min_lufs:
        yield Evidence(lufs, limits.min_lufs, detail=told)


@SUBJECT.check(
    "TOO_LOUD",
    Severity.WARNING,
    says="is loud: {value:.1f} LUFS; at most {limit:.0f} is wanted",
    hint="Export it without the limiter or maximiser; record with peaks at -6 dBFS.",
    means="It is louder than speech can be without compression; a squashed voice makes a squashed clone.",
    gravest=Severity.ERROR,
)
def too_loud(loudness: Loudness, limits: LoudnessLimits) -> Iterator[Evidence]:
    """Fires over the programme loudness limits."""
    lufs = loudness.integrated_lufs
    if lufs is None:
        return
    if limits.max_usable_lufs is not None and lufs > limits.max_usable_lufs:
        yield Evidence(lufs, limits.max_usable_lufs, severity=Severity.ERROR)
    elif limits.max_lufs is not None and lufs > limits.max_lufs:
        yield Evidence(lufs, limits.max_lufs)


@SUBJECT.check(
    "UNEVEN_LEVEL",
    Severity.WARNING,
    says="is uneven: {detail}; at most {limit:.1f} dB is wanted",
    hint="Keep your distance from the microphone and leave the gain alone; bring takes to one level before joining them.",
    means="The voice becomes lastingly louder or quieter inside the clip, as when somebody moves or takes are joined. "
    "A clone learns the one voice as two.",
)
def uneven_level(loudness: Loudness, limits: LoudnessLimits) -> Iterator[Evidence]:
    """Fires for a lasting jump of the speech level, and else for a drift."""
    step, drift = loudness.speech_step_db, loudness.speech_drift_db
    if step is not None and limits.max_speech_step_db is not None and abs(step) > limits.max_speech_step_db:
        yield Evidence(step, limits.max_speech_step_db, loudness.steps, detail=f"the voice jumps by {step:+.1f} dB")
    elif drift is not None and limits.max_speech_drift_db is not None and abs(drift) > limits.max_speech_drift_db:
        told = f"the voice drifts by {drift:+.1f} dB from start to end"
        yield Evidence(drift, limits.max_speech_drift_db, detail=told)


@SUBJECT.check(
    "UNSURE",
    Severity.WARNING,
    says="leaves a question open: loudness could not be measured, {detail}",
    hint="Listen to it yourself; join very short clips with their neighbours.",
    means="The clip does not allow an answer to a question of the gate. It goes in, and somebody should listen.",
)
def unsure(loudness: Loudness, limits: LoudnessLimits) -> Iterator[Evidence]:
    """Fires when there is no loudness."""
    if loudness.integrated_lufs is None and loudness.why is not None:
        yield Evidence(detail=loudness.why)
