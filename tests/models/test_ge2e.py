"""The voice encoder's graph against a forward pass in NumPy, written from the paper in float64, step by step."""

import numpy as np
import onnxruntime
import pytest

from pipeline import models
from pipeline.errors import ModelMissing
from pipeline.graphs import checkpoint, ge2e

# float32 sums of up to 512 products over 160 steps: measured up to 2e-6. Gates in another order or a missing bias move the
# output by 1e-1 and more.
TOLERANCE = 1e-4


def drawn_weights(mels, hidden, lstms, size, seed):
    """An encoder of this size under torch's names, with weights large enough that every layer shows in the output."""
    draw = np.random.default_rng(seed)
    weights, width = {}, mels
    for layer in range(lstms):
        for name, shape in {"weight_ih": (4 * hidden, width), "weight_hh": (4 * hidden, hidden)}.items():
            weights[f"lstm.{name}_l{layer}"] = draw.normal(0, 1.5 / np.sqrt(shape[-1]), shape)
        for name in ("bias_ih", "bias_hh"):
            weights[f"lstm.{name}_l{layer}"] = draw.normal(0, 0.5, 4 * hidden)
        width = hidden
    weights["linear.weight"] = draw.normal(0, 1.5 / np.sqrt(hidden), (size, hidden))
    weights["linear.bias"] = draw.normal(0, 0.5, size)
    weights |= {"similarity_weight": np.array([10.0]), "similarity_bias": np.array([-5.0])}
    return {name: array.astype(np.float32) for name, array in weights.items()}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def encoded(weights, mel):
    """One voice (size,) of `mel` (frames, mels)."""
    steps, layer = mel.astype(np.float64), 0
    while f"lstm.weight_ih_l{layer}" in weights:
        into, over, *biases = (
            weights[f"lstm.{name}_l{layer}"].astype(np.float64)
            for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        state, cell, outputs = np.zeros(over.shape[1]), np.zeros(over.shape[1]), []
        for step in steps:
            i, f, g, o = np.split(into @ step + over @ state + sum(biases), 4)
            cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
            state = sigmoid(o) * np.tanh(cell)
            outputs.append(state)
        steps, layer = np.array(outputs), layer + 1
    voice = np.maximum(weights["linear.weight"].astype(np.float64) @ steps[-1] + weights["linear.bias"], 0)
    return voice / np.linalg.norm(voice)


def run(weights, mels):
    graph = ge2e.graph(weights).SerializeToString()
    session = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"])
    return session.run(["voice"], {"mel": mels.astype(np.float32)})[0]


@pytest.mark.parametrize(
    ("mels", "hidden", "lstms", "size", "frames"), [(40, 16, 3, 12, 160), (5, 7, 1, 4, 1), (8, 6, 2, 9, 31)]
)
def test_the_graph_gives_what_the_paper_says_for_networks_of_any_size(mels, hidden, lstms, size, frames):
    weights = drawn_weights(mels, hidden, lstms, size, seed=hidden)
    batch = np.random.default_rng(1).uniform(0, 3, (3, frames, mels))
    voices = run(weights, batch)
    expected = np.array([encoded(weights, mel) for mel in batch])
    assert np.abs(voices - expected).max() < TOLERANCE


def test_the_published_weights_give_what_the_paper_says():
    try:
        weights = checkpoint.read(models.locate("ge2e"))
    except ModelMissing as missing:
        pytest.skip(str(missing))
    # Speech at -30 dBFS has mel powers up to about 1.
    batch = np.random.default_rng(2).gamma(0.3, 0.3, (2, 160, 40))
    expected = np.array([encoded(weights, mel) for mel in batch])
    voices = run(weights, batch)
    assert voices.shape == (2, 256)
    assert np.abs(voices - expected).max() < TOLERANCE


def test_a_voice_does_not_depend_on_the_others_of_its_batch():
    weights = drawn_weights(40, 16, 3, 12, seed=3)
    batch = np.random.default_rng(3).uniform(0, 3, (5, 60, 40))
    alone = np.concatenate([run(weights, batch[i : i + 1]) for i in range(5)])
    assert np.abs(run(weights, batch) - alone).max() < TOLERANCE


def test_a_network_with_another_weight_is_refused_by_name():
    weights = drawn_weights(5, 7, 1, 4, seed=4) | {"attention.weight": np.zeros((2, 2), np.float32)}
    with pytest.raises(ValueError, match=r"attention\.weight"):
        ge2e.graph(weights)


def test_a_network_without_a_layer_is_refused():
    weights = drawn_weights(5, 7, 1, 4, seed=4)
    del weights["linear.bias"]
    with pytest.raises(KeyError, match=r"linear\.bias"):
        ge2e.graph(weights)
