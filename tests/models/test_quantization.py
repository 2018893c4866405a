"""LSTMs of eight bits against the exact ones: how far their results lie apart, and that nothing else of a graph changes."""

import numpy as np
import onnxruntime
import pytest
from onnx import numpy_helper

from pipeline import mel, models
from pipeline.errors import ModelMissing
from pipeline.graphs import checkpoint, ge2e, pyannet
from pipeline.graphs.quantization import quantized
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
