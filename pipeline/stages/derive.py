"""Derive the signals that several subjects stand on, once: 16 kHz mono, its spectra, and who speaks when.

Blocks go in as decoded and come out with `mono16k`, `spectra` and `activity` of the same stretch. The voice activity engine looks
at windows, so blocks wait until their frames are certain: about 40 s of audio are kept at a time, whatever its length.
"""

import importlib
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline import kernels
from pipeline.dsp import DEAD_DB, FLOOR_DBFS, Doubles, grid
from pipeline.records import Activity, Block, Floats, StreamInfo
from pipeline.resampling import resampler
from pipeline.spectra import BINS, FrameSpectra

RATE_HZ = Activity.RATE_HZ
MIX_HZ = 10
"""How often the downmix looks again at which channels are alive; a grid of its own, so that blocks do not matter."""

CANCELLED_DB = 10.0
"""When the mean of the channels has this much less energy so far than they have, they cancel, and the loudest stands in:
a voice in opposite phase is a fault of the channels and no silence."""


class VoiceActivity(Protocol):
    """An engine of `pipeline/activity`."""

    name: str

    def feed(self, samples: Floats) -> Floats:
        """Probabilities of the frames that became certain, (frames, 1 + voices): of speech, then of each local voice."""
        ...

    def finish(self) -> Floats:
        """The frames still owed."""
        ...


def activity_engine(name: str) -> VoiceActivity:
    """The voice activity engine of that name, ready for one clip. Raises ModelError when its weights are missing."""
    engine: VoiceActivity = importlib.import_module(f"pipeline.activity.{name}").Engine()
    return engine


def derive(info: StreamInfo, blocks: Iterable[Block], engine: VoiceActivity | None) -> Iterator[Block]:
    """The same blocks, each with its part of the 16 kHz mono signal, its spectra and, given an engine, the activity."""
    mix, resample = _Downmix(info), resampler(info.sample_rate, RATE_HZ)
    signals = _Signals(engine)
    waiting: deque[Block] = deque()
    held = np.empty(0, np.float32)  # one block behind, so that the end comes in one piece, as all of a short clip does
    for block in blocks:
        waiting.append(block)
        signals.feed(held)
        held = resample.feed(mix.feed(block.samples))
        while waiting and signals.reach(*_ends(waiting[0])):
            certain = waiting.popleft()
            yield signals.carried(certain, *_ends(certain))
    signals.feed(np.concatenate((held, resample.finish(mix.finish()))))
    signals.finish()
    while len(waiting) > 1:
        certain = waiting.popleft()
        yield signals.carried(certain, *_ends(certain))
    for last in waiting:
        yield signals.carried(last, *signals.ends())


class _Downmix:
    """The mean of the channels that are alive, decided every 100 ms from the energy so far. Keeps under 100 ms."""

    def __init__(self, info: StreamInfo) -> None:
        self._rate, self._channels = info.sample_rate, info.channels
        self._held = np.empty((info.channels, 0), np.float32)
        self._energy = np.zeros(info.channels)
        self._mix_energy = 0.0
        self._first = 0

    def feed(self, samples: Floats) -> Floats:
        """The mix (frames,) of all cells that (frames, channels) complete."""
        if self._channels == 1:
            return samples[:, 0]
        planes = samples.T
        edges = grid(self._first, planes.shape[1], self._rate, MIX_HZ)
        self._first += planes.shape[1]
        if not len(edges):
            self._held = np.concatenate((self._held, planes), axis=1)
            return np.empty(0, np.float32)
        begun = np.concatenate((self._held, planes[:, : edges[0]]), axis=1)
        whole = planes[:, edges[0] : edges[-1]]
        self._held = planes[:, edges[-1] :]
        first = self._mixed(begun, np.array([begun.shape[1]]))
        return np.concatenate((first, self._mixed(whole, edges[1:] - edges[0])))

    def finish(self) -> Floats:
        """The mix of the cell that was begun."""
        return self._mixed(self._held, np.array([self._held.shape[1]]))

    def _mixed(self, planes: Floats, edges: NDArray[np.int64]) -> Floats:
        if not planes.shape[1]:
            return np.empty(0, np.float32)
        mean = _mean(planes)
        energy = self._energy[:, None] + np.cumsum(_energies(planes, edges), axis=1)
        mix_energy = self._mix_energy + np.cumsum(_energies(mean[None], edges)[0])
        if (energy >= _under(energy.max(axis=0), DEAD_DB)).all() and (
            mix_energy >= _under(energy.mean(axis=0), CANCELLED_DB)
        ).all():
            self._energy, self._mix_energy = energy[:, -1], float(mix_energy[-1])
            return mean
        return np.concatenate([self._mixed_cell(cell) for cell in np.split(planes, edges[:-1], axis=1)])

    def _mixed_cell(self, planes: Floats) -> Floats:
        whole = np.array([planes.shape[1]])
        self._energy = self._energy + _energies(planes, whole)[:, 0]
        alive = self._energy >= _under(self._energy.max(), DEAD_DB)
        mixed = _mean(planes[alive])
        self._mix_energy += float(_energies(mixed[None], whole)[0, 0])
        if self._mix_energy < _under(self._energy[alive].mean(), CANCELLED_DB):
            mixed = planes[int(self._energy.argmax())]
        return mixed


def _mean(planes: Floats) -> Floats:
    """Always summed in the same order, so that blocks do not matter even to the last bit."""
    if len(planes) == 1:
        only: Floats = planes[0]
        return only
    mean: Floats = planes[0] + planes[1]
    for plane in planes[2:]:
        mean += plane
    mean *= np.float32(1 / len(planes))
    return mean


def _energies(planes: Floats, edges: NDArray[np.int64]) -> Doubles:
    return kernels.moments(planes, edges)[1][:, :-1]


def _under(power: Doubles, by_db: float) -> Doubles:
    under: Doubles = power * 10 ** (-by_db / 10)
    return under


class _Ribbon:
    """An array that grows at its end and is cut off at its start; positions stay those of the whole."""

    def __init__(self, shape: tuple[int, ...] = (0,)) -> None:
        self._array = np.empty(shape, np.float32)
        self._first = 0

    @property
    def first(self) -> int:
        return self._first

    @property
    def end(self) -> int:
        return self._first + len(self._array)

    def append(self, more: Floats) -> None:
        if len(more):
            self._array = np.concatenate((self._array, more))

    def cut(self, until: int) -> Floats:
        taken = self._array[: max(until - self._first, 0)]
        self._array, self._first = self._array[len(taken) :], self._first + len(taken)
        return taken


class _Frames:
    """The engine's probabilities and the level, frame by frame."""

    def __init__(self, engine: VoiceActivity) -> None:
        self._engine = engine
        self._seen: _Ribbon | None = None
        self._level = _Ribbon()
        self._held = np.empty(0, np.float32)

    @property
    def end(self) -> int:
        return 0 if self._seen is None else min(self._seen.end, self._level.end)

    def feed(self, samples: Floats) -> None:
        self._take(self._engine.feed(samples))
        self._held = np.concatenate((self._held, samples))
        whole = len(self._held) // Activity.HOP * Activity.HOP
        self._level.append(_level_dbfs(self._held[:whole].reshape(-1, Activity.HOP)))
        self._held = self._held[whole:]

    def finish(self) -> None:
        self._take(self._engine.finish())
        if len(self._held):
            self._level.append(_level_dbfs(self._held[None, :]))

    def cut(self, until: int) -> Activity:
        first = self._level.first
        level = self._level.cut(until)
        seen = np.empty((0, 1), np.float32) if self._seen is None else self._seen.cut(until)
        speech, voices = seen[:, 0], seen[:, 1:]
        if not voices.shape[1]:
            return Activity(first, speech, level, engine=self._engine.name)
        return Activity(first, speech, level, voices, np.sort(voices, axis=1)[:, -2], self._engine.name)

    def _take(self, seen: Floats) -> None:
        if self._seen is None:
            self._seen = _Ribbon((0, seen.shape[1]))
        self._seen.append(seen)


def _level_dbfs(frames: Floats) -> Floats:
    power = np.einsum("ij,ij->i", frames, frames) / frames.shape[1]
    level: Floats = (10 * np.log10(np.maximum(power, 10 ** (FLOOR_DBFS / 10)))).astype(np.float32)
    return level


def _ends(block: Block) -> tuple[int, int]:
    """Where a block ends in samples at 16 kHz and in frames."""
    samples_end = -(-(block.start + len(block.samples)) * RATE_HZ // block.sample_rate)
    return samples_end, -(-samples_end // Activity.HOP)


class _Signals:
    """Everything derived that no block has carried off yet."""

    def __init__(self, engine: VoiceActivity | None) -> None:
        self._mono, self._spectra = _Ribbon(), _Ribbon((0, BINS))
        self._transform = FrameSpectra()
        self._frames = None if engine is None else _Frames(engine)

    def feed(self, samples: Floats) -> None:
        if not len(samples):
            return
        self._mono.append(samples)
        self._spectra.append(self._transform.feed(samples))
        if self._frames is not None:
            self._frames.feed(samples)

    def finish(self) -> None:
        self._spectra.append(self._transform.finish())
        if self._frames is not None:
            self._frames.finish()

    def ends(self) -> tuple[int, int]:
        """How many samples at 16 kHz and how many frames there are so far."""
        frames_end = self._spectra.end if self._frames is None else min(self._spectra.end, self._frames.end)
        return self._mono.end, frames_end

    def reach(self, samples_end: int, frames_end: int) -> bool:
        samples, frames = self.ends()
        return samples >= samples_end and frames >= frames_end

    def carried(self, block: Block, samples_end: int, frames_end: int) -> Block:
        activity = None if self._frames is None else self._frames.cut(frames_end)
        return replace(
            block,
            mono16k=self._mono.cut(samples_end),
            activity=activity,
            spectra=self._spectra.cut(frames_end),
        )
