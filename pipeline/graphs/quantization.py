"""LSTMs and convolutions with weights of eight bits, of which a processor multiplies more at once.

Each unit of a gate and each channel has a scale of its own, and its weights take 7 of the 8 bits: two products of a weight and an
input of 8 bits then fit into 16 bits, so that every processor gives the same result, whatever instructions it has. What goes into an
LSTM is brought to 8 bits at every call, by its own range (onnxruntime's `DynamicQuantizeLSTM`), what goes into a convolution by a
range that is known before (ONNX's QuantizeLinear and DequantizeLinear, of which onnxruntime makes a `QLinearConv`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import onnx

    from pipeline.graphs import Array, Range

_DOMAIN, _DOMAIN_VERSION = "com.microsoft", 1
_LARGEST = 63
_STEPS, _MIDDLE, _MOST = 255, 128, 2**30
"""Of a range, the level of 0 in one that begins under it, and the most of a shift, which is counted in what a level of the weights
times one of the input is worth."""

_NOT_GIVEN = ("", "", "", "")
"""Lengths, first states and peepholes, which no LSTM of ours has."""


def quantized(whole: onnx.ModelProto, exact: Collection[str] = ()) -> onnx.ModelProto:
    """The same graph with the weights of all LSTMs at eight bits, but for the nodes that are named as `exact`.

    What enters an LSTM must be of one order of magnitude throughout: of a spectrum's faint bands 8 bits leave nothing.
    """
    import onnx
    from onnx import helper, numpy_helper

    made = onnx.ModelProto()
    made.CopyFrom(whole)
    graph = made.graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type != "LSTM" or node.name in exact:
            continue
        frames, *matrices, bias = node.input
        node.op_type, node.domain = "DynamicQuantizeLSTM", _DOMAIN
        node.input[:] = [frames, *matrices, bias, *_NOT_GIVEN]
        for name in matrices:
            scales, levels = _levels(numpy_helper.to_array(weights[name]))
            node.input.extend([f"{name}.scale", f"{name}.zero"])
            graph.initializer.append(_tensor(scales, f"{name}.scale"))
            graph.initializer.append(_tensor(np.zeros_like(scales, np.int8), f"{name}.zero"))
            weights[name].CopyFrom(_tensor(levels, name))
    made.opset_import.append(helper.make_opsetid(_DOMAIN, _DOMAIN_VERSION))
    onnx.checker.check_model(made)
    return made


def between(whole: onnx.ModelProto, ranges: Mapping[str, Range]) -> onnx.ModelProto:
    """The same graph with the tensors of those names at eight bits, and the weights of the convolutions from one of them to another.

    A convolution may be rectified before it comes to the other. A range that begins under 0 is widened until 0 lies in its middle. One
    that does not hold 0, and a name that no node makes, or that is what the graph is for, raise ValueError.
    """
    import onnx

    made_within = {name for node in whole.graph.node for name in node.output} - {end.name for end in whole.graph.output}
    unknown = set(ranges) - made_within
    if unknown:
        raise ValueError(f"no node within the graph makes {', '.join(sorted(unknown))}")
    for name, (low, high) in ranges.items():
        if not low <= 0 <= high or low == high:
            raise ValueError(f"the range of {name} is {low:g} to {high:g}; one must hold 0 and be wider than that")
    made = onnx.ModelProto()
    made.CopyFrom(whole)
    nodes = list(made.graph.node)
    rewritten = _EightBits(made.graph, ranges)
    del made.graph.node[:]
    for node in nodes:
        made.graph.node.extend(rewritten.nodes(node))
    onnx.checker.check_model(made, full_check=True)
    return made


class _EightBits:
    """Rewrites the nodes of a graph in order."""

    def __init__(self, graph: onnx.GraphProto, ranges: Mapping[str, Range]) -> None:
        self._graph, self._ranges = graph, ranges
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._rectified = {node.input[0]: node.output[0] for node in graph.node if node.op_type == "Relu"}
        self._scales: dict[str, float] = {}  # of the tensors so far, by the name that stands for them now

    def nodes(self, node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
        """The node, its inputs by the names that stand for them, with what brings its weights and what it makes to eight bits."""
        given = [f"{name}.rough" if f"{name}.rough" in self._scales else name for name in node.input]
        made = {node.output[0], self._rectified.get(node.output[0])}
        if node.op_type == "Conv" and given[0] in self._scales and made & self._ranges.keys():
            weights, *shift = given[1:]
            step = self._scales[given[0]]
            least = np.abs(self._read(shift[0])) / step / _MOST if shift else 0.0
            scales = self._weights(weights, least)
            yield self._back(weights, scales, np.zeros(len(scales), np.int8), weights)
            for name in shift:
                self._write(name, np.round(self._read(name) / (scales * step)).astype(np.int32))
                yield self._back(name, scales * step, np.zeros(len(scales), np.int32), name)
            given[1:] = [f"{name}.rough" for name in given[1:]]
        node.input[:] = given
        yield node
        for name in node.output:
            if name in self._ranges:
                yield from self._there_and_back(name)

    def _there_and_back(self, name: str) -> Iterator[onnx.NodeProto]:
        from onnx import helper

        low, high = self._ranges[name]
        zero = _MIDDLE if low < 0 else 0
        scale = max(high / (_STEPS - zero), -low / _MIDDLE)
        back = self._back(f"{name}.levels", np.array(scale), np.array(zero, np.uint8), name)
        yield helper.make_node("QuantizeLinear", [name, *back.input[1:]], [f"{name}.levels"])
        self._scales[f"{name}.rough"] = scale
        yield back

    def _back(self, name: str, scales: Array, zeros: np.ndarray, of: str) -> onnx.NodeProto:
        """From levels of that name to the numbers that stand for a tensor, by a scale a channel or one for all."""
        from onnx import helper

        parts = f"{name}.scale", f"{name}.zero"
        for part, array in zip(parts, (scales.astype(np.float32), zeros), strict=True):
            self._graph.initializer.append(_tensor(array, part))
        axis = 0 if scales.ndim else None
        return helper.make_node("DequantizeLinear", [name, *parts], [f"{of}.rough"], axis=axis)

    def _weights(self, name: str, least: Array | float) -> Array:
        """Bring the kernels (channels, inputs, ...) of that name to levels; returns the scale of each channel, that or more."""
        kernels = self._read(name)
        scales = _scales(kernels.reshape(len(kernels), -1), least)
        self._write(name, np.round(kernels / scales.reshape(-1, *[1] * (kernels.ndim - 1))).astype(np.int8))
        return scales

    def _read(self, name: str) -> Array:
        from onnx import numpy_helper

        return numpy_helper.to_array(self._constants[name])

    def _write(self, name: str, array: np.ndarray) -> None:
        self._constants[name].CopyFrom(_tensor(array, name))


def _tensor(array: np.ndarray, name: str) -> onnx.TensorProto:
    from onnx import numpy_helper

    return numpy_helper.from_array(array, name)


def _scales(matrix: Array, least: Array | float = 0.0) -> Array:
    """What a level is worth in each row (..., rows, columns) of weights, that or more."""
    scales: Array = np.maximum(np.abs(matrix).max(axis=-1) / _LARGEST, least)
    scales[scales == 0] = 1.0
    return scales


def _levels(matrix: Array) -> tuple[Array, np.ndarray]:
    """Scales (directions, units) and whole numbers (directions, inputs, units) of weights (directions, units, inputs)."""
    scales = _scales(matrix)
    levels = np.round(matrix / scales[:, :, None]).astype(np.int8)
    return scales.astype(np.float32), np.ascontiguousarray(levels.transpose(0, 2, 1))
