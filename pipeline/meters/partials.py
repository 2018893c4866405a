"""Whose voice, 1.6 s at a time: GE2E embeddings of the speech, few where all is one voice, many where it may not be.

Wan et al., "Generalized end-to-end loss for speaker verification", ICASSP 2018. The frames in which somebody speaks are laid end
to end, and a look at 1.6 s of them is taken every 2 s. One such look errs in 3 of 100 cases, so it decides nothing: where one is
unlike what was heard so far, the less so where PyanNet hears two voices, looks are taken every 0.4 s around it, and `pipeline.turns`
pools them. The speech around those and around what PyanNet hears is kept, and some of the main voice, for `pipeline.confirmation`.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline import mel
from pipeline.dsp import quantiles
from pipeline.kept_speech import KeptSpeech
from pipeline.local_turns import LocalTurns
from pipeline.network import Network
from pipeline.partials import LOOK, Partials, Unlike
from pipeline.records import Block, Floats
from pipeline.series import Series
from pipeline.speech_frames import SpeechFrames
from pipeline.telephone import by_telephone
from pipeline.voiceprints import unit

STEP, DENSE_STEP = 200, 40
"""Frames of speech from one look to the next: every 2 s, and every 0.4 s where it may be another voice."""

VOICE, SOUNDS = 256, 3
"""Numbers that the network makes of a look, and what else is kept of it: as in `pipeline.partials.Partials`."""

BATCH = 4
"""Looks at once, counted from the first: more were no faster, and the same ones whatever the blocks."""

MOST_AT_ONCE = 12
"""Closer looks come by tens; one alone takes the network twice its time."""

FEWEST = 100
"""With less speech than that, 1 s, a voice cannot be told."""

LIKE_MAIN, LIKE_BY_TELEPHONE = 0.8, 0.86
"""Cosine to the voice heard most so far. An insert of 2 to 5 s of another voice has a look under it, few of a single reader's
looks are. Through a telephone all voices are more alike."""

LIKE_THOUGH_APART = 0.9
"""Where PyanNet hears two, what is liker than that is left to CAM++, which is asked about PyanNet's turns: GE2E takes them for one."""

SURELY_OTHER = 0.7
"""A look that is less like the voice heard most is no part of it: of a single reader's 1 in 1,000."""

OTHER_FRAMES = 18
"""0.18 s of another local voice than the window's first are worth a closer look."""

VOICED_BANDS = slice(4, 36)
"""Without the lowest and the highest, where there is hum, hiss and the edge of codecs."""

FALL_FRAMES, FALL_RATIO = 3, 0.1
"""By how much bands fall in 30 ms, in the tenth of the frames in which they fall fastest."""

AUDIBLE_DB = 25.0
"""What falls from further below a band's peak is noise and no voice."""

LOUD = 0.9
"""The mean sum over a look's bands that all are brought to, that of speech at about -25 dBFS: the network hears level."""


class PartialsMeter:
    """Keeps 520 bytes a look, up to 2,000 an hour of one voice and 9,000 of several or by telephone, 4 bytes a frame of speech, 20 s of mels.

    And what `KeptSpeech` keeps, 5 MB at most, and `LocalTurns`.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._speech = SpeechFrames()
        self._mels = np.empty((0, mel.COLUMNS), np.float32)  # of the speech, from `_from` on
        self._other = np.empty(0, bool)
        self._numbers = np.empty(0, np.int64)  # of each in the clip
        self._unlike = Series(np.int64, 2)
        self._from = 0
        self._spoken = Series(np.int32)
        self._looks = 0
        self._at = Series(np.int32)
        self._voices = Series(np.float16, VOICE + SOUNDS)
        self._main = _Main()
        self._kept = KeptSpeech()
        self._turns = LocalTurns()
        self._close_until = -1  # no closer look is needed up to here

    def feed(self, block: Block) -> None:
        """Take in a block with its 16 kHz mono and its activity."""
        mels, numbers, other = self._speech.feed(block)
        self._turns.feed(other)
        self._hold(mels, other, numbers)
        self._spoken.extend(numbers)
        while (self._looks + BATCH) * STEP + LOOK <= self._from + len(self._mels):
            at, voices = self._seen(BATCH, self._from + len(self._mels))
            self._main.take(voices[:BATCH, :VOICE])
            self._at.extend(at)
            self._close_until = max(self._close_until, int(at.max()))
            self._voices.extend(voices)
            self._looks += BATCH
            done = (self._looks - 1) * STEP - self._from
            self._mels, self._other, self._numbers = self._mels[done:], self._other[done:], self._numbers[done:]
            self._from += done

    def unlike(self) -> Unlike:
        """Where the looks so far are unlike the voice heard most."""
        ahead = self._looks * STEP - self._from
        until = self._numbers[ahead] if ahead < len(self._numbers) else self._speech.number
        return Unlike(self._unlike.array(), int(until) * mel.HOP)

    def _hold(self, mels: Floats, other: NDArray[np.bool_], numbers: NDArray[np.int64]) -> None:
        self._mels = np.concatenate((self._mels, mels))
        self._other = np.concatenate((self._other, other))
        self._numbers = np.concatenate((self._numbers, numbers))

    def read(self) -> Partials:
        """All looks so far, one at the very end of the speech among them."""
        before = self._mels, self._other, self._numbers, self._kept, self._unlike
        mels, numbers, other = self._speech.rest()
        self._hold(mels, other, numbers)
        self._kept, self._unlike = self._kept.copied(), self._unlike.copied()
        at, voices = self._last(self._from + len(self._mels))
        kept, unlike = self._kept, Unlike(self._unlike.array())
        self._mels, self._other, self._numbers, self._kept, self._unlike = before
        at, order = np.unique(np.concatenate((self._at.array(), at)), return_index=True)
        made = np.concatenate((self._voices.array(), voices.astype(np.float16)))[order].astype(np.float32)
        spoken = np.concatenate((self._spoken.array(), numbers)).astype(np.int64)
        sounds, turns = made[:, VOICE:], self._turns.read(other)
        return Partials(at.astype(np.int64), unit(made[:, :VOICE]), spoken, sounds, turns, kept, unlike)

    def _last(self, total: int) -> tuple[NDArray[np.int64], Floats]:
        """The looks at the rest of so many frames of speech: where they begin, and the voices."""
        if total < FEWEST:
            return np.empty(0, np.int64), np.empty((0, VOICE + SOUNDS), np.float32)
        count = max(total - LOOK, 0) // STEP + 1 - self._looks
        at, voices = self._seen(count, total)
        last = max(total - LOOK, 0)
        if last in at:
            return at, voices
        voices = np.concatenate((voices, self._embedded([last])))
        self._is_unlike(last, float(self._main.likeness(voices[:, :VOICE])[-1]))
        return np.append(at, last), voices

    def _seen(self, count: int, total: int) -> tuple[NDArray[np.int64], Floats]:
        """So many more looks, and closer ones behind them: where they begin, and the voices."""
        steps = (self._looks + np.arange(count)) * STEP
        plain = self._embedded(steps.tolist())
        closer = sorted(set(self._closer(steps, plain[:, :VOICE], total)) - set(steps.tolist()))
        at = np.concatenate((steps, np.array(closer, np.int64)))
        return at, np.concatenate((plain, self._embedded(closer)))

    def _closer(self, steps: NDArray[np.int64], voices: Floats, total: int) -> Iterator[int]:
        """Where closer looks begin: around those unlike the voice heard most; where another is heard, unless it is all but the same."""
        likeness = self._main.likeness(voices)
        for step, like in zip(steps.tolist(), likeness.tolist(), strict=True):
            hops = self._mels[step - self._from :][:LOOK, mel.HEARD :]
            if like >= LIKE_MAIN:
                self._kept.keep_own(step, hops)
            unlike = self._is_unlike(step, like)
            heard = self._other[step - self._from :][:STEP].sum() >= OTHER_FRAMES
            if heard or unlike:
                first, end = max(step - STEP, self._from), min(step + STEP + LOOK, total)
                self._kept.keep_unlike(first, self._mels[first - self._from : end - self._from, mel.HEARD :])
            if unlike or (heard and like < LIKE_THOUGH_APART):
                for at in range(max(step - STEP, self._from), step + STEP + 1, DENSE_STEP):
                    if self._close_until < at <= total - LOOK:
                        yield at

    def _is_unlike(self, start: int, like: float) -> bool:
        """Whether the look that begins there is unlike the voice heard most; if so, it is noted where it lies in the clip."""
        hops = self._mels[start - self._from :][:LOOK, mel.HEARD :]
        unlike = like < LIKE_MAIN or (like < LIKE_BY_TELEPHONE and by_telephone(hops.ravel()))
        if unlike:
            numbers = self._numbers[start - self._from :][:LOOK]
            self._unlike.extend(np.array([numbers[0], numbers[-1] + 1]) * mel.HOP)
        return unlike

    def _embedded(self, starts: list[int]) -> Floats:
        """The voices and sounds (looks, 259) of the looks that begin there, 1.6 s each or as long as there is speech."""
        made = [np.empty((0, VOICE + SOUNDS), np.float32)]
        for first in range(0, len(starts), MOST_AT_ONCE):
            looks = np.stack(
                [self._mels[at - self._from :][:LOOK, : mel.HEARD] for at in starts[first : first + MOST_AT_ONCE]]
            )
            mels = looks[:, :, : mel.BANDS]
            mels = mels * (LOUD / np.maximum(mels.sum(axis=2).mean(axis=1), 1e-12))[:, None, None]
            voices = np.asarray(self._network.run(None, {"mel": mels})[0], np.float32)
            sounds = np.array([_sound(look) for look in looks], np.float32)
            made.append(np.concatenate((voices, sounds), axis=1))
        return np.concatenate(made)


def _sound(look: Floats) -> tuple[float, float, float]:
    """Frames with a pitch, its median in semitones, and how far bands fall in 30 ms where they fall fast, in dB."""
    pitched = look[:, mel.BANDS] > 0
    semitones = float(quantiles(look[pitched, mel.BANDS + 1], 0.5)[0]) if pitched.any() else 0.0
    level_db = 10 * np.log10(look[:, VOICED_BANDS] + 1e-12)
    falls = level_db[FALL_FRAMES:] - level_db[:-FALL_FRAMES]
    falls = falls[level_db[:-FALL_FRAMES] > level_db.max(axis=0) - AUDIBLE_DB]
    fall_db = float(quantiles(falls, FALL_RATIO)[0]) if len(falls) else 0.0
    return float(pitched.sum()), semitones, fall_db


class _Main:
    """The voice heard most so far, and the sum of what is surely another; when that is more, it takes the place.

    In a talk of two the mean of all looks lies between them and near to both, so that neither would ever stand out.
    """

    def __init__(self) -> None:
        self._sums = np.zeros((2, VOICE))
        self._counts = [0, 0]

    def likeness(self, voices: Floats) -> NDArray[np.float64]:
        """The cosine of each look to the main voice; of the first ones to what most of them are."""
        main = self._sums[0] if self._counts[0] else _middle(voices)
        return np.asarray(voices @ (main / max(float(np.linalg.norm(main)), 1e-9)), np.float64)

    def take(self, voices: Floats) -> None:
        """Count looks in, after they were judged."""
        for voice, like in zip(voices, self.likeness(voices).tolist(), strict=True):
            if like >= LIKE_MAIN or like < SURELY_OTHER:  # what lies between would draw the voices together
                which = int(like < SURELY_OTHER)
                self._sums[which] += voice
                self._counts[which] += 1
        if self._counts[1] > self._counts[0]:
            self._sums, self._counts = self._sums[::-1].copy(), self._counts[::-1]


def _middle(voices: Floats) -> Floats:
    """The look that all the others together are most like; zeros where there is none."""
    if not len(voices):
        return np.zeros(VOICE, np.float32)
    middle: Floats = voices[int(np.argmax((voices @ voices.T).sum(axis=1)))]
    return middle
