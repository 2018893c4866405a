"""Checkpoints are written here opcode by opcode, as torch writes them, so that no torch is needed."""

import importlib.metadata
import io
import os
import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ModelError
from pipeline.graphs import checkpoint

LEGACY_HEAD = [0x1950A86A20F9469CFC6C, 1001, {"protocol_version": 1001, "little_endian": True}]


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def numbers(*values):
    return b"(" + b"".join(b"J" + struct.pack("<i", value) for value in values) + b"t"


def named(module, name):
    return f"c{module}\n{name}\n".encode()


def tensor(key, shape, strides, *, offset=0, kind="FloatStorage"):
    storage = b"(" + text("storage") + named("torch", kind) + text(key) + text("cpu") + b"K\x01tQ"
    empty = named("collections", "OrderedDict") + b")R"
    where = b"J" + struct.pack("<i", offset) + numbers(*shape) + numbers(*strides)
    return named("torch._utils", "_rebuild_tensor_v2") + b"(" + storage + where + b"\x89" + empty + b"tR"


def mapping(items):
    inside = b"".join(text(key) + value for key, value in items.items())
    return named("collections", "OrderedDict") + b")R(" + inside + b"u"


def whole(value):
    return b"\x80\x02" + value + b"."


def as_zip(path, body, storages):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", whole(body))
        for key, array in storages.items():
            archive.writestr(f"archive/data/{key}", array.tobytes())
    return path


def as_legacy(path, body, storages):
    parts = [*(pickle.dumps(part, 2) for part in LEGACY_HEAD), whole(body), pickle.dumps(list(storages), 2)]
    parts += [struct.pack("<q", array.size) + array.tobytes() for array in storages.values()]
    path.write_bytes(b"".join(parts))
    return path


FORMATS = pytest.mark.parametrize("write", [as_zip, as_legacy])
RAMP = np.arange(12, dtype="<f4")


@FORMATS
@pytest.mark.parametrize("key", ["state_dict", "model_state"])
def test_the_state_dict_is_read_from_both_formats(tmp_path, write, key):
    body = mapping({"epoch": b"K\x07", key: mapping({"weight": tensor("0", (3, 4), (4, 1))})})
    arrays = checkpoint.read(write(tmp_path / "weights", body, {"0": RAMP}))
    assert list(arrays) == ["weight"]
    np.testing.assert_array_equal(arrays["weight"], RAMP.reshape(3, 4))


@FORMATS
def test_tensors_that_share_a_storage_get_their_own_part_of_it(tmp_path, write):
    body = mapping({"turned": tensor("0", (4, 2), (1, 4)), "tail": tensor("0", (3,), (1,), offset=9)})
    arrays = checkpoint.read(write(tmp_path / "weights", body, {"0": RAMP}))
    np.testing.assert_array_equal(arrays["turned"], RAMP[:8].reshape(2, 4).T)
    np.testing.assert_array_equal(arrays["tail"], [9, 10, 11])


@FORMATS
@pytest.mark.parametrize(("kind", "dtype"), [("HalfStorage", "<f2"), ("DoubleStorage", "<f8")])
def test_a_tensor_keeps_its_precision(tmp_path, write, kind, dtype):
    body = mapping({"weight": tensor("0", (12,), (1,), kind=kind)})
    arrays = checkpoint.read(write(tmp_path / "weights", body, {"0": RAMP.astype(dtype)}))
    assert arrays["weight"].dtype == np.dtype(dtype)
    np.testing.assert_array_equal(arrays["weight"], RAMP)


@FORMATS
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(mapping({"weight": tensor("0", (13,), (1,))}), id="longer than its storage"),
        pytest.param(mapping({"weight": tensor("0", (4,), (1,), offset=9)}), id="ends beyond its storage"),
        pytest.param(mapping({"weight": tensor("0", (2, 2), (-1, 1), offset=4)}), id="negative stride"),
        pytest.param(mapping({"weight": tensor("0", (2**30, 2**30), (0, 0))}), id="repeats without end"),
        pytest.param(mapping({"weight": tensor("0", (12,), (1,), kind="LongStorage")}), id="not of a float type"),
        pytest.param(mapping({"weight": named("torch.nn", "Linear") + b")R"}), id="not a tensor"),
        pytest.param(mapping({"state_dict": mapping({})}), id="without parameters"),
        pytest.param(b"K\x07", id="a number"),
    ],
)
def test_a_state_dict_that_is_not_one_is_refused(tmp_path, write, body):
    path = write(tmp_path / "weights", body, {"0": RAMP})
    with pytest.raises(ModelError, match="weights is not a torch checkpoint"):
        checkpoint.read(path)


@FORMATS
def test_a_file_cut_anywhere_is_refused_with_its_name(tmp_path, write):
    path = write(tmp_path / "weights", mapping({"weight": tensor("0", (12,), (1,))}), {"0": RAMP})
    content = path.read_bytes()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        with pytest.raises(ModelError, match="weights"):
            checkpoint.read(path)


def test_a_storage_that_claims_more_than_the_file_is_refused(tmp_path):
    path = as_legacy(tmp_path / "weights", mapping({"weight": tensor("0", (12,), (1,))}), {"0": RAMP})
    content = path.read_bytes()
    claim = struct.pack("<q", RAMP.size)
    path.write_bytes(content.replace(claim, struct.pack("<q", 2**61)))
    with pytest.raises(ModelError, match="longer than the file"):
        checkpoint.read(path)


def test_a_file_that_is_not_there_is_a_model_error(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        checkpoint.read(tmp_path / "weights")


class Bomb:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def bombs(marker):
    """Pickles that leave `marker` behind when they are loaded in the ordinary way, one for each way to make a call."""
    touch = f"touch {marker}"
    argument = text(touch)
    attribute = b"\x80\x04\x8c\x02os\x8c\x06system\x93" + argument + b"\x85R."
    return {
        "reduce": pickle.dumps(Bomb(os.system, touch), 2),
        "eval": pickle.dumps(Bomb(eval, f"__import__('os').system({touch!r})"), 2),
        "exec": pickle.dumps(Bomb(exec, f"open({str(marker)!r}, 'w').close()"), 4),
        "open": pickle.dumps(Bomb(io.open, str(marker), "w"), 5),
        "stack_global": attribute,
        "inst": b"(" + argument + b"ios\nsystem\n.",
        "obj": b"\x80\x02(" + named("subprocess", "Popen") + b"(" + text("touch") + text(str(marker)) + b"lo.",
        "newobj": b"\x80\x02" + named("subprocess", "Popen") + b"(" + text("touch") + text(str(marker)) + b"l\x85\x81.",
    }


WAYS = ["reduce", "eval", "exec", "open", "stack_global", "inst", "obj"]


@pytest.mark.parametrize("way", WAYS)
def test_the_bombs_of_these_tests_do_go_off_elsewhere(tmp_path, way):
    marker = tmp_path / "marker"
    result = pickle.loads(bombs(marker)[way])
    if hasattr(result, "wait"):
        result.wait()
    if hasattr(result, "close"):
        result.close()
    assert marker.exists()


@FORMATS
@pytest.mark.parametrize("way", [*WAYS, "newobj"])
def test_a_pickle_that_calls_a_function_does_nothing(tmp_path, write, way):
    marker = tmp_path / "marker"
    bomb = bombs(marker)[way]
    body = bomb[2:-1] if bomb.startswith(b"\x80") else bomb[:-1]
    beside = mapping({"callback": body, "state_dict": mapping({"weight": tensor("0", (12,), (1,))})})
    arrays = checkpoint.read(write(tmp_path / "weights", beside, {"0": RAMP}))
    np.testing.assert_array_equal(arrays["weight"], RAMP)
    assert not marker.exists()


@FORMATS
def test_a_pickle_that_rewrites_what_reads_it_fails_and_the_next_file_is_read(tmp_path, write):
    rebuild = named("torch._utils", "_rebuild_tensor_v2")
    good = mapping({"weight": tensor("0", (12,), (1,))})
    for target in (rebuild, named("torch", "FloatStorage"), named("collections", "OrderedDict")):
        change = target + b"(N}(" + text("__call__") + b"K\x01utb"
        with pytest.raises(ModelError):
            checkpoint.read(write(tmp_path / "changed", mapping({"weight": change}), {"0": RAMP}))
        arrays = checkpoint.read(write(tmp_path / "good", good, {"0": RAMP}))
        np.testing.assert_array_equal(arrays["weight"], RAMP)


@pytest.mark.parametrize(
    ("distribution", "name", "parameters", "shape"),
    [
        ("whisperx", "pytorch_model.bin", 54, {"lstm.weight_ih_l3_reverse": (512, 256), "classifier.weight": (3, 128)}),
        ("resemblyzer", "pretrained.pt", 16, {"lstm.weight_ih_l0": (1024, 40), "linear.weight": (256, 256)}),
    ],
)
def test_the_published_checkpoints_are_read(distribution, name, parameters, shape):
    try:
        entries = importlib.metadata.files(distribution) or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"the weights in {distribution} are not installed")
    arrays = checkpoint.read(next(Path(str(entry.locate())) for entry in entries if entry.name == name))
    assert len(arrays) == parameters
    assert {key: arrays[key].shape for key in shape} == shape
    # Trained weights are of the order of 1; bytes read from a wrong place or in a wrong order are of any size, or NaN.
    assert 0.1 < float(np.std(arrays["lstm.weight_hh_l0"])) < 10
