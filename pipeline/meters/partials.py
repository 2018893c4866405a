"""Whose voice, 1.6 s at a time: GE2E embeddings of the speech, few where all is one voice, many where it may not be.

Wan et al., "Generalized end-to-end loss for speaker verification", ICASSP 2018. The frames in which somebody speaks are laid end
to end. Every 2 s of them there is a step: a glance at 1.6 s, or a look at all of it, as `pipeline.heard_most` tells. A look errs in 3
of 100 cases, so it decides nothing: where one is unlike what was heard so far, the less so where PyanNet hears two voices, there is
one before and one behind it, and where those leave the doubt, one every 0.4 s, which `pipeline.turns` pools. The speech around those
and around what PyanNet hears is kept, and some of the main voice, for `pipeline.confirmation`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline import encoder, mel
from pipeline.encoder import SOUNDS, VOICE
from pipeline.heard_most import LIKE_MAIN, HeardMost, Steps
from pipeline.kept_speech import KeptSpeech
from pipeline.local_turns import LocalTurns
from pipeline.network import Network
from pipeline.partials import LOOK, STEP, Partials, Unlike
from pipeline.records import Block, Floats
from pipeline.series import Series
from pipeline.speech_frames import SpeechFrames, Spoken
from pipeline.telephone import by_telephone
from pipeline.voiceprints import unit

DENSE_STEP = 40
"""Frames of speech from one look to the next where it may be another voice, 0.4 s."""

EVERY = 48
"""Every so many steps there is a look at what is like the voice heard most, too: every 96 s of speech."""

NEAR = (-2 * DENSE_STEP, 2 * DENSE_STEP)
CLOSER = (-2 * STEP, *range(-STEP, STEP + 1, DENSE_STEP), 2 * STEP)
"""Where looks around one in doubt begin, from there: the nearest that have half of it, and all, if those are in doubt, too."""

LIKE_NEAR = 0.86
"""Two looks that are liker than that together leave no doubt: a reader's odd sound is over soon, an insert of 2 s is not."""

MANY = 3
"""With so many looks of a batch unlike that voice, there are looks at all steps for as long again; with one, at the next two."""

KNOWN = 8
"""Steps by which a voice is known; there are looks at all of them."""

FEW, BATCH = 4, encoder.TOGETHER
"""Steps at once, counted from the first, so that they are the same whatever the blocks: while a voice is hardly known, and then."""

FEWEST = 100
"""With less speech than that, 1 s, a voice cannot be told."""

LIKE_BY_TELEPHONE = 0.86
"""What `LIKE_MAIN` is through a telephone, where all voices are more alike, and a glance is not enough to tell them apart."""

LIKE_THOUGH_APART = 0.88
"""Where PyanNet hears two, a look that is liker than that is not doubted: to GE2E it is the same voice."""

OTHER_FRAMES, TWO_FRAMES = 18, 30
"""So many frames of a local voice other than the window's first, 0.18 s, are heeded, and so many in which there may be two, 0.3 s."""

LIKE_THOUGH_TWO, LIKE_THOUGH_TWO_AT_A_GLANCE = 0.86, 0.925
"""Where for PyanNet there may be two at once, a look under the first is taken for such; there, and where PyanNet hears another, a
glance under the second is followed by a look."""


class PartialsMeter:
    """Keeps 520 bytes a look, up to 2,000 an hour of one voice and 9,000 of several or by telephone, 4 bytes a frame of speech.

    And 40 s of mels and samples, and what `KeptSpeech`, 5 MB at most, and `LocalTurns` keep.
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
        self._latest: dict[int, Floats] = {}  # the looks by where they begin, of which `_held` has all

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
                steps = steps._replace(glanced=steps.looked, glances=encoder.glanced(self._network, self._mels(starts)))
            self._all_until = max(KNOWN * STEP, self._behind_unlike(starts, steps))
            self._main.take(steps)
            self._at.extend(at)
            self._voices.extend(voices)
            self._steps += len(starts)
            done = (self._steps - 2) * STEP - self._from
            self._held, self._from = self._held.behind(done), self._from + done
            looks = self._latest | dict(zip(at.tolist(), voices, strict=True))
            self._latest = {start: look for start, look in looks.items() if start >= self._from}

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
        glances = encoder.glanced(self._network, self._mels(starts[glanced]))
        looked |= self._unlike_at_a_glance(starts, glanced, self._main.at_a_glance(glances))
        made = self._looked(starts[looked].tolist())
        steps = Steps(glanced, glances, looked, _rows(made)[:, :VOICE])
        doubtful = list(self._doubtful(starts, steps))
        last = int(starts[-1])
        made |= self._looked(self._around(doubtful, NEAR, last, total) - made.keys())
        doubtful = self._still_doubtful(doubtful, self._latest | made)
        made |= self._looked(self._around(doubtful, CLOSER, last, total) - made.keys())
        return steps, np.array(list(made), np.int64), _rows(made)

    def _unlike_at_a_glance(
        self, starts: NDArray[np.int64], glanced: NDArray[np.bool_], likeness: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """At which steps there is a look because of the glances at some of them, the sooner where PyanNet hears another, or maybe two."""
        unlike = self._main.unlike_at_a_glance(glanced, likeness)
        for step in np.flatnonzero(glanced)[likeness < LIKE_THOUGH_TWO_AT_A_GLANCE].tolist():
            unlike[step] |= self._other(int(starts[step])) or self._maybe_two(int(starts[step]))
        return unlike

    def _surely_worth_a_look(self, starts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """At which steps there is a look at any rate: behind what is unlike, now and then, and at the end.

        Through a telephone, as the first of them may be, at all of them.
        """
        if self._by_telephone(int(starts[0])):
            return np.ones(len(starts), bool)
        now_and_then, at_the_end = starts % (EVERY * STEP) == 0, starts % STEP > 0
        made: NDArray[np.bool_] = (starts < self._all_until) | now_and_then | at_the_end
        return made

    def _other(self, start: int) -> bool:
        """Whether PyanNet hears another voice in the step that begins there."""
        return bool(self._held.other[start - self._from :][:STEP].sum() >= OTHER_FRAMES)

    def _maybe_two(self, start: int) -> bool:
        """Whether for PyanNet there may be two at once in the look that begins there."""
        return bool(self._held.maybe_two[start - self._from :][:LOOK].sum() >= TWO_FRAMES)

    def _doubtful(self, starts: NDArray[np.int64], steps: Steps) -> Iterator[int]:
        """Steps that are unlike the voice heard most, or where another is heard, unless they are all but the same."""
        likeness = np.ones(len(starts))
        likeness[steps.looked] = self._main.likeness(steps.looks)
        for step, like, looked in zip(starts.tolist(), likeness.tolist(), steps.looked.tolist(), strict=True):
            unlike, heard = self._is_unlike(step, like), self._other(step)
            # the look at the end is partly at the same speech as the one before
            if like >= LIKE_MAIN and step % STEP == 0 and (looked or not heard):
                self._kept.keep_own(step, self._hops(step, step + LOOK))
            if heard or unlike:
                first = max(step - STEP, self._from)
                self._kept.keep_unlike(first, self._hops(first, step + STEP + LOOK))
            if unlike or (heard and like < LIKE_THOUGH_APART):
                yield step

    def _around(self, steps: Sequence[int], offsets: Sequence[int], last: int, total: int) -> set[int]:
        """Where looks around those steps begin that there are not yet; the steps behind the last one come next."""
        around = {step + offset for step in steps for offset in offsets}
        later = {at for at in around if at > last and at % STEP == 0}
        return {at for at in around - later - self._latest.keys() if self._from <= at <= total - LOOK}

    def _still_doubtful(self, steps: Sequence[int], looks: Mapping[int, Floats]) -> list[int]:
        """The steps that leave a doubt together with the look before or behind them, too, or that have none.

        All of the first ones do, for as yet there is nothing to hold them against, and all by telephone, where voices are too alike.
        """
        found = []
        for step in steps:
            if not self._main.known or self._by_telephone(step):
                found.append(step)
                continue
            near = [looks[step + offset][:VOICE] for offset in NEAR if step + offset in looks]
            if not near or self._main.likeness(unit(np.stack(near) + looks[step][:VOICE])).min() < LIKE_NEAR:
                found.append(step)
        return found

    def _by_telephone(self, start: int) -> bool:
        """Whether the look that begins there is as through a telephone."""
        return by_telephone(self._hops(start, start + LOOK).ravel())

    def _hops(self, start: int, end: int) -> Floats:
        """The samples of those frames of speech, as far as there are any, (frames, 160)."""
        return self._held.hops[start - self._from : end - self._from]

    def _is_unlike(self, start: int, like: float) -> bool:
        """Whether the look that begins there is unlike the voice heard most; if so, or if it may be two, it is noted where it lies."""
        unlike = like < LIKE_MAIN or (like < LIKE_BY_TELEPHONE and self._by_telephone(start))
        if unlike or (like < LIKE_THOUGH_TWO and self._maybe_two(start)):
            numbers = self._held.numbers[start - self._from :][:LOOK]
            self._unlike.extend(np.array([numbers[0], numbers[-1] + 1]) * mel.HOP)
        return unlike

    def _looked(self, starts: Iterable[int]) -> dict[int, Floats]:
        """The voice and the sounds (259,) of each look that begins there, in order."""
        at = sorted(starts)
        return dict(zip(at, encoder.looked(self._network, self._mels(at)), strict=True))

    def _mels(self, starts: Iterable[int]) -> list[Floats]:
        """What is heard of the looks that begin there, 1.6 s each or as long as there is speech."""
        return [self._held.mels[at - self._from :][:LOOK] for at in starts]


def _rows(looks: Mapping[int, Floats]) -> Floats:
    """Looks one under the other, (looks, 259)."""
    return np.array(list(looks.values()), np.float32).reshape(-1, VOICE + SOUNDS)
