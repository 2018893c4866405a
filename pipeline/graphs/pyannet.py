"""PyanNet, pyannote's speaker segmentation network, as an ONNX graph.

Bredin and Laurent, "End-to-end speaker segmentation for overlap-aware resegmentation", Interspeech 2021; the layers and
their names are those of pyannote.audio's `PyanNet` and `SincNet`. SincNet's filters are functions of two learned
frequencies each; they are computed here once, and carried by the graph, which begins behind them: `pipeline.sincnet` has a
faster way to filter than a convolution.
"""

from __future__ import annotations

from math import tau
from typing import TYPE_CHECKING

import numpy as np

from pipeline.graphs import Array, Layers, model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import onnx

SAMPLE_RATE_HZ = 16_000
HOP_SAMPLES = 270
"""Samples from one frame of the output to the next: 16.875 ms."""
REACH_SAMPLES = 991
"""Samples that one frame's convolutions see: the shortest input that gives a frame."""

# The checkpoint's shapes do not tell these: pyannote.audio's PyanNet.SINCNET_DEFAULTS, the minimum frequencies that SincNet
# gives to asteroid-filterbanks' ParamSincFB, and torch's defaults for InstanceNorm1d and leaky_relu.
SINC_STRIDE = 10
POOL = 3
_MIN_LOW_HZ = 50.0
_MIN_BAND_HZ = 50.0
_LEAK = 0.01
_SIDES = ("", "_reverse")

WAVE_NORM, FILTERS = "sincnet.wav_norm1d", "sincnet.filters"
"""What the graph carries: weight and bias (2,) of the waveform's normalisation, and the filters (2 * bands, taps)."""

EPSILON = 1e-5
"""What torch's InstanceNorm1d adds to a variance."""


def frame_count(samples: int) -> int:
    """Count the frames that the graph gives for `samples` at 16 kHz: 293 for 80,000."""
    return max(0, (samples - REACH_SAMPLES) // HOP_SAMPLES + 1)


def graph(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """Build the network behind its filters: `bands` (batch, 2 * bands, pools) to `speech` (batch, frames, voices).

    `bands` is what `pipeline.sincnet` makes of waveforms. `speech` is each local voice's probability, 0 to 1; a voice keeps its
    place only within one input. Batch and pools may change from call to call. Sizes and numbers of layers are read from the
    shapes. A weight that the network lacks raises KeyError, one that it does not know raises ValueError.
    """
    layers = _Layers(weights)
    layers.add("Sigmoid", [layers.classified("bands")], "speech")
    return layers.finished("speech", len(weights["classifier.bias"]))


def at_once_graph(weights: Mapping[str, Array]) -> onnx.ModelProto:
    """The same network with a class for every set of up to two voices: `bands` to `at_once` (batch, frames, 1).

    That is the probability of the likeliest two of its voices. Plaquet and Bredin, "Powerset multi-class cross entropy loss for
    neural speaker diarization", Interspeech 2023: nobody, each voice, and then each two of them are a class. They are not summed:
    where it does not know which two, it rather hears one voice in two ways, as in two rooms.
    """
    layers = _Layers(weights)
    classes = len(weights["classifier.bias"])
    first = 1 + next(voices for voices in range(1, classes) if 1 + voices + voices * (voices - 1) // 2 == classes)
    likely = layers.add("Softmax", [layers.classified("bands")], "classifier.softmax", axis=2)
    ends = (
        layers.constant(f"pairs.{name}", np.array([at]))
        for name, at in (("first", first), ("end", classes), ("axis", 2))
    )
    pairs = layers.add("Slice", [likely, *ends], "pairs")
    layers.add("ReduceMax", [pairs], "at_once", axes=[2], keepdims=1)
    return layers.finished("at_once", 1)


def sinc_filters(low_hz: Array, band_hz: Array, times: Array, window: Array) -> Array:
    """Compute SincNet's band-pass filters, (2 * bands, taps): the even (cosine) ones, then the odd (sine) ones.

    `low_hz` and `band_hz` are the learned (bands, 1) parameters, `times` the (1, taps // 2) angles 2πt of the left half in
    radians per Hz, `window` that half's window. After asteroid-filterbanks' `ParamSincFB`: Pariente et al., "Filterbank
    design for end-to-end speech separation", ICASSP 2020, section 3.2.
    """
    # In single precision and in torch's order of steps: the network was trained on filters with those rounding errors, and
    # without them (2e-6 of the peak) its output moves by up to 7e-3.
    low_hz, band_hz, times, window = (part.astype(np.float32) for part in (low_hz, band_hz, times, window))
    nyquist_hz = tau / -times[0, -1] / 2
    low = _MIN_LOW_HZ + np.abs(low_hz)
    high = np.clip(low + _MIN_BAND_HZ + np.abs(band_hz), _MIN_LOW_HZ, nyquist_hz)
    width = 2 * (high - low)
    even = (_rounded(np.sin, high * times) - _rounded(np.sin, low * times)) / (times / 2) * window / width
    odd = (_rounded(np.cos, low * times) - _rounded(np.cos, high * times)) / (times / 2) * window / width
    return np.concatenate(
        [
            np.concatenate([even, np.ones_like(low), even[:, ::-1]], axis=1),
            np.concatenate([odd, np.zeros_like(low), -odd[:, ::-1]], axis=1),
        ]
    )


def _rounded(function: Callable[[Array], Array], angle: Array) -> Array:
    """Evaluate to the nearest single, which NumPy's own single-precision sine and cosine do not always give."""
    return function(angle.astype(np.float64)).astype(np.float32)


class _Layers(Layers):
    """PyanNet's own layers."""

    def classified(self, bands: str) -> str:
        """(batch, 2 * bands, pools) to (batch, frames, classes), before what makes probabilities of it."""
        return self.heads(self.lstms(self.sincnet(bands)))

    def finished(self, made: str, columns: int) -> onnx.ModelProto:
        """The graph whose last layer made that many columns."""
        carried = self.front()
        self.refuse_unused("PyanNet")
        given: tuple[str, list[str | int]] = ("bands", ["batch", len(carried[FILTERS]), "pools"])
        return model(self, "pyannet", given, (made, ["batch", "frames", columns]), carried)

    def front(self) -> dict[str, Array]:
        """What the layers in front of the graph are made of."""
        bank = "sincnet.conv1d.0.filterbank"
        filters = sinc_filters(*(self.take(f"{bank}.{part}") for part in ("low_hz_", "band_hz_", "n_", "window_")))
        norm = np.concatenate([self.take(f"{WAVE_NORM}.weight"), self.take(f"{WAVE_NORM}.bias")])
        return {WAVE_NORM: norm, FILTERS: filters}

    def sincnet(self, bands: str) -> str:
        """(batch, 2 * bands, pools) to (batch, features, frames)."""
        signal = self.normalised(bands, 0)
        for layer in (1, 2):
            name = f"sincnet.conv1d.{layer}"
            signal = self.add("Conv", [signal, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")], name)
            signal = self.add("MaxPool", [signal], f"sincnet.pool1d.{layer}", kernel_shape=[POOL], strides=[POOL])
            signal = self.normalised(signal, layer)
        return signal

    def normalised(self, signal: str, layer: int) -> str:
        return self.leak(self.instance_norm(signal, f"sincnet.norm1d.{layer}"))

    def instance_norm(self, signal: str, name: str) -> str:
        inputs = [signal, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]
        return self.add("InstanceNormalization", inputs, name, epsilon=EPSILON)

    def leak(self, signal: str) -> str:
        return self.add("LeakyRelu", [signal], f"{signal}.leaky_relu", alpha=_LEAK)

    def lstms(self, features: str) -> str:
        """(batch, features, frames) to (batch, frames, 2 * hidden), through every bidirectional layer there is."""
        hidden = self.take("lstm.weight_hh_l0").shape[1]
        self.constant("lstm.joined", np.array([0, 0, 2 * hidden]))  # 0 keeps the dimension
        frames = self.add("Transpose", [features], "lstm.frames", perm=[2, 0, 1])
        layer = 0
        while self.has(f"lstm.weight_ih_l{layer}"):
            inputs = [frames, *(self.gates(part, layer, _SIDES) for part in ("weight_ih", "weight_hh", "bias"))]
            name = f"lstm.l{layer}"
            both = self.add("LSTM", inputs, name, direction="bidirectional", hidden_size=hidden)
            both = self.add("Transpose", [both], f"{name}.by_frame", perm=[0, 2, 1, 3])
            frames = self.add("Reshape", [both, "lstm.joined"], f"{name}.joined")
            layer += 1
        return self.add("Transpose", [frames], "lstm.by_batch", perm=[1, 0, 2])

    def heads(self, frames: str) -> str:
        """(batch, frames, 2 * hidden) to (batch, frames, classes), through every linear layer and the classifier."""
        layer = 0
        while self.has(f"linear.{layer}.weight"):
            frames = self.leak(self.linear(frames, f"linear.{layer}"))
            layer += 1
        return self.linear(frames, "classifier")

    def linear(self, frames: str, name: str) -> str:
        turned = self.constant(f"{name}.weight", self.take(f"{name}.weight").T)
        product = self.add("MatMul", [frames, turned], f"{name}.product")
        return self.add("Add", [product, self.weight(f"{name}.bias")], name)
