"""Draw the terminal picture of the README: the summary of `flawed/`, from the real report, as an SVG file."""

import tempfile
from pathlib import Path

from rich.console import Console

from pipeline import run
from pipeline.terminal import summary

HERE = Path(__file__).parent
COLUMNS = 100
SHOWN_LINES = 46

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="voxgate in a terminal">
<style>.{unique_id}-matrix {{ font: {char_height}px/{line_height}px ui-monospace, Menlo, Consolas, monospace; white-space: pre; }}
{styles}</style>
<rect width="{width}" height="{height}" rx="10" fill="#0d1117"/>
<g transform="translate({terminal_x}, {terminal_y})"><g class="{unique_id}-matrix">{backgrounds}{matrix}</g></g>
<defs>{lines}</defs>
</svg>
"""
"""Without rich's own frame, which would load a font from another host."""


def main() -> None:
    """Check `flawed/` and draw the beginning of its summary."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        report = run.check(run.Request((str(HERE / "flawed"),), out))
        plain = Console(
            width=COLUMNS, record=True, file=(out / "screen").open("w", encoding="utf-8"), force_terminal=True
        )
        with plain.capture() as captured:
            summary.show(report, Path("voxgate-out"), plain)
    picture = Console(width=COLUMNS, record=True, quiet=False, file=open("/dev/null", "w", encoding="utf-8"))
    picture.print("$ voxgate check recordings/")
    picture.print("\n".join(captured.get().splitlines()[:SHOWN_LINES]))
    (HERE / "terminal.svg").write_text(picture.export_svg(code_format=SVG), encoding="utf-8")


if __name__ == "__main__":
    main()
