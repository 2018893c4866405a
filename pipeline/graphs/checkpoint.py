"""Torch checkpoints, read without torch and without running anything that they name.

A checkpoint is a pickle, and a pickle may call any function it can import. The unpickler here imports nothing: it builds
the pickle format's own dictionaries, lists, strings and numbers, notes where each tensor lies, and puts an inert record in
the place of every other class. Two layouts are read: the zip that torch writes since 1.6 (`*/data.pkl` and a file for each
storage), and the older run of bare pickles followed by the raw storages.

A hostile file can still ask for much memory, so check a file's sha256 before it is read.
"""

from __future__ import annotations

import os
import pickle
import struct
import zipfile
import zlib
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

Weights = dict[str, NDArray[np.floating[Any]]]

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_DTYPES = {
    "HalfStorage": np.dtype("<f2"),
    "FloatStorage": np.dtype("<f4"),
    "DoubleStorage": np.dtype("<f8"),
    "LongStorage": np.dtype("<i8"),  # batch normalisation counts its batches
}
# Lightning and Resemblyzer put the weights under these keys, beside the optimizer's state; a bare state dict has neither.
_STATE_KEYS = ("state_dict", "model_state")
# What a damaged or hostile file makes pickle, zipfile, struct and numpy raise. Anything else is a fault of ours.
_DAMAGE = (
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    AttributeError,
    LookupError,
    MemoryError,
    OverflowError,
    RuntimeError,  # an encrypted or unknown zip entry
    TypeError,
    ValueError,
)


def read(path: Path) -> Weights:
    """Give the state dict in the checkpoint at `path`: a float array by each parameter's name, in the file's precision.

    Only the storages of the state dict are kept, not the optimizer's. Raises `ModelError` where the file cannot be read, is
    no checkpoint, or holds a parameter that is no float tensor inside its storage.
    """
    try:
        with path.open("rb") as file:
            if zipfile.is_zipfile(file):
                return _read_zip(file)
            return _read_legacy(file)
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    except _DAMAGE as error:
        raise ModelError(
            f"{path} is not a torch checkpoint that voxgate can read ({error}); install it again"
        ) from error


class _Storage(NamedTuple):
    key: str
    dtype: np.dtype[Any] | None


class _Tensor(NamedTuple):
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Record(dict[Any, Any]):
    """Stands for an object of any class: takes whatever the pickle gives it, keeps only its items, does nothing."""

    def __init__(self, *_arguments: object) -> None:
        super().__init__()

    __hash__ = object.__hash__  # type: ignore[assignment]  # records serve as keys where the original did

    def __setstate__(self, _state: object) -> None: ...

    def append(self, _item: object) -> None: ...

    def extend(self, _items: object) -> None: ...

    def add(self, _item: object) -> None: ...


class _RebuildTensor:
    """Stands for torch._utils._rebuild_tensor_v2. Without attributes, so that a pickle's BUILD cannot change it."""

    __slots__ = ()

    def __call__(self, storage: _Storage, offset: int, shape: Any, strides: Any, *_rest: object) -> _Tensor:
        return _Tensor(storage, offset, tuple(shape), tuple(strides))


class _Unpickler(pickle.Unpickler):
    """Builds nothing but the classes above. Keeps every storage that the pickle names, by key."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {}

    def find_class(self, module: str, name: str) -> object:
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _RebuildTensor()
        # A class of its own for each mention: what a pickle does to one cannot reach another file's.
        return type("Record", (_Record,), {"dtype": _DTYPES.get(name) if module == "torch" else None})

    def persistent_load(self, pid: Any) -> _Storage:
        kind, record, key = pid[:3]
        if kind != "storage":
            raise ValueError(f"unknown persistent object {kind!r}")
        return self.storages.setdefault(str(key), _Storage(str(key), getattr(record, "dtype", None)))


def _read_zip(file: IO[bytes]) -> Weights:
    with zipfile.ZipFile(file) as archive:
        index = next((name for name in archive.namelist() if name.endswith("data.pkl")), None)
        if index is None:
            raise ValueError("a zip without data.pkl")
        with archive.open(index) as stream:
            tensors = _state(_Unpickler(stream).load())
        folder = index.removesuffix("data.pkl") + "data/"
        return _arrays(tensors, lambda key: archive.read(folder + key))


def _read_legacy(file: IO[bytes]) -> Weights:
    file_bytes = file.seek(0, os.SEEK_END)
    file.seek(0)
    magic, protocol, system = (_Unpickler(file).load() for _ in range(3))
    if (magic, protocol) != (_LEGACY_MAGIC, _LEGACY_PROTOCOL):
        raise ValueError("neither a zip nor torch's older format")
    if not system["little_endian"]:
        raise ValueError("written on a big-endian machine")
    unpickler = _Unpickler(file)
    tensors = _state(unpickler.load())
    raw: dict[str, bytes] = {}
    for key in _Unpickler(file).load():
        dtype = unpickler.storages[key].dtype
        if dtype is None:
            raise ValueError(f"storage {key} is of an unknown type, so its length is unknown")
        (count,) = struct.unpack("<q", file.read(8))
        if not 0 <= count * dtype.itemsize <= file_bytes:
            raise ValueError(f"storage {key} is longer than the file")
        raw[key] = file.read(count * dtype.itemsize)
    return _arrays(tensors, raw.__getitem__)


def _state(checkpoint: Any) -> dict[str, _Tensor]:
    """Take the parameters by name; each must be a float tensor, since a weight left out would change the network."""
    if not isinstance(checkpoint, dict):
        raise TypeError("no dictionary")
    state = next((checkpoint[key] for key in _STATE_KEYS if key in checkpoint), checkpoint)
    if not isinstance(state, dict) or not state:
        raise ValueError("no state dict")
    for name, tensor in state.items():
        if not isinstance(tensor, _Tensor) or not isinstance(tensor.storage, _Storage):
            raise TypeError(f"{name} is no tensor")
        if tensor.storage.dtype is None:
            raise ValueError(f"{name} is not of a float type")
    return {str(name): tensor for name, tensor in state.items()}


def _arrays(tensors: Mapping[str, _Tensor], raw: Callable[[str], bytes]) -> Weights:
    storages: dict[str, NDArray[np.floating[Any]]] = {}
    arrays: Weights = {}
    for name, tensor in tensors.items():
        key = tensor.storage.key
        if key not in storages:
            storages[key] = np.frombuffer(raw(key), dtype=tensor.storage.dtype)
        arrays[name] = _view(name, tensor, storages[key])
    return arrays


def _view(name: str, tensor: _Tensor, storage: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Copy the tensor's part of its storage, after checking that the part lies inside it."""
    shape, strides = tensor.shape, tensor.strides
    if len(shape) != len(strides) or any(number < 0 for number in (tensor.offset, *shape, *strides)):
        raise ValueError(f"{name} has no valid shape")
    last = tensor.offset + sum((size - 1) * stride for size, stride in zip(shape, strides, strict=True))
    # The second bound keeps a stride of 0 from asking for any amount of memory.
    if 0 not in shape and (last >= storage.size or _count(shape) > storage.size):
        raise ValueError(f"{name} reaches beyond its storage")
    steps = [stride * storage.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], shape, steps, writeable=False).copy()


def _count(shape: tuple[int, ...]) -> int:
    count = 1
    for size in shape:
        count *= size
    return count
