"""Whose voice, 1.6 s at a time: GE2E embeddings of the speech, few where all is one voice, many where it may not be.

Wan et al., "Generalized end-to-end loss for speaker verification", ICASSP 2018. The frames in which somebody speaks are laid end
to end. Every 2 s of them there is a step: a glance at 1.6 s, or a look at all of it, as `pipeline.heard_most` tells. A look errs in 3
of 100 cases, so it decides nothing: where one is unlike what was heard so far, the less so where PyanNet hears two voices, looks are
taken every 0.4 s around it, and `pipeline.turns` pools them. The speech around those and around what PyanNet hears is kept, and
some of the main voice, for `pipeline.confirmation`.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline import mel, sounds
from pipeline.heard_most import LIKE_AT_A_GLANCE, LIKE_MAIN, HeardMost, Steps
from pipeline.kept_speech import KeptSpeech
from pipeline.local_turns import LocalTurns
from pipeline.network import Network
from pipeline.partials import LOOK, Partials, Unlike
from pipeline.records import Block, Floats
from pipeline.series import Series
from pipeline.speech_frames import SpeechFrames, Spoken
from pipeline.telephone import by_telephone
from pipeline.voiceprints import unit

STEP, DENSE_STEP = 200, 40
"""Frames of speech from one step to the next, every 2 s, and between looks where it may be another voice, every 0.4 s."""

GLANCE = 3
"""A glance hears the means of so many frames each."""

EVERY = 24
"""Every so many steps there is a look at what is like the voice heard most, too: every 48 s of speech."""

MANY = 3
"""With so many looks of a batch unlike that voice, there are looks at all steps for as long again; with one, at the next two."""

VOICE, SOUNDS = 256, 3
"""Numbers that the network makes of a look, and what else is kept of it: as in `pipeline.partials.Partials`."""

KNOWN = 12
"""Steps by which a voice is known; there are looks at all of them."""

FEW, BATCH = 4, 12
"""Steps at once, counted from the first, so that they are the same whatever the blocks: while a voice is hardly known, and then. One
look alone would take the network twice its time."""

FEWEST = 100
"""With less speech than that, 1 s, a voice cannot be told."""

LIKE_BY_TELEPHONE = 0.86
"""What `LIKE_MAIN` is through a telephone, where all voices are more alike, and a glance is not enough to tell them apart."""

LIKE_THOUGH_APART = 0.9
"""Where PyanNet hears two, what is liker than that is left to CAM++, which is asked about PyanNet's turns: GE2E takes them for one."""

OTHER_FRAMES, TWO_FRAMES = 18, 14
"""So many frames of a local voice other than the window's first, 0.18 s, are worth a look, and so many in which there may be two."""

LIKE_THOUGH_TWO = 0.86
"""Where for PyanNet there may be two at once, a look under that is taken for such."""

LOUD = 0.9
"""The mean sum over a look's bands that all are brought to, that of speech at about -25 dBFS: the network hears level."""


class PartialsMeter:
    """Keeps 520 bytes a look, up to 2,000 an hour of one voice and 9,000 of several or by telephone, 4 bytes a frame of speech, 40 s of mels.

    And what `KeptSpeech` keeps, 5 MB at most, and `LocalTurns`.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._speech = SpeechFrames()
        self._held = Spoken()  # from `_from` on
        self._from = 0
        self._unlike = Series(np.int64, 2)
        self._spoken = Series(np.int32)
        self._steps = 0
        self._at = Series(np.int32)
        self._voices = Series(np.float16, VOICE + SOUNDS)
        self._main = HeardMost(VOICE)
        self._all_until = KNOWN * STEP  # there is a look at every step that begins before
        self._kept = KeptSpeech()
        self._turns = LocalTurns()
        self._latest: set[int] = set()  # where looks begin that `_held` has

    def feed(self, block: Block) -> None:
        """Take in a block with its 16 kHz mono and its activity."""
        spoken = self._speech.feed(block)
        self._turns.feed(spoken.other)
        self._held = self._held.joined(spoken)
        self._spoken.extend(spoken.numbers)
        while (self._steps + self._next) * STEP + LOOK <= self._from + len(self._held.mels):
            starts = (self._steps + np.arange(self._next)) * STEP
            steps, at, voices = self._seen(starts, self._from + len(self._held.mels))
            if self._steps < KNOWN:
                steps = steps._replace(glanced=steps.looked, glances=self._embedded(starts.tolist(), GLANCE))
            self._all_until = max(KNOWN * STEP, self._behind_unlike(starts, steps))
            self._main.take(steps)
            self._at.extend(at)
            self._voices.extend(voices)
            self._steps += len(starts)
            done = (self._steps - 2) * STEP - self._from
            self._held, self._from = self._held.behind(done), self._from + done
            self._latest = {start for start in (*self._latest, *at.tolist()) if start >= self._from}

    @property
    def _next(self) -> int:
        """How many steps come next."""
        return FEW if self._steps < KNOWN else BATCH

    def _behind_unlike(self, starts: NDArray[np.int64], steps: Steps) -> int:
        """Up to where there are looks at all steps behind these; 0 where they are like the main voice."""
        unlike = starts[steps.looked][self._main.likeness(steps.looks) < LIKE_MAIN]
        behind = BATCH if len(unlike) >= MANY else 2
        return int(unlike.max()) + behind * STEP + 1 if len(unlike) else 0

    def unlike(self) -> Unlike:
        """Where the looks so far are unlike the voice heard most, or may be of two at once."""
        ahead, numbers = self._steps * STEP - self._from, self._held.numbers
        until = numbers[ahead] if ahead < len(numbers) else self._speech.number
        return Unlike(self._unlike.array(), int(until) * mel.HOP)

    def read(self) -> Partials:
        """All looks so far, one at the very end of the speech among them."""
        before = self._held, self._kept, self._unlike
        rest = self._speech.rest()
        self._held = self._held.joined(rest)
        self._kept, self._unlike = self._kept.copied(), self._unlike.copied()
        at, voices = self._last(self._from + len(self._held.mels))
        kept, unlike = self._kept, Unlike(self._unlike.array())
        self._held, self._kept, self._unlike = before
        at, order = np.unique(np.concatenate((self._at.array(), at)), return_index=True)
        made = np.concatenate((self._voices.array(), voices.astype(np.float16)))[order].astype(np.float32)
        spoken = np.concatenate((self._spoken.array(), rest.numbers)).astype(np.int64)
        turns = self._turns.read(rest.other)
        return Partials(at.astype(np.int64), unit(made[:, :VOICE]), spoken, made[:, VOICE:], turns, kept, unlike)

    def _last(self, total: int) -> tuple[NDArray[np.int64], Floats]:
        """The looks at the rest of so many frames of speech: where they begin, and the voices."""
        if total < FEWEST:
            return np.empty(0, np.int64), np.empty((0, VOICE + SOUNDS), np.float32)
        last = max(total - LOOK, 0)
        starts = np.unique([*range(self._steps * STEP, last + 1, STEP), last])
        _, at, voices = self._seen(starts, total)
        return at, voices

    def _seen(self, starts: NDArray[np.int64], total: int) -> tuple[Steps, NDArray[np.int64], Floats]:
        """Steps that begin there, and the looks at some of them and closer ones behind: where they begin, and the voices."""
        looked = self._surely_worth_a_look(starts)
        glanced = ~looked
        glances = self._embedded(starts[glanced].tolist(), GLANCE)
        looked[glanced] = self._main.at_a_glance(glances) < LIKE_AT_A_GLANCE
        looks = self._looked(starts[looked].tolist())
        steps = Steps(glanced, glances, looked, looks[:, :VOICE])
        closer = sorted(set(self._closer(starts, steps, total)) - set(starts[looked].tolist()))
        at = np.concatenate((starts[looked], np.array(closer, np.int64)))
        return steps, at, np.concatenate((looks, self._looked(closer)))

    def _surely_worth_a_look(self, starts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """At which steps there is a look at any rate: where PyanNet hears another or maybe two, now and then, and at the end.

        Through a telephone, as the first of them may be, at all of them.
        """
        if self._by_telephone(int(starts[0])):
            return np.ones(len(starts), bool)
        heard = np.array([self._other(start) or self._maybe_two(start) for start in starts.tolist()], bool)
        now_and_then, at_the_end = starts % (EVERY * STEP) == 0, starts % STEP > 0
        made: NDArray[np.bool_] = (starts < self._all_until) | heard | now_and_then | at_the_end
        return made

    def _other(self, start: int) -> bool:
        """Whether PyanNet hears another voice in the step that begins there."""
        return bool(self._held.other[start - self._from :][:STEP].sum() >= OTHER_FRAMES)

    def _maybe_two(self, start: int) -> bool:
        """Whether for PyanNet there may be two at once in the look that begins there."""
        return bool(self._held.maybe_two[start - self._from :][:LOOK].sum() >= TWO_FRAMES)

    def _closer(self, starts: NDArray[np.int64], steps: Steps, total: int) -> Iterator[int]:
        """Where closer looks begin: around those unlike the voice heard most; where another is heard, unless it is all but the same."""
        likeness = np.ones(len(starts))
        likeness[steps.looked] = self._main.likeness(steps.looks)
        for step, like in zip(starts.tolist(), likeness.tolist(), strict=True):
            # the look at the end is partly at the same speech as the one before
            if like >= LIKE_MAIN and step % STEP == 0:
                self._kept.keep_own(step, self._hops(step, step + LOOK))
            unlike, heard = self._is_unlike(step, like), self._other(step)
            if heard or unlike:
                first = max(step - STEP, self._from)
                self._kept.keep_unlike(first, self._hops(first, step + STEP + LOOK))
            if unlike or (heard and like < LIKE_THOUGH_APART):
                for at in (step - 2 * STEP, *range(step - STEP, step + STEP + 1, DENSE_STEP), step + 2 * STEP):
                    later = at > starts[-1] and at % STEP == 0  # a step of the next ones, at which there will be a look
                    if self._from <= at <= total - LOOK and at not in self._latest and not later:
                        yield at

    def _by_telephone(self, start: int) -> bool:
        """Whether the look that begins there is as through a telephone."""
        return by_telephone(self._hops(start, start + LOOK).ravel())

    def _hops(self, start: int, end: int) -> Floats:
        """The samples of those frames of speech, as far as there are any, (frames, 160)."""
        return self._held.mels[start - self._from : end - self._from, mel.HEARD :]

    def _is_unlike(self, start: int, like: float) -> bool:
        """Whether the look that begins there is unlike the voice heard most; if so, or if it may be two, it is noted where it lies."""
        unlike = like < LIKE_MAIN or (like < LIKE_BY_TELEPHONE and self._by_telephone(start))
        if unlike or (like < LIKE_THOUGH_TWO and self._maybe_two(start)):
            numbers = self._held.numbers[start - self._from :][:LOOK]
            self._unlike.extend(np.array([numbers[0], numbers[-1] + 1]) * mel.HOP)
        return unlike

    def _looked(self, starts: list[int]) -> Floats:
        """The voices and sounds (looks, 259) of the looks that begin there, 1.6 s each or as long as there is speech."""
        made = [sounds.heard(self._held.mels[at - self._from :][:LOOK, : mel.HEARD]) for at in starts]
        return np.concatenate((self._embedded(starts, 1), np.array(made, np.float32).reshape(-1, SOUNDS)), axis=1)

    def _embedded(self, starts: list[int], of: int) -> Floats:
        """The voices (looks, 256) of looks that begin there, of which the network hears the means of so many frames each."""
        made = [np.empty((0, VOICE), np.float32)]
        for first in range(0, len(starts), BATCH):
            looks = np.stack(
                [self._held.mels[at - self._from :][:LOOK, : mel.BANDS] for at in starts[first : first + BATCH]]
            )
            whole = looks[:, : looks.shape[1] // of * of]
            mels = whole.reshape(len(whole), -1, of, mel.BANDS).mean(axis=2) if of > 1 else whole
            mels = mels * (LOUD / np.maximum(mels.sum(axis=2).mean(axis=1), 1e-12))[:, None, None]
            made.append(np.asarray(self._network.run(None, {"mel": mels})[0], np.float32))
        return np.concatenate(made)
