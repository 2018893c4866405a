"""Channels: one voice on both sides, one side dead, inverted, or two different voices."""

import numpy as np
import recordings

OPTIONS = ("--set", "speech.engine=webrtcvad", "--set", "quality.engine=off")
"""What is measured here asks for no network."""
GREY = "two microphones of one voice metres apart, and interviews with strong crosstalk."

RATE_HZ = 16_000
PER_CONDITION = 6


def build(folder, part, random):
    voices = [u for u in recordings.clean(part, 35.0) if len(u.samples) > 4 * u.rate_hz]
    for _ in range(PER_CONDITION):
        one, other = (voices[i].at(RATE_HZ) for i in random.permutation(len(voices))[:2])
        frames = min(len(one), len(other))
        one, other = one[:frames], other[:frames]
        room = recordings.response(recordings.of_part(recordings.RESPONSES, part)[-1], RATE_HZ)[: RATE_HZ // 5]
        room = room * np.sign(room[0])  # some were recorded upside down
        far = recordings.unit(np.convolve(one, room)[:frames]) * np.sqrt(np.mean(one**2))
        hiss = recordings.noise_for("white", 2 * frames, RATE_HZ, random).reshape(-1, 2) * recordings.decibels(-66)
        add(folder, np.stack((one, one), axis=1), "the same on both sides", part)
        add(folder, np.stack((one, recordings.decibels(-6) * one), axis=1) + hiss, "panned, with hiss", part)
        add(folder, np.stack((one, 0.7 * far), axis=1) + hiss, "close and far microphone", part)
        add(folder, np.stack((one, 0 * one), axis=1), "one side silent", part, "DEAD_CHANNEL")
        add(folder, np.stack((one, hiss[:, 0] * 0.1), axis=1), "one side with faint hiss", part, "DEAD_CHANNEL")
        add(folder, np.stack((one, -one), axis=1), "inverted", part, "INVERTED_CHANNELS")
        add(folder, np.stack((one, -0.8 * one), axis=1) + hiss, "inverted, with hiss", part, "INVERTED_CHANNELS")
        add(folder, np.stack((one, other), axis=1), "two readers", part, "DIFFERENT_CHANNELS")
        talk = np.stack((one + 0.03 * other, other + 0.03 * one), axis=1)
        add(folder, talk, "two readers, crosstalk at -30 dB", part, "DIFFERENT_CHANNELS")


def add(folder, samples, group, part, code=None):
    codes = ("DEAD_CHANNEL", "INVERTED_CHANNELS", "DIFFERENT_CHANNELS")
    folder.add(samples, RATE_HZ, part=part, group=group, flags={each: each == code for each in codes})
