"""Draw the terminal picture of the README: the summary of `flawed/`, from the real report, as an SVG file."""

import io
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

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
    screen = Console(width=COLUMNS, record=True, file=io.StringIO(), force_terminal=True)
    screen.print("$ voxgate check recordings/", highlight=False)
    with tempfile.TemporaryDirectory() as folder:
        summary.show(run.check(run.Request((str(HERE / "flawed"),), Path(folder))), Path("voxgate-out"), screen)
    drawn = screen.export_text(clear=False, styles=True).splitlines()[:SHOWN_LINES]
    picture = Console(width=COLUMNS, record=True, file=io.StringIO())
    picture.print(Text.from_ansi("\n".join(drawn)))
    (HERE / "terminal.svg").write_text(picture.export_svg(code_format=SVG), encoding="utf-8")


if __name__ == "__main__":
    main()
