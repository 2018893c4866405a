"""Noise: how far the voice stands over what is under it, how loud that is, and whether the mains hums in it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from pipeline.catalogue import Limits, Subject, limit
from pipeline.dsp import power_db
from pipeline.meters import snr
from pipeline.meters.hum import HumMeter
from pipeline.readings import Loudness, Noise
from pipeline.records import Block, Evidence, Severity, StreamInfo
from pipeline.segments import stretches
from pipeline.series import Series

MIN_SPEECH_FRAMES = 30
"""Half a second: less speech has no mean power to speak of."""

LEAST_SPEECH_RATIO = 0.01
"""Speech that is not over the noise reads -20 dB."""

AGREED_DB = 6.0
"""So near to each other are two looks at the same steady noise, most of the time within 4 dB."""

NORMAL_LUFS = -23.0
"""EBU R 128: the loudness at which noise floors of different recordings compare."""


@dataclass(frozen=True, slots=True)
class NoiseLimits(Limits):
    """How much noise and hum may be under the voice."""

    min_full_snr_db: float | None = limit(
        25.0,
        "training learns noise above this along with the voice; 35 is what a quiet room gives",
        "Azure professional voice wants over 35; Hi-Fi TTS kept 32 and more",
    )
    min_snr_db: float | None = limit(
        20.0, "the voice is damaged with the noise", "Azure professional voice flags under 20"
    )
    max_floor_dbfs: float | None = limit(
        -50.0,
        "in pauses, with the speech brought to -23 LUFS: higher, it is heard in every pause",
        "ACX asks for -60 as recorded, with speech at about -20 dB RMS",
    )
    max_recorded_floor_dbfs: float | None = limit(
        None, "in pauses, as recorded; only audiobooks are judged by it", "ACX"
    )
    max_hum_db: float | None = limit(
        -32.0,
        "all harmonics together, against the speech: alone, it takes the 32 dB that Hi-Fi TTS asks of all noise; readers "
        "in good rooms have it at -37 or less",
        "Hi-Fi TTS",
    )
    min_valley_snr_db: float | None = limit(
        snr.Valleys.VOICE_DB,
        "under the voice, where its own sounds and a room's leave no band free for long: good recordings read 17 to 46",
    )
    max_disagreement_db: float | None = limit(
        10.0, "between pauses and voice: the two estimates of steady noise differ by 4 dB and less"
    )


class NoiseMeter:
    """Keeps power, speech and level of every frame of 17 ms, 0.7 MB an hour and 1.7 more a channel, and 1.4 MB of counts and spectra."""

    def __init__(self, info: StreamInfo) -> None:
        self._speech, self._level = Series(np.uint8), Series(np.float16)
        self._powers = snr.FramePowers(info.sample_rate, info.channels)
        self._valleys = snr.Valleys()
        self._hum = HumMeter()

    def feed(self, block: Block) -> None:
        """Take in a block with its activity, spectra and 16 kHz signal, as far as there are any."""
        self._powers.feed(block.samples, block.start)
        if block.mono16k is not None:
            self._hum.feed(block.mono16k)
        if block.activity is None:
            return
        self._speech.extend(np.round(block.activity.speech * 255))
        self._level.extend(block.activity.level_dbfs)
        if block.spectra is not None:
            self._valleys.feed(block.activity, block.spectra)

    def read(self) -> Noise:
        """The noise in everything fed so far."""
        powers = self._powers.powers()
        speech = self._speech.array().astype(np.float32) / 255
        level = self._level.array().astype(np.float32)
        frames = min(len(powers), len(speech))
        if not frames or not powers.max() > snr.SILENT_POWER:
            return Noise(why=self._why(len(powers), len(speech)))
        powers = powers[:frames]
        found = np.minimum(stretches(speech, level), frames)
        spoken = snr.spoken_frames(found, frames)
        if int(spoken.sum()) < MIN_SPEECH_FRAMES:
            silent = snr.silent_frames(powers, 0.0)
            floor = None if silent.all() else power_db(float(powers[~silent].mean()))
            return self._with_hum(Noise(floor_dbfs=floor, why="it holds less than half a second of speech"))
        return self._with_hum(self._measured(powers, spoken, snr.paused_frames(found, frames)))

    def _measured(self, powers: np.ndarray, spoken: np.ndarray, paused: np.ndarray) -> Noise:
        """The ratios, from the pauses where they hold noise, else from the speech, if it was not gated."""
        speech = float(powers[spoken].mean())
        silent = snr.silent_frames(powers, speech)
        quiet = snr.quiet_moments(powers, silent)
        in_pauses = snr.pause_power(powers, quiet, paused, silent)
        gated = in_pauses is None and int((paused & silent).sum()) >= snr.MIN_PAUSE_FRAMES
        valley_db = self._valleys.snr_db()
        noise = in_pauses
        if in_pauses is None and not gated:
            noise = _without_pauses(speech, snr.unpaused_power(quiet, spoken), valley_db)
        ratio_db = None if noise is None else _snr_db(speech, noise)
        why = "its pauses are digital silence" if gated else "it holds no moment in which the noise is alone"
        return Noise(
            snr_db=ratio_db,
            floor_dbfs=None if noise is None else power_db(noise),
            pause_snr_db=None if in_pauses is None else ratio_db,
            valley_snr_db=valley_db,
            speech_dbfs=power_db(speech if noise is None else max(speech - noise, LEAST_SPEECH_RATIO * noise)),
            why=None if noise is not None else why,
        )

    def _with_hum(self, noise: Noise) -> Noise:
        hum = self._hum.hum()
        return noise if hum is None else replace(noise, hum_hz=hum.hz, hum_dbfs=hum.dbfs)

    def _why(self, powers: int, speech: int) -> str:
        if not powers:
            return "it is shorter than 17 ms"
        return "voice activity was not measured" if not speech else "every sample is zero"


def _without_pauses(speech: float, quiet: float | None, valley_db: float | None) -> float | None:
    """Noise power by the quiet moments of the speech, if its valleys say much the same: either may be voice and no noise.

    Valleys that no voice leaves so shallow say enough by themselves.
    """
    if quiet is None or valley_db is None:
        return None
    ratio_db = _snr_db(speech, quiet)
    agreed = ratio_db is not None and abs(ratio_db - valley_db) <= AGREED_DB
    return quiet if agreed or valley_db < snr.Valleys.VOICE_DB else None


def _snr_db(speech: float, noise: float) -> float | None:
    return power_db(max(speech - noise, LEAST_SPEECH_RATIO * noise) / noise) if noise > 0 else None


SUBJECT = Subject("noise", NoiseLimits, Noise, NoiseMeter, needs=("mono16k", "activity", "spectra"))


@SUBJECT.check(
    "NOISY",
    Severity.WARNING,
    says="is noisy: the voice is {value:.1f} dB over the noise; at least {limit:.0f} dB is wanted",
    hint="Come closer to the microphone, switch off fans and shut windows, and record it again; {limit:.0f} dB and more is "
    "wanted. Noise reduction afterwards takes some of the voice with it.",
    means="Noise is so near to the voice that a model learns it as part of the voice.",
    gravest=Severity.ERROR,
)
def noisy(noise: Noise, limits: NoiseLimits) -> Iterator[Evidence]:
    """Fires under the limits of the signal-to-noise ratio."""
    ratio = noise.snr_db
    if ratio is None:
        return
    if limits.min_snr_db is not None and ratio < limits.min_snr_db:
        yield Evidence(ratio, limits.min_snr_db, severity=Severity.ERROR)
    elif limits.min_full_snr_db is not None and ratio < limits.min_full_snr_db:
        yield Evidence(ratio, limits.min_full_snr_db)


@SUBJECT.check(
    "NOISE_FLOOR",
    Severity.WARNING,
    says="has a noise floor of {value:.1f} dBFS {detail}; at most {limit:.0f} is wanted",
    hint="Look for the source with headphones: computer, ventilation, street, or a microphone preamplifier turned up too far.",
    means="What is heard in the pauses when all recordings are made equally loud: hiss, ventilation, traffic.",
    also=(Loudness,),
)
def noise_floor(noise: Noise, loudness: Loudness | None, limits: NoiseLimits) -> Iterator[Evidence]:
    """Fires when the floor of the pauses is too high after the clip is brought to -23 LUFS, or as it is recorded."""
    floor, recorded, normal = noise.floor_dbfs, limits.max_recorded_floor_dbfs, limits.max_floor_dbfs
    if noise.pause_snr_db is None or floor is None:
        return
    if recorded is not None and floor > recorded:
        yield Evidence(floor, recorded, detail="as recorded")
    elif normal is not None and loudness is not None and loudness.integrated_lufs is not None:
        floor += NORMAL_LUFS - loudness.integrated_lufs
        if floor > normal:
            yield Evidence(floor, normal, detail="once the speech is at -23 LUFS")


@SUBJECT.check(
    "HUM",
    Severity.WARNING,
    says="hums at {detail}, {value:.1f} dB against the voice; at most {limit:.0f} dB is wanted",
    hint="Use balanced cables, keep them away from power supplies, and run the laptop on its battery; a notch filter at the "
    "mains frequency and its multiples mends what is recorded.",
    means="Mains voltage has leaked into the recording and is heard as a steady low buzz.",
)
def hum(noise: Noise, limits: NoiseLimits) -> Iterator[Evidence]:
    """Fires when the harmonics of the mains together come too near to the level of the speech."""
    if noise.hum_hz is None or noise.hum_dbfs is None or noise.speech_dbfs is None:
        return
    against_speech = noise.hum_dbfs - noise.speech_dbfs
    if limits.max_hum_db is not None and against_speech > limits.max_hum_db:
        yield Evidence(against_speech, limits.max_hum_db, detail=f"{noise.hum_hz:.0f} Hz and its multiples")


@SUBJECT.check(
    "UNSURE",
    Severity.WARNING,
    says="leaves a question open: how noisy it is, {detail}",
    hint="Listen to the voice itself, with headphones; send the recording from before a noise gate or noise reduction.",
    means="The clip does not allow an answer to a question of the gate. It goes in, and somebody should listen.",
)
def unsure(noise: Noise, limits: NoiseLimits) -> Iterator[Evidence]:
    """Fires when there is no ratio, unless the voice itself shows that it is good, or when pauses and voice tell two stories."""
    least, enough, most = limits.min_valley_snr_db, limits.min_full_snr_db, limits.max_disagreement_db
    valley, pause = noise.valley_snr_db, noise.pause_snr_db
    if noise.snr_db is None:
        if noise.why is not None and (valley is None or enough is None or valley < enough):
            under = "" if valley is None else f", and under the voice the noise seems {valley:.0f} dB away"
            yield Evidence(detail=f"{noise.why}{under}")
        return
    if (
        pause is None
        or valley is None
        or least is None
        or most is None
        or (enough is not None and noise.snr_db < enough)
    ):
        return
    if valley < least and pause - valley > most:
        told = (
            f"{pause:.0f} dB under it in the pauses and only {valley:.0f} dB while it sounds, {pause - valley:.0f} dB apart, "
            f"where {most:g} dB is let pass"
        )
        yield Evidence(pause - valley, most, detail=told)
