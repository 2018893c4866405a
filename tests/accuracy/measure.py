"""Measure how right voxgate is: build labelled cases, run the real command on them, write RESULTS.md.

python tests/accuracy/measure.py            every suite, and RESULTS.md
python tests/accuracy/measure.py noise room     those suites, printed, with the cases that went wrong
python tests/accuracy/measure.py --keep FOLDER [...]     the same, going on where an earlier run of the same code stopped

Exits with 1 when a goal is missed.

Each suite is a module here with `GREY`, `build` and, where it wants other settings, `OPTIONS`. A case belongs to the part of
the recordings that thresholds were tuned with, or to the part that was kept out of that.
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"

import concurrent.futures
import importlib
import inspect
import pickle
import sys
import tempfile
import zlib
from pathlib import Path

import goals
import numpy as np
import render
from cases import Folder, run
from recordings import AUDIO, PARTS

SUITES = (
    "noise",
    "levels",
    "room",
    "music",
    "copies",
    "clean",
    "spectrum",
    "odd",
    "speech",
    "loudness",
    "channels",
    "files",
    "speakers",
)
OUT = Path(__file__).parent / "RESULTS.md"


def results_of(name, part):
    """Build a suite's cases of one part, and run the command on each of its datasets."""
    with tempfile.TemporaryDirectory() as room:
        return _results_in(Path(room), name, part)


def _results_in(room, name, part):
    suite = importlib.import_module(name)
    random = np.random.default_rng(zlib.crc32(f"{name} {part}".encode()))
    datasets = {}

    def dataset(label):
        if label not in datasets:
            datasets[label] = Folder(room / label.replace(" ", "-"))
        return datasets[label]

    several = "folders" in inspect.signature(suite.build).parameters
    suite.build(dataset if several else dataset("clips"), part, random)
    found = []
    for label, folder in datasets.items():
        out = room / f"out-{label.replace(' ', '-')}"
        found += run(folder, out, "--jobs", "1", *getattr(suite, "OPTIONS", ()))
    return found


def kept(folder, name, part):
    """The results of a suite, from `folder` where an earlier run left them, and left there otherwise."""
    if folder is None:
        return results_of(name, part)
    path = Path(folder) / f"{name}-{part.replace(' ', '-')}.pickle"
    if path.exists():
        return pickle.loads(path.read_bytes())
    found = results_of(name, part)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(found))
    return found


def main(arguments):
    folder = arguments[1] if arguments[:1] == ["--keep"] else None
    names = arguments if folder is None else arguments[2:]
    if not AUDIO.is_dir():
        print(f"the real recordings are not at {AUDIO}; VOXGATE_TEST_AUDIO names their folder")
        return 1
    results, chosen = {}, names or SUITES
    with concurrent.futures.ProcessPoolExecutor() as pool:  # one case after the other in each
        tasks = {pool.submit(kept, folder, name, part): (name, part) for name in chosen for part in PARTS}
        for task in concurrent.futures.as_completed(tasks):
            name, part = tasks[task]
            results[name, part] = task.result()
            print(f"{name}, {part}: {len(results[name, part])} cases", file=sys.stderr, flush=True)
    results = {key: results[key] for key in sorted(results)}
    greys = [(name, importlib.import_module(name).GREY) for name in chosen]
    text = render.document(results, greys)
    print(render.wrong(results))
    if names:
        print(text)
        return 0
    OUT.write_text(text, encoding="utf-8")
    missed = goals.unmet([result for found in results.values() for result in found])
    print(f"written to {OUT}", *(f"not met: {says}" for says in missed), sep="\n")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
