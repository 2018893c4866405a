"""LSTMs and convolutions of eight bits against the exact ones: how far their results lie apart, and that nothing else of a graph changes."""

import re

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

from pipeline import mel, models
from pipeline.errors import ModelMissing
from pipeline.fbank import fbank
from pipeline.graphs import Layers, campplus, checkpoint, ge2e, model, pyannet
from pipeline.graphs.quantization import between, quantized
from pipeline.sincnet import SincNet
from pipeline.stages import decode, derive

READINGS = [
    "sample_data/good/reading-01.opus",
    "sample_data/good/reading-07.opus",
    "sample_data/flawed/odd-speaker.webm",
]


def session(graph):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(graph.SerializeToString(), options, providers=["CPUExecutionProvider"])


def published(name):
    try:
        return checkpoint.read(models.locate(name))
    except ModelMissing as missing:
        pytest.skip(str(missing))


def heard(path):
    """A recording's samples at 16 kHz, mono."""
    with decode.Stream(path) as stream:
        return np.concatenate([block.mono16k for block in derive.derive(stream.info, stream.blocks(), None)])


def drawn(hidden=24, mels=12, lstms=3):
    draw, weights, width = np.random.default_rng(5), {}, mels
    for layer in range(lstms):
        for part, columns in (("weight_ih", width), ("weight_hh", hidden)):
            weights[f"lstm.{part}_l{layer}"] = draw.normal(0, 1 / np.sqrt(columns), (4 * hidden, columns))
        for part in ("bias_ih", "bias_hh"):
            weights[f"lstm.{part}_l{layer}"] = draw.normal(0, 0.3, 4 * hidden)
        width = hidden
    weights |= {"linear.weight": draw.normal(0, 1, (16, hidden)), "linear.bias": draw.normal(0, 1, 16)}
    return {name: array.astype(np.float32) for name, array in weights.items()}


def lstm_nodes(graph):
    return {node.name: node.op_type for node in graph.graph.node if "LSTM" in node.op_type}


def test_every_lstm_is_replaced_but_those_that_stay_exact_and_the_graph_given_stays_as_it_is():
    exact = ge2e.graph(drawn())
    before = exact.SerializeToString()
    made = quantized(exact, exact=ge2e.SPECTRA)
    assert lstm_nodes(made) == {
        "lstm.l0.last": "LSTM",
        "lstm.l1.last": "DynamicQuantizeLSTM",
        "lstm.l2.last": "DynamicQuantizeLSTM",
    }
    assert exact.SerializeToString() == before


def test_weights_take_seven_bits_so_that_two_products_fit_into_sixteen():
    made = quantized(ge2e.graph(drawn()))
    levels = [
        array
        for array in map(numpy_helper.to_array, made.graph.initializer)
        if array.dtype == np.int8 and array.ndim == 3
    ]
    assert len(levels) == 6
    for array in levels:
        assert np.abs(array.astype(int)).max(axis=1).min() == 63, "every unit has a scale of its own"
        assert 2 * 255 * np.abs(array.astype(int)).max() < 2**15


def test_a_unit_without_weights_gives_no_number_that_is_none():
    weights = drawn()
    weights["lstm.weight_hh_l1"][:] = 0.0
    voice = session(quantized(ge2e.graph(weights))).run(None, {"mel": np.ones((1, 20, 12), np.float32)})[0]
    assert np.isfinite(voice).all()


def test_a_drawn_network_gives_nearly_what_the_exact_one_gives():
    exact = ge2e.graph(drawn())
    mels = np.random.default_rng(6).uniform(0, 1, (8, 40, 12)).astype(np.float32)
    first, second = (session(graph).run(None, {"mel": mels})[0] for graph in (exact, quantized(exact)))
    cosines = (first * second).sum(axis=1)
    # Rounding to 1/63 moves a sum of n terms by about 1/63/sqrt(12 n) of its size; over three layers that is under 1 %.
    assert cosines.min() > 0.99
    assert cosines.max() < 1.0, "nothing was rounded"


def test_in_readings_hardly_a_decision_about_speech_is_another():
    exact = pyannet.graph(published("pyannet"))
    windows = np.concatenate([heard(path)[: 4 * 80_000].reshape(-1, 80_000) for path in READINGS[:2]])
    bands = SincNet(session(exact).get_modelmeta().custom_metadata_map).bands(windows)
    first, second = (session(graph).run(None, {"bands": bands})[0] for graph in (exact, quantized(exact)))
    # Measured over 200 windows: 0.05 % of the voices' decisions, mean difference 0.0009.
    assert ((first > 0.5) != (second > 0.5)).mean() < 0.005
    assert np.abs(first - second).mean() < 0.005


def test_voices_of_readings_are_as_like_and_unlike_as_before():
    exact = ge2e.graph(published("ge2e"))
    looks = []
    for path in READINGS:
        samples = heard(path)
        samples = samples * (10 ** (-30 / 20) / np.sqrt(np.square(samples).mean()))
        frames = np.concatenate(mel.MelFrames().feed(samples))[:, : mel.BANDS]
        looks += [frames[at : at + 160] for at in range(0, len(frames) - 160, 160)][:12]
    mels = np.stack(looks).astype(np.float32)
    first, second = (
        session(graph).run(None, {"mel": mels})[0] for graph in (exact, quantized(exact, exact=ge2e.SPECTRA))
    )
    # Measured over 240 looks: likeness moves by 0.003 in the mean and 0.017 at most; one voice and another lie 0.2 apart.
    assert np.abs(first @ first.T - second @ second.T).max() < 0.03


def convolved(kernels, shift):
    """A graph of one convolution over frames, rectified before and behind: `given` (batch, channels, frames) to `made`."""
    layers = Layers({})
    weights = layers.constant("kernels", kernels), layers.constant("shift", shift)
    layers.add("Relu", ["given"], "within")
    layers.add("Relu", [layers.add("Conv", ["within", *weights], "sum")], "behind")
    layers.add("Identity", ["behind"], "made")
    sizes = kernels.shape
    return model(layers, "one", ("given", ["batch", sizes[1], "frames"]), ("made", ["batch", sizes[0], "after"]))


def test_a_convolution_between_two_ranges_gives_what_it_gave_to_a_few_of_their_256_steps():
    draw = np.random.default_rng(8)
    exact = convolved(draw.normal(0, 1, (5, 7, 3)).astype(np.float32), draw.normal(0, 1, 5).astype(np.float32))
    before = exact.SerializeToString()
    made = between(exact, {"within": (0.0, 1.0), "behind": (0.0, 12.0)})
    assert exact.SerializeToString() == before
    given = draw.uniform(0, 1, (4, 7, 30)).astype(np.float32)
    first, second = (session(graph).run(None, {"given": given})[0] for graph in (exact, made))
    # Half a step of the output, 0.024, and 21 products, each with a weight that is off by up to 1/126 of the largest, 0.02: 0.03 in the
    # mean, and of some hundred sums the worst is off by four times as much.
    apart = np.abs(first - second)
    assert 0 < apart.max() < 0.15
    assert (second >= 0).all()
    levels = second / (12 / 255)
    assert np.abs(levels - np.round(levels)).max() < 1e-3


@pytest.mark.parametrize(("high", "highest"), [(2.0, 2.0), (8.0, 6.0)])
def test_what_lies_outside_of_a_range_is_taken_for_its_end(high, highest):
    made = between(convolved(np.full((1, 1, 1), 3.0, np.float32), np.zeros(1, np.float32)), {"behind": (0.0, high)})
    (found,) = session(made).run(None, {"given": np.full((1, 1, 4), 2.0, np.float32)})
    assert found.max() == pytest.approx(highest, abs=8 / 255)


def test_a_range_that_begins_under_zero_reaches_as_far_to_either_side():
    layers = Layers({})
    layers.add("Identity", [layers.add("Neg", ["given"], "minus")], "made")
    whole = model(layers, "minus", ("given", ["many"]), ("made", ["many"]))
    given = np.array([-5.0, -3.0, 0.0, 0.7, 1.4, 3.9, 5.0], np.float32)
    (found,) = session(between(whole, {"minus": (-1.5, 4.0)})).run(None, {"given": given})
    assert found == pytest.approx([4.0, 3.0, 0.0, -0.7, -1.4, -3.9, -4.0], abs=8.1 / 255)
    assert found[2] == 0, "silence stays silence"


@pytest.mark.parametrize("name", ["elsewhere", "made"])
def test_a_range_of_what_no_node_within_makes_is_refused(name):
    with pytest.raises(ValueError, match=name):
        between(convolved(np.ones((1, 1, 1), np.float32), np.zeros(1, np.float32)), {name: (0.0, 1.0)})


@pytest.mark.parametrize("given", [(0.5, 1.0), (-2.0, -1.0), (0.0, 0.0)])
def test_a_range_without_silence_or_without_width_is_refused(given):
    with pytest.raises(ValueError, match="behind"):
        between(convolved(np.ones((1, 1, 1), np.float32), np.zeros(1, np.float32)), {"behind": given})


def test_a_channel_of_tiny_weights_or_of_none_keeps_its_shift():
    kernels = np.array([1.0, 0.0, 1e-10], np.float32).reshape(3, 1, 1)
    made = between(convolved(kernels, np.full(3, 0.3, np.float32)), {"within": (0.0, 100.0), "behind": (0.0, 2.0)})
    (found,) = session(made).run(None, {"given": np.full((1, 1, 4), 0.5, np.float32)})
    # The first is off by up to a step of the input, 100 / 255, and all by up to half a step of the output.
    assert found[0, :, 0] == pytest.approx([0.8, 0.3, 0.3], abs=0.4)
    assert found[0, 1:, 0] == pytest.approx(0.3, abs=0.01)


def test_all_that_takes_long_in_the_second_encoder_is_of_eight_bits():
    weights = published("campplus")
    made = between(campplus.graph(weights), campplus.ranges(weights))
    kernels = {tensor.name: tensor.data_type for tensor in made.graph.initializer if len(tensor.dims) > 2}
    long = {name for name in kernels if name.startswith("head.") or re.search(r"tdnnd\d+\.linear1", name)}
    assert len(long) == 12 + 52, "the head's, and one of each dense layer"
    assert {name for name in long if kernels[name] != onnx.TensorProto.INT8} == {"head.conv1.weight"}


def test_the_second_encoder_s_voices_of_readings_are_as_like_and_unlike_as_before():
    weights = published("campplus")
    exact = campplus.graph(weights)
    looks = []
    for path in READINGS:
        bands = fbank(heard(path))
        looks += [bands[at : at + campplus.FRAMES] for at in range(0, len(bands) - campplus.FRAMES, campplus.FRAMES)][
            :8
        ]
    given = {"fbank": np.stack(looks).astype(np.float32)}
    first, second = (session(graph).run(None, given)[0] for graph in (exact, between(exact, campplus.ranges(weights))))
    # Measured over 124 other recordings of 4 s: likeness moves by 0.013 (root of the mean square) and 0.053 at most; looks are of 2 s.
    assert np.abs(first @ first.T - second @ second.T).max() < 0.08
