"""The flawed clips as a table: a row names the file, the findings it must raise, and the function that makes it."""

from collections.abc import Callable
from dataclasses import dataclass

import file_faults
import scene_faults
import sound_faults
import voice_faults
from specimen import Specimen


@dataclass(frozen=True)
class Fault:
    """One flawed clip: its file, the codes that must be found with their severities, and codes that may come along."""

    file: str
    findings: dict[str, str]
    make: Callable[[str], Specimen]
    also: tuple[str, ...] = ()


FAULTS = (
    Fault("unreadable.mp3", {"UNREADABLE": "error"}, file_faults.random_bytes),
    Fault("unreadable-no-moov.m4a", {"UNREADABLE": "error"}, file_faults.m4a_without_moov),
    Fault("no-audio.wav", {"NO_AUDIO": "error"}, file_faults.empty_wav),
    Fault("no-audio-video-only.webm", {"NO_AUDIO": "error"}, file_faults.video_only),
    Fault("unsupported-format.aiff", {"UNSUPPORTED_FORMAT": "error"}, file_faults.aiff),
    Fault("format-at-risk.m4a", {"FORMAT_AT_RISK": "warning"}, file_faults.m4a),
    Fault("extension-mismatch.wav", {"EXTENSION_MISMATCH": "warning"}, file_faults.mp3),
    Fault("truncated.flac", {"TRUNCATED": "error"}, file_faults.cut_flac, ("DURATION_MISMATCH",)),
    Fault("truncated-mp3.mp3", {"TRUNCATED": "error"}, file_faults.cut_mp3, ("DURATION_MISMATCH",)),
    Fault("truncated-ogg.ogg", {"TRUNCATED": "error"}, file_faults.cut_ogg, ("DURATION_MISMATCH",)),
    Fault("duration-mismatch.mp3", {"DURATION_MISMATCH": "warning"}, file_faults.mp3_of_two_bit_rates),
    Fault("low-sample-rate.flac", {"LOW_SAMPLE_RATE": "warning"}, file_faults.flac_22050),
    Fault(
        "low-sample-rate-error.flac",
        {"LOW_SAMPLE_RATE": "error"},
        file_faults.flac_11025,
        (
            "NARROW_BAND",
            "ODD_SOUND",
        ),
    ),
    Fault(
        "low-bitrate.mp3",
        {"LOW_BITRATE": "warning"},
        file_faults.mp3_32k,
        (
            "NARROW_BAND",
            "ODD_SOUND",
        ),
    ),
    Fault("duplicate-a.flac", {}, file_faults.take_flac),
    Fault("duplicate-b.wav", {"DUPLICATE": "error"}, file_faults.take_wav),
    Fault("duplicate-c.flac", {"DUPLICATE": "error"}, file_faults.take_flac),
    Fault(
        "clipped.flac",
        {"CLIPPED": "error"},
        sound_faults.clipped,
        (
            "HOT_PEAK",
            "TOO_LOUD",
            "ODD_SOUND",
        ),
    ),
    Fault("clipped-below-full-scale.flac", {"CLIPPED": "warning"}, sound_faults.clipped_then_turned_down),
    Fault("hot-peak.ogg", {"HOT_PEAK": "warning"}, sound_faults.hot_peak),
    Fault("too-quiet.webm", {"TOO_QUIET": "warning"}, sound_faults.too_quiet, ("ODD_LEVEL",)),
    Fault("too-loud.webm", {"TOO_LOUD": "warning"}, sound_faults.too_loud, ("ODD_LEVEL",)),
    Fault("dc-offset.ogg", {"DC_OFFSET": "warning"}, sound_faults.dc_offset),
    Fault("long-pause.webm", {"LONG_PAUSE": "warning"}, sound_faults.long_pause),
    Fault("pause-heavy.webm", {"PAUSE_HEAVY": "error", "LONG_PAUSE": "warning"}, sound_faults.pause_heavy),
    Fault("edge-silence.webm", {"EDGE_SILENCE": "warning"}, sound_faults.edge_silence),
    Fault(
        "no-speech.webm",
        {"NO_SPEECH": "error"},
        sound_faults.no_speech,
        (
            "NOISY",
            "UNSURE",
            "NARROW_BAND",
            "POOR_QUALITY",
        ),
    ),
    Fault("unsure.flac", {"UNSURE": "warning"}, sound_faults.too_brief),
    Fault("dead-channel.mp3", {"DEAD_CHANNEL": "warning"}, sound_faults.dead_channel),
    Fault("inverted-channels.mp3", {"INVERTED_CHANNELS": "error"}, sound_faults.inverted_channels),
    Fault(
        "different-channels.mp3",
        {"DIFFERENT_CHANNELS": "warning"},
        sound_faults.different_channels,
        (
            "OVERLAP",
            "SECOND_SPEAKER",
            "ODD_LEVEL",
            "NOISY",
            "NOISE_FLOOR",
            "ODD_SOUND",
        ),
    ),
    Fault(
        "noisy.webm",
        {"NOISY": "error", "NOISE_FLOOR": "warning"},
        scene_faults.noisy,
        (
            "POOR_QUALITY",
            "ODD_SOUND",
            "ODD_SPEAKER",
        ),
    ),
    Fault(
        "hum.webm",
        {"HUM": "warning"},
        scene_faults.hum,
        (
            "NOISY",
            "NOISE_FLOOR",
            "ODD_SOUND",
        ),
    ),
    Fault("dropout.flac", {"DROPOUT": "warning"}, scene_faults.dropouts),
    Fault("uneven-level.webm", {"UNEVEN_LEVEL": "warning"}, scene_faults.uneven),
    Fault(
        "poor-quality.webm",
        {"POOR_QUALITY": "warning"},
        scene_faults.poor,
        (
            "NOISY",
            "UNSURE",
            "DROPOUT",
            "MUSIC",
        ),
    ),
    Fault(
        "music.webm",
        {"MUSIC": "warning"},
        scene_faults.music,
        (
            "NOISY",
            "UNSURE",
            "NOISE_FLOOR",
            "ODD_SOUND",
            "POOR_QUALITY",
        ),
    ),
    Fault(
        "reverberant.webm",
        {"REVERBERANT": "warning"},
        scene_faults.reverberant,
        (
            "ODD_SOUND",
            "ODD_SPEAKER",
            "POOR_QUALITY",
            "UNSURE",
        ),
    ),
    Fault("narrow-band.flac", {"NARROW_BAND": "error"}, scene_faults.telephone, ("ODD_SOUND",)),
    Fault("near-duplicate-a.flac", {}, scene_faults.first_copy),
    Fault("near-duplicate-b.mp3", {"NEAR_DUPLICATE": "error"}, scene_faults.second_copy, ("ODD_LEVEL",)),
    Fault("second-speaker.webm", {"SECOND_SPEAKER": "error"}, voice_faults.guest, ("UNEVEN_LEVEL",)),
    Fault("overlap.webm", {"OVERLAP": "error"}, voice_faults.two_at_once, ("SECOND_SPEAKER", "UNSURE", "UNEVEN_LEVEL")),
    Fault(
        "odd-speaker.webm",
        {"ODD_SPEAKER": "error"},
        voice_faults.another_person,
        ("ODD_SOUND", "ODD_LEVEL", "POOR_QUALITY"),
    ),
    Fault("odd-level.webm", {"ODD_LEVEL": "warning"}, scene_faults.quieter_than_the_rest),
    Fault("odd-sound.webm", {"ODD_SOUND": "warning"}, scene_faults.another_microphone, ("UNSURE", "ODD_SPEAKER")),
)


def expected_toml(made: dict[str, Specimen]) -> str:
    """What must be found in the flawed clips, as TOML; spans in seconds where the fault has times."""
    lines = ["# Written by make.py from the table in faults.py, for profile cartesia-pro: change it there.", ""]
    for fault in FAULTS:
        spans = ", ".join(f"{{ start_s = {start:.3f}, end_s = {end:.3f} }}" for start, end in made[fault.file].spans)
        lines += ["[[clips]]", f'file = "{fault.file}"', f"also = {list(fault.also)}".replace("'", '"'), "findings = ["]
        for code, severity in fault.findings.items():
            lines.append(f'    {{ code = "{code}", severity = "{severity}", spans = [{spans}] }},')
        lines += ["]", ""]
    return "\n".join(lines)
