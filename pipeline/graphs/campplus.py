"""CAM++, 3D-Speaker's voice encoder, as an ONNX graph.

Wang et al., "CAM++: A fast and efficient network for speaker verification using context-aware masking", Interspeech 2023; the layers
and their names are those of 3D-Speaker's `CAMPPlus`. Batch normalisation is a scale and a shift once the network is trained, and is
multiplied into the convolution in front of it, where there is one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from pipeline.graphs import Array, Layers, model

if TYPE_CHECKING:
    from collections.abc import Mapping

    import onnx

    from pipeline.graphs import Range

FRAMES = 200
"""The number of frames is a multiple of that: 2 s, after the stride one of the stretches over which a mask is taken."""

BANDS = 80

# The checkpoint's shapes do not tell these: 3D-Speaker's CAMPPlus, and torch's default for BatchNorm.
_SEGMENT = 100
_DILATIONS = (1, 2, 2)
_STRIDE = 2
_EPSILON = 1e-5

_RESIDUAL = r"head\.layer\d\.\d+\.conv1\.weight"

_DEVIATIONS = 8.0
"""So many standard deviations about its mean in the training a channel spans, so that hardly anything is cut off."""


def graph(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """Build the network: `fbank` (batch, frames, 80), as `pipeline.fbank` makes it, to `voice` (batch, size) of length 1.

    Batch may change from call to call, and frames to any multiple of 200. Sizes and numbers of layers are read from the shapes. A
    weight that the network lacks raises KeyError, one that it does not know raises ValueError.
    """
    layers = _Layers(weights)
    signal = layers.head("fbank")
    signal = layers.tdnn(signal)
    for block, dilation in enumerate(_DILATIONS, 1):
        signal = layers.dense_block(signal, f"xvector.block{block}", dilation)
        signal = layers.transit(signal, f"xvector.transit{block}")
    signal = layers.normalised(signal, "xvector.out_nonlinear.batchnorm")
    voice = layers.pooled(signal)
    counted = [name for name in weights if name.endswith("num_batches_tracked")]
    layers.refuse_unused("CAM++", counted)
    layers.add("LpNormalization", [voice], "voice", axis=1, p=2)
    size = len(weights["xvector.dense.linear.weight"])
    return model(layers, "campplus", ("fbank", ["batch", "frames", BANDS]), ("voice", ["batch", size]))


def ranges(weights: Mapping[str, Array]) -> dict[str, Range]:
    """Between what the outputs of the layers lie that a convolution follows which takes long: the head's, and those of bottlenecks.

    A normalisation's shift and scale are the mean and the standard deviation of what it made in the training.
    """
    made: dict[str, tuple[Array, Array]] = {"head.conv1.relu": _rectified(_spread(weights, "head.bn1"))}
    beside = made["head.conv1.relu"]
    for name in _residuals(weights):
        made[f"{name}.relu"] = _rectified(_spread(weights, f"{name}.bn1"))
        made[f"{name}.conv2"] = _spread(weights, f"{name}.bn2")
        if f"{name}.shortcut.0.weight" in weights:
            beside = made[f"{name}.shortcut.0"] = _spread(weights, f"{name}.shortcut.1")
        low, high = (one + other for one, other in zip(made[f"{name}.conv2"], beside, strict=True))
        beside = made[f"{name}.out"] = _rectified((low, high))
    made["head.conv2.relu"] = _rectified(_spread(weights, "head.bn2"))
    for key in weights:
        if key.endswith(".linear1.weight") and ".cam_layer." not in key:
            layer = key.removesuffix(".linear1.weight")
            norms = f"{layer}.nonlinear1.batchnorm", f"{layer}.nonlinear2.batchnorm"
            for output, norm in zip((f"{norms[0]}.relu", f"{layer}.in"), norms, strict=True):
                made[output] = _rectified(_spread(weights, norm))
    return {name: (float(low.min()), float(high.max())) for name, (low, high) in made.items()}


def _residuals(weights: Mapping[str, Array]) -> list[str]:
    """The names of the head's blocks, in order."""
    return sorted(key.removesuffix(".conv1.weight") for key in weights if re.fullmatch(_RESIDUAL, key))


def _spread(weights: Mapping[str, Array], norm: str) -> tuple[Array, Array]:
    """The lowest and the highest value of each channel behind a normalisation."""
    mean, deviation = weights[f"{norm}.bias"], np.abs(weights[f"{norm}.weight"])
    return mean - _DEVIATIONS * deviation, mean + _DEVIATIONS * deviation


def _rectified(spread: tuple[Array, Array]) -> tuple[Array, Array]:
    low, high = spread
    return np.zeros_like(low), np.maximum(high, 0)


class _Layers(Layers):
    """CAM++'s own layers."""

    def head(self, fbank: str) -> str:
        """(batch, frames, bands) to (batch, channels, frames), by convolutions over bands and frames."""
        turned = self.add("Transpose", [fbank], "head.turned", perm=[0, 2, 1])
        image = self.add("Unsqueeze", [turned, self.constant("head.axis", np.array([1]))], "head.image")
        image = self.add("Relu", [self.folded(image, "head.conv1", "head.bn1", pads=[1] * 4)], "head.conv1.relu")
        for stage in ("head.layer1", "head.layer2"):
            block = 0
            while self.has(f"{stage}.{block}.conv1.weight"):
                image = self.residual(image, f"{stage}.{block}")
                block += 1
        image = self.folded(image, "head.conv2", "head.bn2", pads=[1] * 4, strides=[2, 1])
        image = self.add("Relu", [image], "head.conv2.relu")
        channels = len(self.take("head.bn2.weight")) * (BANDS // 8)
        return self.add("Reshape", [image, self.constant("head.shape", np.array([0, channels, -1]))], "head.channels")

    def residual(self, image: str, name: str) -> str:
        strided = self.has(f"{name}.shortcut.0.weight")
        strides = [2, 1] if strided else [1, 1]
        inner = self.folded(image, f"{name}.conv1", f"{name}.bn1", pads=[1] * 4, strides=strides)
        inner = self.folded(self.add("Relu", [inner], f"{name}.relu"), f"{name}.conv2", f"{name}.bn2", pads=[1] * 4)
        beside = self.folded(image, f"{name}.shortcut.0", f"{name}.shortcut.1", strides=strides) if strided else image
        return self.add("Relu", [self.add("Add", [inner, beside], f"{name}.sum")], f"{name}.out")

    def tdnn(self, signal: str) -> str:
        name = "xvector.tdnn"
        signal = self.folded(signal, f"{name}.linear", f"{name}.nonlinear.batchnorm", pads=[2, 2], strides=[_STRIDE])
        return self.add("Relu", [signal], f"{name}.relu")

    def dense_block(self, signal: str, name: str, dilation: int) -> str:
        """Each layer sees what all before it made."""
        layer = 1
        while self.has(f"{name}.tdnnd{layer}.linear1.weight"):
            made = self.masked(signal, f"{name}.tdnnd{layer}", dilation)
            signal = self.add("Concat", [signal, made], f"{name}.tdnnd{layer}.joined", axis=1)
            layer += 1
        return signal

    def masked(self, signal: str, name: str, dilation: int) -> str:
        """A dilated convolution, masked by what the means over each 2 s and over everything tell."""
        signal = self.normalised(signal, f"{name}.nonlinear1.batchnorm")
        signal = self.add(
            "Relu", [self.folded(signal, f"{name}.linear1", f"{name}.nonlinear2.batchnorm")], f"{name}.in"
        )
        cam, kernel = f"{name}.cam_layer", {"pads": [dilation, dilation], "dilations": [dilation]}
        local = self.add("Conv", [signal, self.weight(f"{cam}.linear_local.weight")], f"{cam}.local", **kernel)
        mean = self.add("ReduceMean", [signal], f"{cam}.mean", axes=[2], keepdims=1)
        parts = self.add("ReduceMean", [self.in_segments(signal, f"{cam}.parts")], f"{cam}.means", axes=[3], keepdims=0)
        context = self.biased(self.add("Add", [parts, mean], f"{cam}.context"), f"{cam}.linear1")
        context = self.biased(self.add("Relu", [context], f"{cam}.relu"), f"{cam}.linear2")
        mask = self.add("Sigmoid", [context], f"{cam}.sigmoid")
        mask = self.add("Unsqueeze", [mask, self.shared("cam.axis", np.array([3]))], f"{cam}.mask")
        made = self.add("Mul", [self.in_segments(local, f"{cam}.segments"), mask], f"{cam}.masked")
        return self.add("Reshape", [made, self.shared("cam.frames", np.array([0, 0, -1]))], f"{cam}.out")

    def in_segments(self, signal: str, output: str) -> str:
        return self.add("Reshape", [signal, self.shared("cam.segments", np.array([0, 0, -1, _SEGMENT]))], output)

    def transit(self, signal: str, name: str) -> str:
        signal = self.normalised(signal, f"{name}.nonlinear.batchnorm")
        return self.add("Conv", [signal, self.weight(f"{name}.linear.weight")], name)

    def pooled(self, signal: str) -> str:
        """Mean and standard deviation over the frames, through the last layer."""
        mean = self.add("ReduceMean", [signal], "stats.mean", axes=[2], keepdims=1)
        apart = self.add("Sub", [signal, mean], "stats.apart")
        squares = self.add("ReduceSumSquare", [apart], "stats.squares", axes=[2], keepdims=1)
        shape = self.add("Shape", [signal], "stats.count", start=2, end=3)
        count = self.add("Cast", [shape], "stats.frames", to=1)
        fewer = self.add("Sub", [count, self.constant("stats.one", np.array([1.0]))], "stats.fewer")
        deviation = self.add("Sqrt", [self.add("Div", [squares, fewer], "stats.variance")], "stats.deviation")
        both = self.add("Concat", [mean, deviation], "stats", axis=1)
        dense, norm = "xvector.dense.linear", "xvector.dense.nonlinear.batchnorm"
        return self.add(
            "Squeeze", [self.folded(both, dense, norm), self.constant("stats.axis", np.array([2]))], "dense"
        )

    def folded(self, signal: str, convolution: str, norm: str, **attributes: list[int]) -> str:
        """A convolution without a bias and the normalisation behind it."""
        scale, shift = self.scale_and_shift(norm)
        kernel = self.take(f"{convolution}.weight")
        kernel = kernel * scale.reshape(-1, *[1] * (kernel.ndim - 1))
        weights = self.constant(f"{convolution}.weight", kernel), self.constant(f"{convolution}.shift", shift)
        return self.add("Conv", [signal, *weights], convolution, **attributes)

    def biased(self, signal: str, name: str) -> str:
        return self.add("Conv", [signal, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")], name)

    def normalised(self, signal: str, norm: str) -> str:
        """A normalisation that no convolution is in front of, rectified."""
        scale, shift = (part[:, None] for part in self.scale_and_shift(norm))
        scaled = self.add("Mul", [signal, self.constant(f"{norm}.scale", scale)], f"{norm}.scaled")
        return self.add(
            "Relu", [self.add("Add", [scaled, self.constant(f"{norm}.shift", shift)], norm)], f"{norm}.relu"
        )

    def scale_and_shift(self, norm: str) -> tuple[Array, Array]:
        mean, variance = (self.take(f"{norm}.running_{kind}").astype(np.float64) for kind in ("mean", "var"))
        scale = 1 / np.sqrt(variance + _EPSILON)
        if self.has(f"{norm}.weight"):
            scale = scale * self.take(f"{norm}.weight")
        return scale, (self.take(f"{norm}.bias") if self.has(f"{norm}.bias") else 0.0) - mean * scale

    def shared(self, name: str, array: np.ndarray) -> str:
        """A constant that many layers use, added once."""
        known = any(constant.name == name for constant in self.constants)
        return name if known else self.constant(name, array)
