"""What may import what: imports point down, rooms stay apart, heavy libraries have their places, modules stay small."""

import ast
import sys
from pathlib import Path

import pytest

import pipeline

ROOT = Path(pipeline.__file__).parent

STANDARD = set(sys.stdlib_module_names)

LAYERS = (
    ("allocation", "errors", "records", "selection", "threads", "words"),
    ("network", "patience", "remote"),
    ("readings", "set_readings", "dsp", "series", "containers", "graphs", "http", "inventory", "storage", "windows"),
    ("kernels",),
    ("fbank", "ledger", "mel", "prints", "resampling", "segments", "sincnet", "spectra", "telephone", "voiceprints"),
    ("pitch",),
    ("kept_speech", "heard_most", "sounds"),
    ("encoder", "partials"),
    ("local_turns", "speech_frames", "turns"),
    ("confirmation",),
    ("cast",),
    ("formats", "meters", "catalogue", "models", "damage", "pcm"),
    ("activity", "config", "journal", "media", "plain_wave"),
    ("decoder",),
    ("outcome", "checks", "corpus", "exports"),
    ("stages",),
    ("engines", "examine", "providers"),
    ("task",),
    ("run", "doctor"),
    ("delivery", "each_folder"),
    ("training",),
    ("terminal",),
    ("exits",),
    ("cli",),
)
"""Files and folders of pipeline/, lowest first: each may import those that stand in a line above its own."""

RANK = {room: rank for rank, rooms in enumerate(LAYERS) for room in rooms}

HEAVY = {
    "av": {"decoder.py", "doctor.py", "media.py", "pcm.py"},
    "filelock": {"ledger.py"},
    "fsspec": {"providers/folder.py"},
    "httpx": {"http.py"},
    "jinja2": {"stages/page.py"},
    "numpy": {
        "activity",
        "cast.py",
        "checks",
        "confirmation.py",
        "corpus",
        "damage.py",
        "dsp.py",
        "encoder.py",
        "fbank.py",
        "series.py",
        "graphs",
        "heard_most.py",
        "kept_speech.py",
        "kernels",
        "local_turns.py",
        "mel.py",
        "meters",
        "partials.py",
        "pcm.py",
        "pitch.py",
        "plain_wave.py",
        "prints.py",
        "records.py",
        "resampling.py",
        "segments.py",
        "sincnet.py",
        "sounds.py",
        "speech_frames.py",
        "spectra.py",
        "stages/decode.py",
        "stages/derive.py",
        "telephone.py",
        "turns.py",
        "voiceprints.py",
        "windows.py",
    },
    "onnx": {"graphs", "models.py"},
    "onnxruntime": {"models.py"},
    "packaging": {"doctor.py"},
    "pebble": {"engines/local.py"},
    "platformdirs": {"models.py"},
    "pooch": {"models.py"},
    "rich": {"cli", "terminal"},
    "scipy": {"kernels/plain.py"},
    "soxr": {"resampling.py"},
    "typer": {"cli", "exits.py"},
    "xxhash": {"stages/decode.py"},
    "webrtcvad": {"activity/webrtcvad.py"},
}
"""Which files and folders may import which library; any other library may be imported by none."""

MODULE_LINES, FUNCTION_LINES = 300, 45

MODULES = {
    path.relative_to(ROOT).as_posix(): ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.rglob("*.py")
}

each_module = pytest.mark.parametrize("name", sorted(MODULES))


def room(name):
    """The file or folder of pipeline/ that a module belongs to."""
    return name.split("/")[0].removesuffix(".py")


def imports(name):
    """The dotted names that a module imports, at its top or inside a function."""
    for node in ast.walk(MODULES[name]):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports by dots"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(name):
    """The modules of ours that a module imports, as paths."""
    for dotted in imports(name):
        parts = dotted.split(".")
        if parts[0] == "pipeline":
            for length in range(len(parts), 1, -1):
                path = "/".join(parts[1:length])
                found = next((p for p in (f"{path}.py", f"{path}/__init__.py") if p in MODULES), None)
                if found is not None:
                    yield found
                    break


def test_every_module_has_its_layer():
    assert {room(name) for name in MODULES} - {"__init__"} == set(RANK)


@each_module
def test_imports_point_down(name):
    if name == "__init__.py":
        return
    upwards = [other for other in ours(name) if room(other) != room(name) and RANK[room(other)] >= RANK[room(name)]]
    assert upwards == []


@each_module
def test_modules_of_one_room_do_not_import_each_other(name):
    """What they share stands in the room's __init__; the command line's gathers its verbs, and kernels are one of two."""
    if name in {"cli/__init__.py", "kernels/__init__.py"}:
        return
    siblings = {other for other in ours(name) if room(other) == room(name)}
    assert siblings <= {name, f"{room(name)}/__init__.py"}


@each_module
def test_heavy_libraries_have_their_places(name):
    foreign = {dotted.split(".")[0] for dotted in imports(name)} - {"pipeline", "__future__"} - STANDARD
    misplaced = [library for library in foreign if not {name, room(name)} & HEAVY.get(library, set())]
    assert misplaced == []


@each_module
def test_a_module_is_small_enough_to_be_read_at_once(name):
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= MODULE_LINES


def functions(name):
    return [node for node in ast.walk(MODULES[name]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@each_module
def test_a_function_does_one_thing(name):
    long = [f.name for f in functions(name) if f.end_lineno - f.lineno >= FUNCTION_LINES]
    assert long == []


@each_module
def test_a_module_says_what_it_is_for(name):
    assert ast.get_docstring(MODULES[name])


def test_the_rules_are_able_to_fail():
    """The scan sees imports inside functions, and knows a room from a file of the same name."""
    assert "stages/find.py" in set(ours("run.py"))
    assert "config.py" in set(ours("cli/check.py"))
    assert {"typer", "pathlib"} <= {dotted.split(".")[0] for dotted in imports("cli/check.py")}
    assert len(MODULES) > 50
