"""voxgate: whether a folder of recordings is good enough to clone a voice from, and what to mend where.

The same from Python as from the command line: `check` and `judge` give a `Report`, whose verdict, clips, findings and
extent are typed, `upload` gives a `Receipt`, and they write the same files. Errors are those of `pipeline.errors`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # numpy and the rest are loaded by the first call, so that `voxgate --help` does not wait for them
    from collections.abc import Sequence

    from pipeline.outcome import Report
    from pipeline.remote import Receipt

__all__ = ["__version__", "check", "judge", "upload"]
__version__ = "0.10.0"

OUT = "voxgate-out"
"""Where results go unless somebody says otherwise."""


def check(  # noqa: PLR0913  # keywords, one for each option of the command
    inputs: str | Path | Sequence[str | Path],
    out: str | Path = OUT,
    *,
    profile: str | None = None,
    settings: Sequence[str] = (),
    reference: str | Path | None = None,
    jobs: int = 1,
) -> Report:
    """Examine everything under a folder, a file or several, and decide; results are written into `out`.

    `settings` are `KEY=VALUE` as for --set, `reference` is a recording of the wanted voice; with more than one job other processes do the work. Raises UsageError,
    SettingsError or OutputError; what is wrong with a clip is in the report.
    """
    from pipeline import config, run

    several = [inputs] if isinstance(inputs, (str, Path)) else inputs
    return run.check(
        run.Request(
            inputs=tuple(map(str, several)),
            out=Path(out),
            profile=profile or config.DEFAULT_PROFILE,
            overrides=tuple(settings),
            reference=None if reference is None else str(reference),
            engine="serial" if jobs == 1 else "local",
            jobs=jobs,
        )
    )


def judge(
    out: str | Path = OUT,
    *,
    profile: str | None = None,
    settings: Sequence[str] = (),
    reference: str | Path | None = None,
) -> Report:
    """Decide again from what a check left in `out`, with other limits or another reference, and without decoding.

    Raises RecordError when there is no finished run, MeasuringChanged when the settings would need a new decoding.
    """
    from pipeline import run

    return run.judge(Path(out), profile, tuple(settings), reference=None if reference is None else str(reference))


def upload(  # noqa: PLR0913  # keywords, one for each option of the command
    manifest: str | Path,
    to: str,
    *,
    consent: str,
    name: str | None = None,
    dataset: str | None = None,
    allow_unexamined: bool = False,
) -> Receipt:
    """Bring what a manifest approves into a provider's dataset, each file once; the key comes from the environment.

    Raises Refused where the gate says no, ProviderError where it could not be finished: call it again to go on.
    """
    from pipeline import delivery

    return delivery.upload(delivery.Parcel(Path(manifest), to, name, dataset, consent, allow_unexamined))
