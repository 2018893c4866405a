"""LSTMs with weights of eight bits, of which a processor multiplies more at once.

Each unit of a gate has a scale of its own, and its weights take 7 of the 8 bits: two products of a weight and an input of 8 bits then
fit into 16 bits, so that every processor gives the same result, whatever instructions it has. What goes in is brought to 8 bits
at every call, by its own range (onnxruntime's `DynamicQuantizeLSTM`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    import onnx

    from pipeline.graphs import Array

_DOMAIN, _DOMAIN_VERSION = "com.microsoft", 1
_LARGEST = 63
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
            graph.initializer.append(numpy_helper.from_array(scales, f"{name}.scale"))
            graph.initializer.append(numpy_helper.from_array(np.zeros_like(scales, np.int8), f"{name}.zero"))
            weights[name].CopyFrom(numpy_helper.from_array(levels, name))
    made.opset_import.append(helper.make_opsetid(_DOMAIN, _DOMAIN_VERSION))
    onnx.checker.check_model(made)
    return made


def _levels(matrix: Array) -> tuple[Array, np.ndarray]:
    """Scales (directions, units) and whole numbers (directions, inputs, units) of weights (directions, units, inputs)."""
    scales = np.abs(matrix).max(axis=2) / _LARGEST
    scales[scales == 0] = 1.0
    levels = np.round(matrix / scales[:, :, None]).astype(np.int8)
    return scales.astype(np.float32), np.ascontiguousarray(levels.transpose(0, 2, 1))
