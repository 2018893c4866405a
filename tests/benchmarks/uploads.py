"""How fast a file of a gigabyte goes out, against a bare httpx upload of the same file to the same server on loopback.

The server is the double of Cartesia's interface in a process of its own; it hashes what it gets, or throws it away at once.
"""

import hashlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

TESTS = Path(__file__).parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "delivery")]

from campaign import KEY, Sandbox

from pipeline import providers
from pipeline.patience import Patience
from pipeline.remote import Cleared
from pipeline.storage.approved import ApprovedFile

SIZE_BYTES = 1 << 30
ROUNDS = 3
"""They take turns, and the fastest of each counts."""


def rows() -> Iterator[tuple[str, str, str]]:
    """A row for each kind of server: both speeds, and ours in parts of the other."""
    with tempfile.TemporaryDirectory() as room, Sandbox() as sandbox:
        path = Path(room) / "file.wav"
        cleared = _made(path)
        environ = {"CARTESIA_BASE_URL": sandbox.url, "CARTESIA_API_KEY": KEY}
        provider = providers.provider("cartesia", environ, Patience())
        dataset = provider.create_dataset("bench", "").id
        for hashes, told in ((True, "that hashes what it gets"), (False, "that throws it away")):
            sandbox.tell("hashes", on=hashes)
            bare, ours = [], []
            for _ in range(ROUNDS):
                bare.append(_timed(lambda: _bare(sandbox.url, dataset, path)))
                body = ApprovedFile(cleared.path, cleared.sha256, cleared.bytes)
                ours.append(_timed(lambda body=body: provider.send(dataset, cleared, body)))
            speeds = [SIZE_BYTES / 1e6 / min(times) for times in (bare, ours)]
            yield f"to a server {told}", " / ".join(f"{s:,.0f} MB/s" for s in speeds), f"{speeds[1] / speeds[0]:.2f}"
        provider.close()


def _made(path: Path) -> Cleared:
    block, digest = bytes(range(256)) * 4096, hashlib.sha256()
    with path.open("wb") as file:
        for _ in range(SIZE_BYTES // len(block)):
            file.write(block)
            digest.update(block)
    return Cleared(("bench",), str(path), digest.hexdigest(), SIZE_BYTES, "audio/wav", 1.0, "bench.wav")


def _timed(work: object) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _bare(url: str, dataset: str, path: Path) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Cartesia-Version": "2026-03-01"}
    with httpx.Client(headers=headers, trust_env=False, timeout=60) as client, path.open("rb") as file:
        files = {"file": ("bench.wav", file, "audio/wav")}
        client.post(f"{url}/datasets/{dataset}/files", data={"purpose": "fine_tune"}, files=files).raise_for_status()


if __name__ == "__main__":
    for row in rows():
        print(*row)
