"""The report as one HTML page that needs nothing else: no script from elsewhere, no font, no network."""

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline import words


def rendered(document: dict[str, Any]) -> str:
    """The page of a report document; whatever a file name contains is shown, never run."""
    environment = Environment(
        loader=PackageLoader("pipeline", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"clock": words.clock, "moment": words.moment, "shown": words.printable}
    return environment.get_template("report.html.j2").render(report=document)
