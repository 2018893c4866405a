"""Second voices, two at once, and another person's files, made from readers, of whom each is known.

A host is a reader of whom there is a minute; what is set into it is another reader's, cut from pause to pause.
"""

import functools

import numpy as np
import recordings as r
import soxr
from cases import SURELY_ODD, TOLD_OF
from scipy import signal

RATE_HZ = 16_000

OPTIONS = ("--set", "quality.engine=off")

GREY = (
    "SECOND_SPEAKER: where two voices speak at once, which OVERLAP is for. OVERLAP: a second voice more than 10 dB under the "
    "first, and what the other reader says in the first one's pauses."
)

HOST_S, MIN_UTTERANCES = 60, 6
CASES = {"insert": 60, "spoilt": 40, "alone": 40, "rooms": 40, "conversation": 60, "overlap": 60}
"""How many of each kind."""

INSERT_S, OVERLAP_S, TURN_S = (2.0, 5.0), (1.0, 4.0), (3.0, 8.0)
TELEPHONE = signal.butter(6, (300, 3_400), "bandpass", fs=RATE_HZ, output="sos")


def build(folders, part, random):
    """The cases of that part; clips that are compared with each other share a folder."""
    plain, cast = folders("clips"), Cast(part)
    for number in range(CASES["insert"]):
        _insert(plain, cast, number, "insert, plain", random)
    for spoilt in SPOILS:
        for number in range(CASES["spoilt"]):
            _insert(plain, cast, number, f"insert, {spoilt}", random, spoilt)
            _alone(plain, cast, number, f"one reader, {spoilt}", random, spoilt)
    for number in range(CASES["alone"]):
        _alone(plain, cast, number, "one reader, as recorded", random)
    for number in range(CASES["rooms"]):
        _rooms(plain, cast, number, random)
    for _ in range(CASES["conversation"]):
        _conversation(plain, cast, random)
    for number in range(CASES["overlap"]):
        _overlap(plain, cast, number, random)
    _sets(folders, cast, random)


def _sets(folders, cast, random):
    """Folders of one reader's files with others' among them."""
    for reader in cast.hosts:
        _strangers(folders(f"strangers {reader}"), cast, reader, random)
    for reader in cast.hosts:
        for way, otherwise in ways(cast.part).items():
            _elsewhere(folders(f"{way} {reader}"), cast, reader, (way, otherwise), random)


class Cast:
    """The readers of a part: those of whom there is a minute, and the others."""

    def __init__(self, part):
        self.part = part
        readers = {}
        for utterance in r.utterances(part):
            readers.setdefault(utterance.reader, []).append(utterance)
        self.hosts = {name: found for name, found in readers.items() if len(found) >= MIN_UTTERANCES}
        self.others = [
            found[0]
            for name, found in readers.items()
            if name not in self.hosts and len(found[0].samples) >= 6 * found[0].rate_hz
        ]

    def host(self, number):
        return list(self.hosts.items())[number % len(self.hosts)]

    def other(self, random):
        return self.others[random.integers(len(self.others))]

    def sexes(self, one, other):
        return "same sex" if sexes()[one] == sexes()[other] else "other sex"


@functools.cache
def sexes():
    """The sex of each reader, "F" or "M", as LibriSpeech and LJSpeech state it."""
    found = {"lj": "F"}
    path = next(r.AUDIO.glob("resemble-ai__Resemblyzer/**/SPEAKERS.TXT"))
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        if not line.startswith(";"):
            reader, sex, *_ = (cell.strip() for cell in line.split("|"))
            found[reader] = sex
    return found


def takes(utterances, seconds, random):
    """Utterances in any order with the room's noise between them, as pieces; every second one is such a pause."""
    pieces, total = [], 0
    for i in random.permutation(len(utterances)):
        pieces += [spoken(utterances[i]), pause(utterances[i], random.uniform(0.15, 0.5), random)]
        total += len(pieces[-2]) + len(pieces[-1])
        if total >= seconds * RATE_HZ:
            break
    return pieces


def spoken(utterance):
    """An utterance at 16 kHz from its first word to its last."""
    samples = utterance.at(RATE_HZ)
    loud = np.flatnonzero(r.levels_db(samples, RATE_HZ) > -25)
    return faded(samples[max(loud[0] * 160 - 800, 0) : loud[-1] * 160 + 1_600])


def pause(utterance, seconds, random):
    """Noise as loud as the quietest half second of an utterance."""
    samples = utterance.at(RATE_HZ)
    floor_db = float(np.mean(np.sort(r.levels_db(samples, RATE_HZ))[:50])) + r.ACTIVE_DBFS
    return (random.standard_normal(round(seconds * RATE_HZ)) * r.decibels(floor_db)).astype(np.float32)


def cut(utterance, seconds):
    """That much of an utterance, of mostly speech, from pause to pause as well as can be."""
    samples = spoken(utterance)
    level_db, frames = r.levels_db(samples, RATE_HZ), round(seconds * 100)
    if len(level_db) <= frames:
        return samples
    near = [level_db[max(at - 2, 0) : at + 3].max() for at in range(len(level_db))]
    loud = np.concatenate(([0], np.cumsum(level_db > -20)))
    starts = range(0, len(level_db) - frames, 5)
    best = min(starts, key=lambda at: near[at] + near[at + frames] - 60 * (loud[at + frames] - loud[at]) / frames)
    return faded(samples[best * 160 : (best + frames) * 160])


def faded(samples):
    samples, ramp = samples.copy(), np.linspace(0, 1, 160, dtype=np.float32)
    samples[:160] *= ramp
    samples[-160:] *= ramp[::-1]
    return samples


def _insert(folder, cast, number, group, random, spoilt=None):
    reader, utterances = cast.host(number)
    other = cast.other(random)
    foreign = cut(other, random.uniform(*INSERT_S))
    pieces = takes(utterances, HOST_S, random)
    at = 2 * int(random.integers(1, len(pieces) // 2))
    before = np.concatenate(pieces[:at])
    whole = np.concatenate((before, foreign, pause(other, random.uniform(0.05, 0.4), random), *pieces[at:]))
    span = [(len(before) / RATE_HZ, (len(before) + len(foreign)) / RATE_HZ)]
    _add(folder, whole, spoilt, random, cast, f"{group}, {cast.sexes(reader, other.reader)}", True, span)


def _alone(folder, cast, number, group, random, spoilt=None):
    whole = np.concatenate(takes(cast.host(number)[1], HOST_S, random))
    _add(folder, whole, spoilt, random, cast, group, False)


def _add(folder, samples, spoilt, random, cast, group, second, spans=()):
    samples, rate_hz = (samples, RATE_HZ) if spoilt is None else SPOILS[spoilt](samples, cast.part, random)
    coded = {"suffix": ".mp3", "kbit_s": 64} if spoilt == "MP3 64k" else {}
    flags = {"SECOND_SPEAKER": second, "OVERLAP": False, TOLD_OF: second}
    marks = {"SECOND_SPEAKER": list(spans)} if second else {}
    folder.add(samples, rate_hz, part=cast.part, group=group, flags=flags, spans=marks, **coded)


def _noisy(samples, part, random):
    kind = random.choice([name for name in r.of_part(r.NOISES, part) if name != "market"])
    noise = r.noise_for(str(kind), len(samples), RATE_HZ, random)
    return samples + noise * r.decibels(r.ACTIVE_DBFS - 15), RATE_HZ


SPOILS = {
    "MP3 64k": lambda samples, _part, _random: (soxr.resample(samples, RATE_HZ, 44_100), 44_100),
    "telephone": lambda samples, _part, _random: (
        soxr.resample(signal.sosfilt(TELEPHONE, samples), RATE_HZ, 8_000),
        8_000,
    ),
    "noise 15 dB": _noisy,
    "-45 dBFS": lambda samples, _part, _random: (samples * r.decibels(-45 - r.ACTIVE_DBFS), RATE_HZ),
}
"""What is done to a clip: samples, part and generator to samples and rate."""


def in_room(samples, room):
    """Samples as they sound in a room, as loud as before."""
    reverberant = signal.fftconvolve(samples, r.response(room, RATE_HZ))[: len(samples)]
    return (r.unit(reverberant) * np.sqrt(np.mean(np.square(samples)))).astype(np.float32)


def _rooms(folder, cast, number, random):
    """A reader's takes, every second one in another room."""
    rooms = [None, *r.of_part(r.RESPONSES, cast.part)]
    pieces = takes(cast.host(number)[1], HOST_S, random)
    for i in range(0, len(pieces), 2):
        room = rooms[int(random.integers(len(rooms)))]
        if room is not None:
            pieces[i] = in_room(pieces[i], room)
    flags = {"SECOND_SPEAKER": False, "OVERLAP": False}
    folder.add(np.concatenate(pieces), RATE_HZ, part=cast.part, group="one reader, rooms", flags=flags)


def _conversation(folder, cast, random):
    """Two readers in turns, 20 to 30 s in all."""
    one, other = (cast.others[i] for i in random.choice(len(cast.others), 2, replace=False))
    pieces, left, turn = [], {0: spoken(one), 1: spoken(other)}, 0
    while len(left[turn]) > RATE_HZ:
        frames = round(random.uniform(*TURN_S) * RATE_HZ)
        piece, left[turn] = left[turn][:frames], left[turn][frames:]
        pieces += [faded(piece), pause(one, random.uniform(0.1, 0.6), random)]
        turn = 1 - turn
    flags = {"SECOND_SPEAKER": True, "OVERLAP": False, TOLD_OF: True}
    group = f"conversation, {cast.sexes(one.reader, other.reader)}"
    folder.add(np.concatenate(pieces), RATE_HZ, part=cast.part, group=group, flags=flags)


def _overlap(folder, cast, number, random):
    """Another voice over the reader's, up to 10 dB under it, where the reader speaks."""
    reader, utterances = cast.host(number)
    other = cast.other(random)
    whole = np.concatenate(takes(utterances, HOST_S, random))
    over = cut(other, random.uniform(*OVERLAP_S))
    apart_db = random.uniform(0, 10)
    loud = np.concatenate(([0], np.cumsum(r.levels_db(whole, RATE_HZ) > -20)))
    frames = len(over) // 160
    spoken_frames = loud[frames:] - loud[:-frames]
    at = 160 * int(random.choice(np.flatnonzero(spoken_frames >= 0.9 * spoken_frames.max())))
    whole[at : at + len(over)] += over[: len(whole) - at] * r.decibels(-apart_db)
    flags, span = {"OVERLAP": True}, {"OVERLAP": [(at / RATE_HZ, (at + len(over)) / RATE_HZ)]}
    group = f"overlap, {'0-5' if apart_db < 5 else '5-10'} dB apart, {cast.sexes(reader, other.reader)}"
    folder.add(whole, RATE_HZ, part=cast.part, group=group, flags=flags, spans=span)


def _strangers(folder, cast, reader, random):
    """A reader's files, and as many again of others, no two of whom are the same: each is judged by itself."""
    for utterance in cast.hosts[reader]:
        folder.add(
            spoken(utterance), RATE_HZ, part=cast.part, group="the reader's own file", flags={"ODD_SPEAKER": False}
        )
    count = min(len(cast.hosts[reader]) // 2, len(cast.others))
    for i in random.choice(len(cast.others), count, replace=False):
        other = cast.others[i]
        group = f"another's file, {cast.sexes(reader, other.reader)}"
        folder.add(spoken(other), RATE_HZ, part=cast.part, group=group, flags={"ODD_SPEAKER": True})


def ways(part):
    """How a clip may be recorded otherwise than the rest: samples, part and generator to samples and rate."""
    rooms = {
        f"room {room}": lambda samples, _part, _random, room=room: (in_room(samples, room), RATE_HZ)
        for room in r.of_part(r.RESPONSES, part)
    }
    return {"telephone": SPOILS["telephone"], "noise 15 dB": SPOILS["noise 15 dB"], **rooms}


def _elsewhere(folder, cast, reader, recorded, random):
    """A reader's files, a third of them recorded otherwise, and as many of others, half of them so."""
    way, otherwise = recorded
    count = max(len(cast.hosts[reader]) // 3, 1)
    for number, utterance in enumerate(cast.hosts[reader]):
        made = otherwise(spoken(utterance), cast.part, random) if number < count else (spoken(utterance), RATE_HZ)
        group = f"the reader's own file, {f'otherwise: {way}' if number < count else 'beside such'}"
        folder.add(*made, part=cast.part, group=group, flags={SURELY_ODD: False})
    for number, i in enumerate(random.choice(len(cast.others), count, replace=False)):
        other = cast.others[i]
        made = otherwise(spoken(other), cast.part, random) if number % 2 else (spoken(other), RATE_HZ)
        folder.add(*made, part=cast.part, group=f"a stranger beside such: {way}", flags={"ODD_SPEAKER": True})
