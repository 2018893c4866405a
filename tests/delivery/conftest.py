"""An approved set, a double of Cartesia on loopback, and what an upload needs, with little patience."""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
for folder in (TESTS, TESTS / "delivery"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

from sandbox.account import Account  # noqa: E402 - found by the lines above
from sandbox.server import Double  # noqa: E402
from terms import KEY, LENIENT, PATIENCE  # noqa: E402

from pipeline import delivery, run  # noqa: E402
from pipeline.remote import Onlooker  # noqa: E402

FILES = 4


@pytest.fixture(scope="session")
def set_once(tmp_path_factory, speechlike, write_wav):
    """A run that was approved: `rec/` with four clips, `out/` with journal and manifest. Not to be changed."""
    folder = tmp_path_factory.mktemp("set")
    for number in range(FILES):
        write_wav(folder / "rec" / f"täke {number}.wav", speechlike(1.0 + 0.25 * number, seed=number + 1))
    report = run.check(run.Request((str(folder / "rec"),), folder / "out", overrides=LENIENT))
    assert report.verdict == "approved"
    return folder


@pytest.fixture
def approved(set_once, tmp_path):
    """OUT of a run of one's own over recordings of one's own, judged by nothing but its journal and manifest."""
    shutil.copytree(set_once / "rec", tmp_path / "rec")
    run.check(run.Request((str(tmp_path / "rec"),), tmp_path / "out", overrides=LENIENT))
    return tmp_path / "out"


@pytest.fixture
def double():
    """The double of Cartesia, in a thread."""
    with Double(account=Account(training_s=0.2)) as server:
        yield server


@pytest.fixture
def environ(double):
    """What the environment says of the double."""
    return {"CARTESIA_BASE_URL": double.url, "CARTESIA_API_KEY": KEY}


@pytest.fixture
def means(environ):
    """How to reach the double, with little patience."""
    return delivery.Means(environ, PATIENCE, Onlooker())


@pytest.fixture
def parcel(approved):
    """`parcel(**changed)`: the approved set for a new dataset at Cartesia's."""
    usual = delivery.Parcel(
        approved / "manifest.json", "cartesia", "narrator", None, "all agreed", allow_unexamined=True
    )

    def made(**changed):
        return replace(usual, **changed)

    return made


@pytest.fixture
def clips(approved):
    """The manifest's clips."""
    return json.loads((approved / "manifest.json").read_text())["clips"]


@pytest.fixture
def stored(double):
    """`stored()`: names, digests and sizes of all that lies in the double's datasets, sorted."""

    def found():
        return sorted((f.filename, f.sha256, f.size) for d in double.account.datasets.values() for f in d.files)

    return found


@pytest.fixture
def wanted(clips):
    """What should lie there: names, digests and sizes, sorted."""
    from pipeline.stages.gate import remote_name

    return sorted((remote_name(c["sha256"], c["id"], ".wav"), c["sha256"], c["bytes"]) for c in clips)
