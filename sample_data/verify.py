"""Check the sample data with the real command and hold its report against what was built into the files.

`good/` must be approved with a manifest, `flawed/` must be rejected with every fault named where it is. Run by `make run`;
exits 0 only when both are so.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EDGE_S = 0.25
"""How far a reported edge may lie from the built one: a frame of a codec, a tenth of a second of voice activity."""

APPROVED, REJECTED = 0, 1


def voxgate(folder: Path, out: Path) -> int:
    """Run `voxgate check` on a folder, its words going to this terminal; the exit status."""
    command: list[str | Path] = [Path(sys.executable).with_name("voxgate"), "check", folder, "-o", out]
    return subprocess.run(command, check=False).returncode


def missed(report: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """What was built into the flawed clips and is not in the report, in sentences."""
    clips = {clip["id"]: clip for clip in report["clips"]}
    problems = []
    for row in expected["clips"]:
        found = {finding["code"]: finding for finding in clips[row["file"]]["findings"]}
        for wanted in row["findings"]:
            finding = found.get(wanted["code"])
            if finding is None or finding["severity"] != wanted["severity"]:
                seen = "not found" if finding is None else f"found as {finding['severity']}"
                problems.append(f"{row['file']}: {wanted['code']} ({wanted['severity']}) was {seen}")
                continue
            problems += [
                f"{row['file']}: {wanted['code']} misses {span}" for span in wanted["spans"] if not met(span, finding)
            ]
        allowed = {wanted["code"] for wanted in row["findings"]} | set(row["also"])
        problems += [f"{row['file']}: {code} was found and not built in" for code in found if code not in allowed]
    return problems


def met(span: dict[str, float], finding: dict[str, Any]) -> bool:
    """Whether some reported span begins where the built one does."""
    return any(abs(told["start_s"] - span["start_s"]) <= EDGE_S for told in finding["spans"])


def main(out: Path) -> int:
    """Check both folders and say whether they came out as built."""
    good = voxgate(HERE / "good", out / "good")
    flawed = voxgate(HERE / "flawed", out / "flawed")
    problems = []
    if good != APPROVED or not (out / "good" / "manifest.json").exists():
        problems.append(f"good/ should be approved (exit 0, a manifest); it left with {good}")
    if flawed != REJECTED:
        problems.append(f"flawed/ should be rejected (exit 1); it left with {flawed}")
    else:
        report = json.loads((out / "flawed" / "report.json").read_text(encoding="utf-8"))
        expected = tomllib.loads((HERE / "flawed" / "expected.toml").read_text(encoding="utf-8"))
        problems += missed(report, expected)
    for problem in problems:
        print(f"wrong: {problem}")
    if not problems:
        print("As it should be: good/ is approved, and in flawed/ every fault was found where it was built in.")
        print(f"Reports: {out / 'good' / 'report.html'} and {out / 'flawed' / 'report.html'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
