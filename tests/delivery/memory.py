"""Send a megabyte, then a gigabyte, through the provider, and print the memory that the process had taken after each."""

import hashlib
import resource
import sys
from pathlib import Path

TESTS = Path(__file__).parent.parent
sys.path[:0] = [str(TESTS), str(TESTS / "delivery")]

from campaign import KEY, Sandbox

from pipeline import providers
from pipeline.patience import Patience
from pipeline.remote import Cleared
from pipeline.storage.approved import ApprovedFile


def sent(provider, dataset, path, size):
    """Bytes at most in memory after a file of zeros of that size was sent."""
    with path.open("wb") as file:
        file.truncate(size)
    digest, block = hashlib.sha256(), bytes(1 << 20)
    for _ in range(size >> 20):
        digest.update(block)
    cleared = Cleared(("x",), str(path), digest.hexdigest(), size, "audio/wav", 1.0, f"{size}.wav")
    provider.send(dataset, cleared, ApprovedFile(str(path), cleared.sha256, size))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    with Sandbox() as sandbox:
        environ = {"CARTESIA_BASE_URL": sandbox.url, "CARTESIA_API_KEY": KEY}
        provider = providers.provider("cartesia", environ, Patience())
        dataset = provider.create_dataset("n", "d").id
        peaks = [sent(provider, dataset, Path(sys.argv[1]) / "file", size) for size in (1 << 20, 1 << 30)]
        assert {f.bytes for f in provider.files(dataset)} == {1 << 20, 1 << 30}
        provider.close()
    sys.stdout.write(" ".join(map(str, peaks)))


if __name__ == "__main__":
    main()
