"""Render the tables of README.md from what they tell of: findings from the catalogue, the rest as last measured.

python tests/readme_tables.py           rewrite them
python tests/readme_tables.py --check   exit 1 if one is stale
"""

import itertools
import re
import sys
from pathlib import Path

from pipeline.catalogue import NOT_MEASURED, rules

ROOT = Path(__file__).parents[1]


def findings() -> str:
    """Every code with its weight, what it means and how to mend it."""
    found = {code: rule for code, (_, rule) in rules().items()} | {NOT_MEASURED.code: NOT_MEASURED}
    rows = ["| finding | weight | what it means | what to do |", "|---|---|---|---|"]
    for code, rule in sorted(found.items()):
        weight = str(rule.severity) if rule.gravest is None else f"{rule.severity}, {rule.gravest} when grave"
        rows.append(f"| `{code}` | {weight} | {rule.means} | {rule.advice} |")
    return "\n".join(rows)


def speed() -> str:
    """The table of the last `make bench`, with the line that says on what it was measured."""
    return "\n".join((ROOT / "tests" / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8").splitlines()[2:])


def accuracy() -> str:
    """What the flags must reach and did, and how each did on recordings kept out of tuning, by the last `make accuracy`."""
    page = (ROOT / "tests" / "accuracy" / "RESULTS.md").read_text(encoding="utf-8")
    goals, flags = (_table_under(page, title) for title in ("## What must be reached", "## Flags"))
    head, rule, *rows = flags
    held_out = [row for row in rows if "| held out |" in row]
    return "\n".join((*goals, "", head, rule, *held_out))


def _table_under(page: str, title: str) -> list[str]:
    """The lines of the first table behind a heading."""
    lines = page[page.index(f"{title}\n") :].splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("|"))
    return list(itertools.takewhile(lambda line: line.startswith("|"), lines[first:]))


TABLES = {"findings": findings, "accuracy": accuracy, "speed": speed}


def main(arguments: list[str]) -> int:
    """Rewrite or check the README."""
    path = ROOT / "README.md"
    text = old = path.read_text(encoding="utf-8")
    for name, render in TABLES.items():
        pattern = rf"(<!-- {name} -->\n).*?(\n<!-- /{name} -->)"
        place = re.search(pattern, text, flags=re.DOTALL)
        if place is None:
            print(f"README.md has no place for the table {name}")
            return 1
        text = text[: place.start()] + place[1] + render() + place[2] + text[place.end() :]
    if arguments == ["--check"]:
        if text != old:
            print("README.md is stale: run make readme")
        return int(text != old)
    path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
