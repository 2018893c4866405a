"""The graph against a forward pass in NumPy, written from the papers in float64, step by step."""

import dataclasses

import numpy as np
import onnxruntime
import pytest

from pipeline import models
from pipeline.errors import ModelMissing
from pipeline.graphs import checkpoint, pyannet
from pipeline.sincnet import SincNet

RATE_HZ = 16_000
TAPS = 251
BANK = "sincnet.conv1d.0.filterbank"
# float32 sums of up to 1,255 products, which the trained network's large weights amplify: measured up to 1.5e-4 on signals
# of this kind, and never the same on two kinds of CPU. Gates in another order, one bias or one direction of an LSTM mistaken,
# or a wrong epsilon move the output for one of the signals by 2e-1 and more.
TOLERANCE = 1e-3
# The filters are built from angles of up to 393 radians in float32, whose steps there are 3e-5, over bands of 100 Hz and
# more: measured 4e-6 of the peak, which is 1.
FILTER_TOLERANCE = 2e-5


@dataclasses.dataclass(frozen=True)
class Size:
    bands: int
    features: int
    hidden: int
    lstms: int
    linears: int
    voices: int


def drawn_weights(size, seed):
    """A PyanNet of this size under torch's names, with weights large enough that every layer shows in the output."""
    draw = np.random.default_rng(seed)
    shapes = {
        "sincnet.wav_norm1d": (1,),
        "classifier.weight": (size.voices, size.hidden),
        "classifier.bias": (size.voices,),
    }
    channels = 2 * size.bands
    for layer in range(3):
        if layer > 0:
            shapes[f"sincnet.conv1d.{layer}.weight"] = (size.features, channels, 5)
            shapes[f"sincnet.conv1d.{layer}.bias"] = (size.features,)
            channels = size.features
        shapes[f"sincnet.norm1d.{layer}"] = (channels,)
    width = size.features
    for layer in range(size.lstms):
        for side in ("", "_reverse"):
            shapes[f"lstm.weight_ih_l{layer}{side}"] = (4 * size.hidden, width)
            shapes[f"lstm.weight_hh_l{layer}{side}"] = (4 * size.hidden, size.hidden)
            shapes[f"lstm.bias_ih_l{layer}{side}"] = shapes[f"lstm.bias_hh_l{layer}{side}"] = (4 * size.hidden,)
        width = 2 * size.hidden
    for layer in range(size.linears):
        shapes[f"linear.{layer}.weight"] = (size.hidden, width)
        shapes[f"linear.{layer}.bias"] = (size.hidden,)
        width = size.hidden
    shapes |= {"classifier.weight": (size.voices, width), "classifier.bias": (size.voices,)}
    weights = {}
    for name, shape in shapes.items():
        if "norm" in name:
            weights[f"{name}.weight"] = draw.uniform(0.5, 1.5, shape)
            weights[f"{name}.bias"] = draw.uniform(-0.5, 0.5, shape)
        else:
            weights[name] = draw.normal(0, 1.5 / np.sqrt(shape[-1]), shape)
    edges_hz = np.linspace(30, 7800, size.bands + 1)[:, None]
    # Learned frequencies may turn negative; the filters are of their magnitude.
    weights[f"{BANK}.low_hz_"] = edges_hz[:-1] * draw.choice([-1, 1], (size.bands, 1))
    weights[f"{BANK}.band_hz_"] = np.diff(edges_hz, axis=0) * draw.choice([-1, 1], (size.bands, 1))
    weights[f"{BANK}.n_"] = 2 * np.pi * np.arange(-(TAPS // 2), 0)[None] / RATE_HZ
    weights[f"{BANK}.window_"] = np.hamming(TAPS)[: TAPS // 2]
    return {name: array.astype(np.float32) for name, array in weights.items()}


def band_pass(low_hz, high_hz):
    """The ideal band-pass and its Hilbert partner under a Hamming window, in the passband scaled to 1/(2 bandwidth)."""
    t = np.arange(-(TAPS // 2), TAPS // 2 + 1) / RATE_HZ
    even = 2 * high_hz * np.sinc(2 * high_hz * t) - 2 * low_hz * np.sinc(2 * low_hz * t)
    with np.errstate(invalid="ignore", divide="ignore"):
        odd = np.where(t == 0, 0, (np.cos(2 * np.pi * low_hz * t) - np.cos(2 * np.pi * high_hz * t)) / (np.pi * t))
    return np.stack([even, odd]) * np.hamming(TAPS) / (2 * (high_hz - low_hz))


def ideal_filters(weights):
    low_hz = 50 + np.abs(weights[f"{BANK}.low_hz_"][:, 0].astype(np.float64))
    high_hz = np.minimum(low_hz + 50 + np.abs(weights[f"{BANK}.band_hz_"][:, 0]), RATE_HZ / 2)
    pairs = [band_pass(low, high) for low, high in zip(low_hz, high_hz, strict=True)]
    return np.stack(pairs, axis=1).reshape(-1, TAPS)


def rounded_filters(weights):
    return pyannet.sinc_filters(*(weights[f"{BANK}.{part}"] for part in ("low_hz_", "band_hz_", "n_", "window_")))


def convolve(signal, kernels, stride):
    windows = np.lib.stride_tricks.sliding_window_view(signal, kernels.shape[2], axis=1)[:, ::stride]
    return np.einsum("ctk,ock->ot", windows, kernels, optimize=True)


def normalised(signal, weight, bias):
    spread = np.sqrt(signal.var(axis=1, keepdims=True) + 1e-5)
    return (signal - signal.mean(axis=1, keepdims=True)) / spread * weight[:, None] + bias[:, None]


def leaked(signal):
    return np.where(signal > 0, signal, 0.01 * signal)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(steps, weight_ih, weight_hh, bias):
    hidden = weight_hh.shape[1]
    state, cell = np.zeros(hidden), np.zeros(hidden)
    outputs = []
    for step in steps @ weight_ih.T + bias:
        gates = step + weight_hh @ state
        enter, forget, candidate, leave = (gates[place * hidden : (place + 1) * hidden] for place in range(4))
        cell = sigmoid(forget) * cell + sigmoid(enter) * np.tanh(candidate)
        state = sigmoid(leave) * np.tanh(cell)
        outputs.append(state)
    return np.array(outputs)


def reference(weights, waveform):
    """One waveform (samples,) to each voice's probability (frames, voices)."""
    return sigmoid(classified(weights, waveform))


def two_at_once(weights, waveform):
    """One waveform to the probability (frames, 1) of the likeliest of the last three of seven classes, two voices each."""
    classes = np.exp(classified(weights, waveform))
    return classes[:, 4:].max(axis=1, keepdims=True) / classes.sum(axis=1, keepdims=True)


def classified(weights, waveform):
    """One waveform (samples,) to (frames, classes).

    The filters are the graph's own, held against the ideal ones by a test of their own: the trained network turns their
    rounding errors of 4e-6 into up to 7e-3, which would hide a fault elsewhere.
    """
    filters = rounded_filters(weights).astype(np.float64)[:, None]
    weights = {name: array.astype(np.float64) for name, array in weights.items()}
    norm = "sincnet.wav_norm1d"
    signal = normalised(waveform[None].astype(np.float64), weights[f"{norm}.weight"], weights[f"{norm}.bias"])
    signal = np.abs(convolve(signal, filters, 10))
    for layer in range(3):
        if layer > 0:
            name = f"sincnet.conv1d.{layer}"
            signal = convolve(signal, weights[f"{name}.weight"], 1) + weights[f"{name}.bias"][:, None]
        frames = signal.shape[1] // 3
        signal = signal[:, : 3 * frames].reshape(len(signal), frames, 3).max(axis=2)
        name = f"sincnet.norm1d.{layer}"
        signal = leaked(normalised(signal, weights[f"{name}.weight"], weights[f"{name}.bias"]))
    steps = signal.T
    for layer in range(sum(name.startswith("lstm.weight_ih") for name in weights) // 2):
        sides = []
        for suffix, turn in ((f"l{layer}", 1), (f"l{layer}_reverse", -1)):
            bias = weights[f"lstm.bias_ih_{suffix}"] + weights[f"lstm.bias_hh_{suffix}"]
            inputs = weights[f"lstm.weight_ih_{suffix}"], weights[f"lstm.weight_hh_{suffix}"], bias
            sides.append(lstm(steps[::turn], *inputs)[::turn])
        steps = np.concatenate(sides, axis=1)
    for layer in range(sum(name.startswith("linear") for name in weights) // 2):
        steps = leaked(steps @ weights[f"linear.{layer}.weight"].T + weights[f"linear.{layer}.bias"])
    return steps @ weights["classifier.weight"].T + weights["classifier.bias"]


def noise(samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, samples).astype(np.float32)


def voiced(samples):
    """A glottal buzz of gliding pitch through two moving formants, in syllables with pauses: what speech looks like."""
    t = np.arange(samples) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.7 * t)) / RATE_HZ
    first_hz, second_hz = 500 + 200 * np.sin(2 * np.pi * 2.1 * t), 1500 + 500 * np.sin(2 * np.pi * 1.3 * t)
    signal = np.zeros(samples)
    for harmonic in range(1, 30):
        at_hz = 120 * harmonic
        gain = 1 / (1 + ((at_hz - first_hz) / 150) ** 2) + 0.5 / (1 + ((at_hz - second_hz) / 200) ** 2)
        signal += gain * np.sin(harmonic * phase) / harmonic
    syllables = np.clip(np.sin(2 * np.pi * 4 * t), 0, 1) * (np.sin(2 * np.pi * 0.4 * t) > -0.3)
    return (0.2 * signal * syllables + np.random.default_rng(1).normal(0, 1e-4, samples)).astype(np.float32)


def run(weights, waveforms, graph=pyannet.graph):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        graph(weights).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    front = SincNet(session.get_modelmeta().custom_metadata_map)
    return session.run(None, {"bands": front.bands(waveforms)})[0]


def weights_of(name):
    try:
        return checkpoint.read(models.locate(name))
    except ModelMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def published():
    return weights_of("pyannet")


@pytest.mark.parametrize(
    "size",
    [
        Size(bands=4, features=6, hidden=8, lstms=1, linears=0, voices=1),
        Size(bands=10, features=12, hidden=16, lstms=3, linears=1, voices=4),
    ],
    ids=str,
)
def test_the_graph_does_what_the_layers_say_at_any_size(size):
    weights = drawn_weights(size, 3)
    waveform = noise(24_000)
    expected = reference(weights, waveform)
    assert np.ptp(expected, axis=0).min() > 0.05, "an output that hardly moves would match anything"
    np.testing.assert_allclose(run(weights, waveform[None])[0], expected, atol=TOLERANCE)


def test_the_filters_are_ideal_band_passes_under_a_window():
    weights = drawn_weights(Size(bands=40, features=2, hidden=2, lstms=1, linears=1, voices=2), 0)
    np.testing.assert_allclose(rounded_filters(weights), ideal_filters(weights), atol=FILTER_TOLERANCE)


def test_the_published_filters_are_ideal_band_passes_under_a_window(published):
    np.testing.assert_allclose(rounded_filters(published), ideal_filters(published), atol=FILTER_TOLERANCE)


@pytest.mark.parametrize("signal", [noise, voiced])
def test_the_published_network_does_what_the_layers_say(published, signal):
    waveform = signal(80_000)
    speech = run(published, waveform[None])
    assert speech.shape == (1, 293, 3)
    np.testing.assert_allclose(speech[0], reference(published, waveform), atol=TOLERANCE)


def test_two_at_once_are_the_likeliest_class_of_two_voices():
    weights = drawn_weights(Size(bands=10, features=12, hidden=16, lstms=2, linears=1, voices=7), 4)
    waveform = noise(24_000)
    expected = two_at_once(weights, waveform)
    assert np.ptp(expected) > 0.05, "an output that hardly moves would match anything"
    np.testing.assert_allclose(run(weights, waveform[None], pyannet.at_once_graph)[0], expected, atol=TOLERANCE)


@pytest.mark.parametrize("signal", [noise, voiced])
def test_the_published_segmentation_does_what_the_layers_say(signal):
    weights, waveform = weights_of("segmentation"), signal(80_000)
    made = run(weights, waveform[None], pyannet.at_once_graph)
    assert made.shape == (1, 293, 1)
    np.testing.assert_allclose(made[0], two_at_once(weights, waveform), atol=TOLERANCE)


def test_a_window_in_a_batch_gives_what_it_gives_alone(published):
    waveforms = np.stack([noise(80_000), voiced(80_000), np.zeros(80_000, np.float32)])
    together = run(published, waveforms)
    for waveform, speech in zip(waveforms, together, strict=True):
        # The same sums, perhaps in another order.
        np.testing.assert_allclose(run(published, waveform[None])[0], speech, atol=1e-5)


def test_digital_silence_and_a_constant_are_no_speech(published):
    speech = run(published, np.stack([np.zeros(80_000, np.float32), np.full(80_000, 0.25, np.float32)]))
    assert speech.max() < 0.05


@pytest.mark.parametrize("samples", [991, 1260, 1261, 48_000, 80_000, 80_080])
def test_frames_are_counted_as_the_graph_counts_them(samples):
    weights = drawn_weights(Size(bands=2, features=2, hidden=2, lstms=1, linears=1, voices=2), 0)
    assert run(weights, noise(samples)[None]).shape == (1, pyannet.frame_count(samples), 2)


def test_a_window_of_five_seconds_has_293_frames_and_less_than_the_reach_has_none():
    assert pyannet.frame_count(80_000) == 293
    assert pyannet.frame_count(pyannet.REACH_SAMPLES) == 1
    assert pyannet.frame_count(pyannet.REACH_SAMPLES - 1) == 0
    assert pyannet.frame_count(0) == 0


def test_a_weight_without_a_place_in_the_network_is_refused():
    weights = drawn_weights(Size(bands=2, features=2, hidden=2, lstms=1, linears=1, voices=2), 0)
    with pytest.raises(ValueError, match=r"linear\.5\.weight"):
        pyannet.graph({**weights, "linear.5.weight": np.zeros((2, 2), np.float32)})


def test_a_missing_weight_is_named():
    weights = drawn_weights(Size(bands=2, features=2, hidden=2, lstms=1, linears=1, voices=2), 0)
    del weights["lstm.bias_hh_l0_reverse"]
    with pytest.raises(KeyError, match=r"lstm\.bias_hh_l0_reverse"):
        pyannet.graph(weights)
