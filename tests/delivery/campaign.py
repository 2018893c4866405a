"""The fault campaign: seeded runs of whole uploads against a double that breaks requests in every way, and kill -9 on top.

After each upload the double says what really lies there: every approved file once and no other, or the upload ended with 4 and
named what is missing; and when the faults cease, the next run brings it to its end. In some runs a recording is changed while it is
uploaded, which must never get there; in some a training is ordered too, which must be ordered once. Seeds make the faults; the
order in which threads and processes meet them is the machine's.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx

TESTS = Path(__file__).parent.parent
sys.path.insert(0, str(TESTS))

from conftest import make_speechlike, make_wav

from pipeline import delivery, run, training
from pipeline.errors import ProviderError, Refused
from pipeline.patience import Patience

KEY = "sk_car_campaign_0123456789"
PATIENCE = Patience(tries=4, pause_s=0.01, longest_pause_s=0.05, settle_s=0.8, connect_s=2.0, answer_s=0.3)
SLOW_S = 0.5
"""Longer than an answer is waited for, shorter than a listing is."""

FILES = 7
LENIENT = ("speech.engine=webrtcvad", "extent.minimum_s=1", "extent.target_s=2")


@dataclass
class Told:
    """What became of one run."""

    seed: int
    kills: int = 0
    ends: list = field(default_factory=list)
    wrong: list = field(default_factory=list)
    met: Counter = field(default_factory=Counter)


class Sandbox:
    """The double, in a process of its own; a context manager."""

    def __enter__(self):
        command = [sys.executable, TESTS / "sandbox" / "serve.py", "--port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        lines = iter(self._process.stdout.readline, "")
        self.url = next(word for line in lines for word in line.split() if "BASE_URL=" in word).partition("=")[2]
        self._client = httpx.Client(base_url=self.url, trust_env=False)
        return self

    def __exit__(self, *_):
        self._client.close()
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()

    def tell(self, what, **document):
        self._client.post(f"/_double/{what}", json=document).raise_for_status()

    def inventory(self):
        return self._client.get("/_double/inventory").json()


def prepared(folder):
    """An approved set of a few short clips; its OUT comes back."""
    for number in range(FILES):
        make_wav(folder / "rec" / f"take {number}.wav", make_speechlike(1.0 + 0.3 * number, seed=number + 1))
    report = run.check(run.Request((str(folder / "rec"),), folder / "out", overrides=LENIENT))
    assert report.verdict == "approved"
    return folder / "out"


def started(work, out, url):
    """Start an upload or an order in a process of its own; its id comes back, and where it will say how it ended."""
    reading, writing = os.pipe()
    process = os.fork()
    if process:
        os.close(writing)
        return process, reading
    try:
        os.close(reading)
        with os.fdopen(writing, "w") as pipe:
            json.dump(work(out, url), pipe)
    finally:
        os._exit(0)


def _uploaded(out, url):
    parcel = delivery.Parcel(out / "manifest.json", "cartesia", "campaign", None, "all agreed", allow_unexamined=True)
    return _told(lambda means: f"{len(delivery.upload(parcel, means).delivered)} files", url)


def _ordered(out, url):
    def order(means):
        with training.studio(out, "cartesia", means) as studio:
            plan = studio.plan("campaign", "en", None)
            return plan.current.id if plan.current is not None else studio.order(plan).id

    return _told(order, url)


def _told(work, url):
    """The exit status that some work leads to, and what it says."""
    environ = {"CARTESIA_BASE_URL": url, "CARTESIA_API_KEY": KEY}
    try:
        return [0, work(delivery.Means(environ, PATIENCE))]
    except ProviderError as error:
        return [4, str(error)]
    except Refused as error:
        return [1, str(error)]
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        return [-1, f"{type(error).__name__}: {error}"]


def ended(process, reading):
    """Wait for an upload: its status and what it said; None where it was killed before it could."""
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(process, 0)
    return json.loads(text) if text else None


def one(seed, template, folder, sandbox):
    """One run: faults by its seed, some kills, then uploads until one comes through, at last without faults."""
    chance = random.Random(seed)
    told = Told(seed, kills=chance.choice((0, 0, 1, 2, 3)))
    out = folder / f"out-{seed}"
    shutil.copytree(template, out)
    sandbox.tell("reset")
    sandbox.tell("faults", seed=seed, rate=chance.choice((0.05, 0.15, 0.3, 0.5)), slow_s=SLOW_S)
    for _ in range(told.kills):
        process, reading = started(_uploaded, out, sandbox.url)
        time.sleep(chance.uniform(0.0, 1.2))
        os.kill(process, signal.SIGKILL)
        told.ends.append(_judged(told, ended(process, reading), out, sandbox))
    if seed % 5 == 1:
        told.ends.append(_tampered(told, out, sandbox, chance))
    for _ in range(3):
        told.ends.append(_judged(told, ended(*started(_uploaded, out, sandbox.url)), out, sandbox))
        if told.ends[-1] == 0:
            break
    told.met = Counter(" ".join(fault) for fault in sandbox.inventory()["met"])
    if told.ends[-1] != 0:
        sandbox.tell("faults")
        told.ends.append(_judged(told, ended(*started(_uploaded, out, sandbox.url)), out, sandbox))
        if told.ends[-1] != 0:
            told.wrong.append("it does not come to an end without faults")
    if seed % 5 == 0:
        _trained(told, out, sandbox, chance)
    told.wrong.extend(_secrets(out))
    shutil.rmtree(out)
    return told


def _tampered(told, out, sandbox, chance):
    """Change a recording while it is uploaded, and give it back as it was."""
    clip = chance.choice(json.loads((out / "manifest.json").read_text())["clips"])
    path = Path(json.loads((out / "manifest.json").read_text())["root"]) / clip["path"]
    content = path.read_bytes()
    process, reading = started(_uploaded, out, sandbox.url)
    time.sleep(chance.uniform(0.0, 0.6))
    with path.open("r+b") as file:
        file.seek(chance.randrange(len(content)))
        file.write(b"tampered")
        file.truncate(len(content))
    end = ended(process, reading)
    path.write_bytes(content)
    if end[0] == 1:
        if clip["id"] not in end[1] and clip["path"] not in end[1]:
            told.wrong.append(f"refused without naming {clip['id']}: {end[1]}")
        end = [4, end[1] + " ".join(c["id"] for c in json.loads((out / "manifest.json").read_text())["clips"])]
    return _judged(told, end, out, sandbox)


def _trained(told, out, sandbox, chance):
    """Order a training through faults and kills; at last it is ordered, and once."""
    sandbox.tell("faults", seed=told.seed, rate=chance.choice((0.1, 0.3)), slow_s=SLOW_S)
    for _ in range(3):
        process, reading = started(_ordered, out, sandbox.url)
        time.sleep(chance.uniform(0.05, 0.8))
        if chance.random() < 0.5:
            os.kill(process, signal.SIGKILL)
        end = ended(process, reading)
        told.wrong.extend(f"training: {end[1]}" for _ in range(end is not None and (end[0] == -1 or KEY in end[1])))
    sandbox.tell("faults")
    time.sleep(PATIENCE.settle_s)  # else an order that was killed a moment ago is waited for
    end = ended(*started(_ordered, out, sandbox.url))
    ordered = len(sandbox.inventory()["fine_tunes"])
    if end[0] != 0 or ordered != 1:
        told.wrong.append(f"{ordered} trainings: {end}")


def _judged(told, end, out, sandbox):
    """Hold what an upload said against what really lies there."""
    if end is None:
        return None
    status, said = end
    wanted = {clip["sha256"]: clip for clip in json.loads((out / "manifest.json").read_text())["clips"]}
    filled = [d for d in sandbox.inventory()["datasets"] if d["files"]]
    counts = Counter(file["sha256"] for dataset in filled for file in dataset["files"])
    if len(filled) > 1:
        told.wrong.append(f"files in {len(filled)} datasets")
    if counts.keys() - wanted.keys():
        told.wrong.append("something that nobody approved")
    missing = [clip["id"] for sha256, clip in wanted.items() if not counts[sha256]]
    if status == 0:
        told.wrong.extend(f"missing {id_} after a success" for id_ in missing)
        told.wrong.extend(f"twice {sha256}" for sha256, times in counts.items() if times > 1)
    elif status == 4:
        told.wrong.extend(f"4 without naming {id_}: {said}" for id_ in missing if id_ not in said)
    else:
        told.wrong.append(f"ended with {status}: {said}")
    if KEY in said:
        told.wrong.append("the key in what was said")
    return status


def _secrets(out):
    return [f"the key in {path.name}" for path in out.iterdir() if KEY.encode() in path.read_bytes()]


def campaign(seeds):
    """The runs of these seeds, one after the other."""
    with tempfile.TemporaryDirectory() as name, Sandbox() as sandbox:
        template = prepared(Path(name) / "template")
        return [one(seed, template, Path(name), sandbox) for seed in seeds]


def shown(runs, took_s):
    """Print what was counted; how many runs went wrong comes back."""
    ends, met = Counter(), Counter()
    for told in runs:
        ends.update(str(end) for end in told.ends)
        met.update(told.met)
        for what in told.wrong:
            print(f"seed {told.seed}: {what}")
    wrong = sum(bool(told.wrong) for told in runs)
    kills = sum(told.kills for told in runs)
    print(f"{len(runs)} runs in {took_s:.0f} s, {kills} kills, {sum(met.values())} faults, {wrong} runs wrong")
    print("uploads by exit status (None: killed):", dict(sorted(ends.items())))
    for fault, times in sorted(met.items()):
        print(f"  {fault:28} {times}")
    return wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    given = parser.parse_args()
    began = time.monotonic()
    shards = [range(1 + shard, given.runs + 1, given.jobs) for shard in range(given.jobs)]
    with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
        runs = [told for shard in pool.map(campaign, shards, chunksize=1) for told in shard]
    return 1 if shown(runs, time.monotonic() - began) else 0


if __name__ == "__main__":
    sys.exit(main())
