"""GE2E, Resemblyzer's voice encoder, as an ONNX graph.

Wan, Wang, Papir and Lopez Moreno, "Generalized end-to-end loss for speaker verification", ICASSP 2018; the layers and their
names are those of Resemblyzer's `VoiceEncoder`: LSTMs over the mel frames, then a linear layer, rectified, of which the last
frame's output brought to length 1 is the voice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.graphs import Array, Layers, model

if TYPE_CHECKING:
    from collections.abc import Mapping

    import onnx

_TRAINING = ("similarity_weight", "similarity_bias")
"""Parameters of the loss, which the encoder does not need."""


SPECTRA = ("lstm.l0.last",)
"""The node that takes in power spectra, which span more than eight bits tell apart."""


def graph(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """Build the network: `mel` (batch, frames, mels), power, 10 ms apart, to `voice` (batch, size) of length 1.

    Batch and frames may change from call to call; it was trained on 140 to 180 frames. Sizes and numbers of layers are read
    from the shapes. A weight that the network lacks raises KeyError, one that it does not know raises ValueError.
    """
    layers = Layers(weights)
    hidden = layers.take("lstm.weight_hh_l0").shape[1]
    mels, size = layers.take("lstm.weight_ih_l0").shape[1], len(layers.take("linear.bias"))
    direction = layers.constant("lstm.direction", np.array([1]))
    frames, last, layer = layers.add("Transpose", ["mel"], "lstm.frames", perm=[1, 0, 2]), "", 0
    while layers.has(f"lstm.weight_ih_l{layer}"):
        inputs = [frames, *(layers.gates(part, layer) for part in ("weight_ih", "weight_hh", "bias"))]
        name = f"lstm.l{layer}"
        last = layers.add_several("LSTM", inputs, (name, f"{name}.last"), hidden_size=hidden)
        frames = layers.add("Squeeze", [name, direction], f"{name}.frames")
        layer += 1
    first = layers.constant("lstm.first", np.array([0]))
    last = layers.add("Squeeze", [last, first], "lstm.last")
    projected = layers.add(
        "Gemm", [last, layers.weight("linear.weight"), layers.weight("linear.bias")], "linear", transB=1
    )
    rectified = layers.add("Relu", [projected], "linear.relu")
    layers.refuse_unused("GE2E encoder", _TRAINING)
    layers.add("LpNormalization", [rectified], "voice", axis=1, p=2)
    return model(layers, "ge2e", ("mel", ["batch", "frames", mels]), ("voice", ["batch", size]))
