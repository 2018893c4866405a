"""The subjects of the dataset, one a file, in the same form as those of a clip; their meters are fed clips."""

from pipeline.readings import Container
from pipeline.records import Clip

COPIES = frozenset(("DUPLICATE", "NEAR_DUPLICATE"))


def is_copy(clip: Clip) -> bool:
    """Whether it was found to be in other clips already."""
    return any(finding.code in COPIES for finding in clip.findings)


def preference(clip: Clip) -> tuple[object, ...]:
    """Sort key of the copy to keep: passing, lossless, higher rate, longer, then by id."""
    container = clip.readings.get(Container) or Container()
    return (
        not clip.verdict.counts,
        container.lossy is not False,
        -(container.sample_rate or 0),
        -(container.decoded_s or 0.0),
        clip.source.id,
    )
