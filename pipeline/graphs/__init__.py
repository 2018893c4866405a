"""Networks as ONNX graphs, made from the weight files that their authors publish, without torch."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import onnx

Array = NDArray[np.floating[Any]]
Range = tuple[float, float]
"""The lowest and the highest value of a tensor that count, at most and at least 0; what lies outside is taken for them."""

# Opset 17 in IR 8 is read by every onnxruntime since 1.12, and has every operator needed.
_OPSET = 17
_IR_VERSION = 8


class Layers:
    """The nodes and constants of a graph so far; a method that adds a layer returns the name of its output.

    weights : the parameters by the names that their authors gave them
    """

    def __init__(self, weights: Mapping[str, Array]) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._weights = weights
        self._used: set[str] = set()

    def add(self, operator: str, inputs: Iterable[str], output: str, **attributes: Any) -> str:
        """Add a node whose first output has this name."""
        return self.add_several(operator, inputs, (output,), **attributes)

    def add_several(self, operator: str, inputs: Iterable[str], outputs: tuple[str, ...], **attributes: Any) -> str:
        """Add a node with these outputs, "" for one that nobody reads; returns the last."""
        from onnx import helper

        self.nodes.append(helper.make_node(operator, list(inputs), list(outputs), name=outputs[-1], **attributes))
        return outputs[-1]

    def constant(self, name: str, array: NDArray[Any]) -> str:
        """Add an array, as 64 bit integers or single precision."""
        from onnx import numpy_helper

        dtype = np.int64 if array.dtype.kind == "i" else np.float32
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array, dtype), name))
        return name

    def take(self, name: str) -> Array:
        """A weight, which from now on counts as used. Raises KeyError where there is none."""
        self._used.add(name)
        return self._weights[name]

    def weight(self, name: str) -> str:
        """Add a weight as it is."""
        return self.constant(name, self.take(name))

    def has(self, name: str) -> bool:
        """Whether there is such a weight."""
        return name in self._weights

    def gates(self, part: str, layer: int, sides: tuple[str, ...] = ("",)) -> str:
        """Add one parameter of an LSTM layer, the directions that `sides` are the suffixes of stacked.

        Torch stacks gates as i f g o, ONNX as i o f c, with both biases in a row.
        """
        stacked = []
        for side in sides:
            parts = ("bias_ih", "bias_hh") if part == "bias" else (part,)
            blocks = [np.split(self.take(f"lstm.{kind}_l{layer}{side}"), 4) for kind in parts]
            stacked.append(np.concatenate([block for i, f, g, o in blocks for block in (i, o, f, g)]))
        return self.constant(f"lstm.{part}_l{layer}", np.stack(stacked))

    def refuse_unused(self, kind: str, known: Iterable[str] = ()) -> None:
        """Raises ValueError where there is a weight that was not taken, and that is not `known` to be of no use here."""
        unknown = sorted(set(self._weights) - self._used - set(known))
        if unknown:
            raise ValueError(f"not a {kind}: it has no place for {', '.join(unknown)}")


def model(
    layers: Layers,
    name: str,
    given: tuple[str, list[str | int]],
    made: tuple[str, list[str | int]],
    carried: Mapping[str, Array] | None = None,
) -> onnx.ModelProto:
    """The finished graph from one float tensor to another, each with its name and shape; raises where it is none.

    `carried` are weights of layers in front of the graph; its metadata holds them as `carried_as` reads them.
    """
    import onnx

    tensor = onnx.helper.make_tensor_value_info
    ends = [tensor(name_, onnx.TensorProto.FLOAT, shape) for name_, shape in (given, made)]
    body = onnx.helper.make_graph(layers.nodes, name, ends[:1], ends[1:], layers.constants)
    whole = onnx.helper.make_model(
        body, opset_imports=[onnx.helper.make_opsetid("", _OPSET)], ir_version=_IR_VERSION, producer_name="voxgate"
    )
    onnx.helper.set_model_props(whole, {key: _written(array) for key, array in (carried or {}).items()})
    onnx.checker.check_model(whole, full_check=True)
    return whole


def _written(array: Array) -> str:
    room = io.BytesIO()
    np.save(room, array.astype(np.float32), allow_pickle=False)
    return base64.b64encode(room.getvalue()).decode()


def carried_as(text: str) -> NDArray[np.float32]:
    """Weights that a graph's metadata carries, from how they are written there."""
    read: NDArray[np.float32] = np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False)
    return read
