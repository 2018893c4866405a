"""Decodes mutants of audio files and says what was wrong with any of them: run as a program, in a process of its own.

    python mutants.py FOLDER SEED COUNT FILE...

Each mutant is made from the seed and its number alone. Written to standard output is one JSON object a line: the
mutants that broke a promise, and at the end a summary with the slowest one and the peak memory.
"""

import dataclasses
import json
import math
import random
import resource
import sys
import time
from pathlib import Path

import numpy as np

from pipeline.errors import DecodeError
from pipeline.stages import decode

ADDRESS_SPACE_BYTES = 3 << 30
"""The libraries alone map about 1 GB; a file that asks for gigabytes must not get them."""

SLOWEST_S = 10.0
EXTREMES = (b"\0", b"\xff", b"\x7f", b"\x80", b"\x01")


def peak_mb() -> float:
    """The most memory that this process itself has held; ru_maxrss would count what its parent had at the fork."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def truncated(data, _other, draw):
    return data[: draw.randrange(len(data))]


def flipped(data, _other, draw):
    damaged = bytearray(data)
    reach = draw.choice((64, 512, len(data)))
    for _ in range(draw.choice((1, 3, 30))):
        at = draw.randrange(min(reach, len(data)))
        damaged[at] ^= 1 << draw.randrange(8)
    return bytes(damaged)


def garbled(data, _other, draw):
    at, length = draw.randrange(len(data)), draw.choice((16, 700, 9000))
    return data[:at] + draw.randbytes(length) + data[at + length :]


def holed(data, _other, draw):
    at = draw.randrange(len(data))
    return data[:at] + data[at + draw.choice((1, 300, 6144, 30000)) :]


def repeated(data, _other, draw):
    at, length = draw.randrange(len(data)), draw.choice((50, 3000))
    return data[:at] + data[at : at + length] * draw.choice((2, 40)) + data[at:]


def spliced(data, other, draw):
    return data[: draw.randrange(len(data))] + other[draw.randrange(len(other)) :]


def extreme(data, _other, draw):
    """Fields of a header set to the least or the most that they can hold: channels, rates, sizes of chunks."""
    damaged = bytearray(data)
    for _ in range(draw.choice((1, 2, 4))):
        width = draw.choice((1, 2, 4, 8))
        at = draw.randrange(min(len(data) - 8, draw.choice((40, 200, 2000))))
        damaged[at : at + width] = draw.choice(EXTREMES) * width
    return bytes(damaged)


MUTATORS = (truncated, flipped, garbled, holed, repeated, spliced, extreme)


def mutant(files, seed, number):
    """Bytes, extension and name of mutant `number`."""
    draw = random.Random(f"{seed}:{number}")
    path = files[number % len(files)]
    other = draw.choice(files)
    mutator = MUTATORS[number // len(files) % len(MUTATORS)]
    return mutator(path.read_bytes(), other.read_bytes(), draw), path.suffix, f"{path.name} {mutator.__name__} {number}"


def complaint(path):
    """What is wrong with how a file is decoded, or `None`."""
    frames, wrong = 0, []
    try:
        with decode.Stream(str(path)) as stream:
            info = stream.info
            for block in stream.blocks():
                if block.start != frames or block.samples.shape[1] != info.channels or not len(block.samples):
                    wrong.append(f"a block of {block.samples.shape} begins at {block.start} after {frames} frames")
                elif not np.isfinite(block.samples).all() or np.abs(block.samples).max() > 1000:
                    wrong.append("samples that are no numbers of a recording")
                frames += len(block.samples)
            wrong.extend(contradictions(stream.container(), frames, info.sample_rate))
    except DecodeError as error:
        wrong = [] if error.kind in {"unreadable", "no_audio"} and error.why else ["an error without a reason"]
    return "; ".join(wrong[:3]) or None


def contradictions(container, frames, rate):
    """Where a reading contradicts itself or the samples that came out."""
    values = dataclasses.asdict(container)
    if any(isinstance(value, float) and not math.isfinite(value) for value in values.values()):
        yield f"values that are not finite: {values}"
    if container.frames != frames or container.decoded_s != frames / rate:
        yield f"{frames} frames in the blocks, {container.frames} in the reading"
    if container.lost_s is not None and container.lost_s < 0:
        yield f"a loss of {container.lost_s} s"
    if any(not 0 <= span.start_s <= container.decoded_s + 1 for span in container.error_spans):
        yield f"damage outside the file: {container.error_spans}"


def tell(fact):
    sys.stdout.write(json.dumps(fact) + "\n")
    sys.stdout.flush()


def main():
    folder, seed, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    files = [Path(name) for name in sys.argv[4:]]
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    slowest = (0.0, "")
    for number in range(count):
        data, suffix, name = mutant(files, seed, number)
        path = folder / f"mutant{suffix}"
        path.write_bytes(data)
        (folder / "current").write_text(name)
        began = time.monotonic()
        try:
            wrong = complaint(path)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what this program looks for
            wrong = f"{type(error).__name__}: {error}"
        took_s = time.monotonic() - began
        slowest = max(slowest, (took_s, name))
        if took_s > SLOWEST_S:
            wrong = f"it took {took_s:.1f} s"
        if wrong is not None:
            tell({"mutant": name, "wrong": wrong})
    tell({"decoded": count, "slowest": slowest, "peak_mb": peak_mb()})


if __name__ == "__main__":
    main()
