"""CAM++'s graph against a forward pass in NumPy, written from the paper and 3D-Speaker's layers in float64, step by step."""

import numpy as np
import onnxruntime
import pytest

from pipeline import models
from pipeline.errors import ModelMissing
from pipeline.graphs import campplus, checkpoint

# float32 sums of up to 1,024 products through 60 layers: measured up to 4e-7 of a voice of length 1. A mask of another segment, a
# dilation or a normalisation mistaken moves it by 1e-2 and more.
TOLERANCE = 2e-5
BLOCKS = (1, 2, 2)
"""The dilation of each block."""


def drawn_weights(layers=(2, 1, 2), growth=4, narrow=8, first=8, planes=2, size=6, seed=3):
    """An encoder of this size under 3D-Speaker's names, with weights large enough that every layer shows in the output."""
    draw, weights = np.random.default_rng(seed), {}

    def convolution(name, out, inside, *kernel, bias=False):
        weights[f"{name}.weight"] = draw.normal(0, 1.2 / np.sqrt(inside * np.prod(kernel)), (out, inside, *kernel))
        if bias:
            weights[f"{name}.bias"] = draw.normal(0, 0.5, out)

    def norm(name, size, *, affine=True):
        weights[f"{name}.running_mean"] = draw.normal(0, 0.3, size)
        weights[f"{name}.running_var"] = draw.uniform(0.5, 2, size)
        weights[f"{name}.num_batches_tracked"] = np.array(7)
        if affine:
            weights[f"{name}.weight"], weights[f"{name}.bias"] = draw.uniform(0.5, 1.5, size), draw.normal(0, 0.3, size)

    convolution("head.conv1", planes, 1, 3, 3)
    norm("head.bn1", planes)
    for stage in ("head.layer1", "head.layer2"):
        for block in (0, 1):
            for number in (1, 2):
                convolution(f"{stage}.{block}.conv{number}", planes, planes, 3, 3)
                norm(f"{stage}.{block}.bn{number}", planes)
        convolution(f"{stage}.0.shortcut.0", planes, planes, 1, 1)
        norm(f"{stage}.0.shortcut.1", planes)
    convolution("head.conv2", planes, planes, 3, 3)
    norm("head.bn2", planes)
    convolution("xvector.tdnn.linear", first, planes * 10, 5)
    norm("xvector.tdnn.nonlinear.batchnorm", first)
    width = first
    for block, count in enumerate(layers, 1):
        for layer in range(1, count + 1):
            name = f"xvector.block{block}.tdnnd{layer}"
            norm(f"{name}.nonlinear1.batchnorm", width)
            convolution(f"{name}.linear1", narrow, width, 1)
            norm(f"{name}.nonlinear2.batchnorm", narrow)
            convolution(f"{name}.cam_layer.linear_local", growth, narrow, 3)
            convolution(f"{name}.cam_layer.linear1", narrow // 2, narrow, 1, bias=True)
            convolution(f"{name}.cam_layer.linear2", growth, narrow // 2, 1, bias=True)
            width += growth
        norm(f"xvector.transit{block}.nonlinear.batchnorm", width)
        convolution(f"xvector.transit{block}.linear", width // 2, width, 1)
        width //= 2
    norm("xvector.out_nonlinear.batchnorm", width)
    convolution("xvector.dense.linear", size, 2 * width, 1)
    norm("xvector.dense.nonlinear.batchnorm", size, affine=False)
    return {name: array if array.dtype.kind == "i" else array.astype(np.float32) for name, array in weights.items()}


def rectified(signal):
    return np.maximum(signal, 0)


class Reference:
    """One voice of `fbank` (frames, bands)."""

    def __init__(self, weights):
        self.weights = {name: np.asarray(array, np.float64) for name, array in weights.items()}

    def voice(self, fbank):
        signal = self.head(fbank.T[None])
        signal = self.normalised(self.over_frames(signal, "xvector.tdnn.linear", stride=2), "xvector.tdnn.nonlinear")
        for block, dilation in enumerate(BLOCKS, 1):
            layer = 1
            while f"xvector.block{block}.tdnnd{layer}.linear1.weight" in self.weights:
                made = self.masked(signal, f"xvector.block{block}.tdnnd{layer}", dilation)
                signal, layer = np.concatenate([signal, made]), layer + 1
            transit = f"xvector.transit{block}"
            signal = self.over_frames(self.normalised(signal, f"{transit}.nonlinear"), f"{transit}.linear")
        signal = self.normalised(signal, "xvector.out_nonlinear")
        pooled = np.concatenate([signal.mean(axis=1), signal.std(axis=1, ddof=1)])[:, None]
        dense = self.norm(self.over_frames(pooled, "xvector.dense.linear"), "xvector.dense.nonlinear.batchnorm")[:, 0]
        return dense / np.linalg.norm(dense)

    def head(self, image):
        image = rectified(self.norm(self.over_image(image, "head.conv1"), "head.bn1"))
        for stage in ("head.layer1", "head.layer2"):
            for block in (0, 1):
                name, stride = f"{stage}.{block}", 2 - block
                inner = rectified(self.norm(self.over_image(image, f"{name}.conv1", stride), f"{name}.bn1"))
                inner = self.norm(self.over_image(inner, f"{name}.conv2"), f"{name}.bn2")
                if block == 0:
                    image = self.norm(self.over_image(image, f"{name}.shortcut.0", stride), f"{name}.shortcut.1")
                image = rectified(inner + image)
        image = rectified(self.norm(self.over_image(image, "head.conv2", 2), "head.bn2"))
        return image.reshape(-1, image.shape[2])

    def masked(self, signal, name, dilation):
        signal = self.over_frames(self.normalised(signal, f"{name}.nonlinear1"), f"{name}.linear1")
        signal, cam = self.normalised(signal, f"{name}.nonlinear2"), f"{name}.cam_layer"
        local = self.over_frames(signal, f"{cam}.linear_local", dilation=dilation)
        parts = [signal[:, at : at + 100] for at in range(0, signal.shape[1], 100)]
        context = np.stack([part.mean(axis=1) + signal.mean(axis=1) for part in parts], axis=1)
        context = self.over_frames(rectified(self.over_frames(context, f"{cam}.linear1")), f"{cam}.linear2")
        return local * np.repeat(1 / (1 + np.exp(-context)), 100, axis=1)

    def over_image(self, image, name, stride=1):
        kernels = self.weights[f"{name}.weight"]
        pad = kernels.shape[2] // 2
        padded = np.pad(image, ((0, 0), (pad, pad), (pad, pad)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernels.shape[2:], axis=(1, 2))[:, ::stride]
        return np.einsum("cftij,ocij->oft", windows, kernels, optimize=True)

    def over_frames(self, signal, name, stride=1, dilation=1):
        kernels = self.weights[f"{name}.weight"]
        reach = (kernels.shape[2] - 1) * dilation
        padded = np.pad(signal, ((0, 0), (reach // 2, reach // 2)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, reach + 1, axis=1)[:, ::stride, ::dilation]
        bias = self.weights.get(f"{name}.bias", np.zeros(len(kernels)))
        return np.einsum("ctk,ock->ot", windows, kernels, optimize=True) + bias[:, None]

    def normalised(self, signal, name):
        return rectified(self.norm(signal, f"{name}.batchnorm"))

    def norm(self, signal, name):
        column = (-1, *[1] * (signal.ndim - 1))
        mean, variance = (self.weights[f"{name}.running_{kind}"].reshape(column) for kind in ("mean", "var"))
        made = (signal - mean) / np.sqrt(variance + 1e-5)
        if f"{name}.weight" in self.weights:
            made = made * self.weights[f"{name}.weight"].reshape(column) + self.weights[f"{name}.bias"].reshape(column)
        return made


def run(weights, fbanks):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        campplus.graph(weights).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(["voice"], {"fbank": fbanks.astype(np.float32)})[0]


def bands(frames, seed=0):
    return np.random.default_rng(seed).normal(0, 2, (frames, campplus.BANDS))


@pytest.fixture(scope="module")
def published():
    try:
        return checkpoint.read(models.locate("campplus"))
    except ModelMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("frames", [200, 600])
@pytest.mark.parametrize("layers", [(2, 1, 2), (1, 3, 1)])
def test_the_graph_does_what_the_layers_say_at_any_size(layers, frames):
    weights, fbank = drawn_weights(layers), bands(frames)
    made = run(weights, fbank[None])[0]
    np.testing.assert_allclose(made, Reference(weights).voice(fbank), atol=TOLERANCE)
    assert np.abs(made - run(weights, bands(frames, 1)[None])[0]).max() > 1e-3, "nothing depends on what is heard"


def test_the_published_network_does_what_the_layers_say(published):
    fbank = bands(400)
    made = run(published, fbank[None])[0]
    assert made.shape == (192,)
    np.testing.assert_allclose(made, Reference(published).voice(fbank), atol=TOLERANCE)


def test_a_voice_in_a_batch_is_the_one_that_it_is_alone(published):
    together = run(published, np.stack([bands(200, seed) for seed in range(3)]))
    for seed, voice in enumerate(together):
        np.testing.assert_allclose(run(published, bands(200, seed)[None])[0], voice, atol=1e-5)


def test_a_weight_without_a_place_in_the_network_is_refused():
    with pytest.raises(ValueError, match=r"xvector\.extra"):
        campplus.graph({**drawn_weights(), "xvector.extra": np.zeros(2, np.float32)})


def test_a_missing_weight_is_named():
    weights = drawn_weights()
    del weights["xvector.transit2.linear.weight"]
    with pytest.raises(KeyError, match=r"xvector\.transit2"):
        campplus.graph(weights)


def test_a_range_is_eight_deviations_about_the_mean_that_the_normalisation_learned():
    weights = drawn_weights()
    found = campplus.ranges(weights)
    low, high = (
        (weights["head.layer1.0.bn2.bias"] + sign * 8 * weights["head.layer1.0.bn2.weight"]) for sign in (-1, 1)
    )
    assert found["head.layer1.0.conv2"] == pytest.approx((low.min(), high.max()))
    norm = "xvector.block1.tdnnd2.nonlinear1.batchnorm"
    high = weights[f"{norm}.bias"] + 8 * weights[f"{norm}.weight"]
    assert found[f"{norm}.relu"] == pytest.approx((0.0, high.max())), "what is rectified is not under zero"


def test_behind_a_sum_a_channel_spans_what_both_of_its_parts_span():
    weights = drawn_weights()
    spans = {
        name: weights[f"head.layer1.{name}.bias"] + 8 * weights[f"head.layer1.{name}.weight"]
        for name in ("0.bn2", "0.shortcut.1", "1.bn2")
    }
    found, first = campplus.ranges(weights), np.maximum(spans["0.bn2"] + spans["0.shortcut.1"], 0)
    assert found["head.layer1.0.out"] == pytest.approx((0.0, first.max()))
    assert found["head.layer1.1.out"] == pytest.approx((0.0, (spans["1.bn2"] + first).max()))


def test_every_range_is_of_something_in_the_graph():
    weights = drawn_weights()
    made = {name for node in campplus.graph(weights).graph.node for name in node.output}
    assert campplus.ranges(weights).keys() <= made
