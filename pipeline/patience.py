"""How long to wait for whom before giving up, in one place: requests, listings, and what may still turn up."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.errors import ProviderError


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for whom.

    `tries` : how often the same is asked or sent
    `pause_s` : before the second try, then doubled up to `longest_pause_s`; a Retry-After is waited for up to `longest_s`
    `settle_s` : how long what was sent whole and not answered may take to show in a listing
    `connect_s`, `answer_s` : for a connection, for an answer; an upload's answer may take longer by its size at `slowest_bytes_s`
    """

    tries: int = 6
    pause_s: float = 1.0
    longest_pause_s: float = 30.0
    longest_s: float = 900.0
    settle_s: float = 20.0
    connect_s: float = 10.0
    answer_s: float = 60.0
    slowest_bytes_s: float = 2e6

    def pause(self, attempt: int, wanted_s: float | None = None) -> None:
        """Wait before try number `attempt` + 1, or as long as the other side wants. Raises ProviderError if that is too long."""
        if wanted_s is not None and wanted_s > self.longest_s:
            raise ProviderError(f"the provider wants to be asked again in {wanted_s / 60:.0f} minutes; run again then")
        backoff_s = min(self.pause_s * 2.0**attempt, self.longest_pause_s) * random.uniform(0.5, 1.0)  # noqa: S311 - no secret
        time.sleep(max(backoff_s, wanted_s or 0.0))

    def settling(self) -> Iterator[None]:
        """Now, and again after growing waits until `settle_s` have passed: look each time whether it shows."""
        yield
        waited_s, step_s = 0.0, max(min(self.pause_s, self.settle_s), 0.01)
        while waited_s < self.settle_s:
            time.sleep(step_s)
            waited_s += step_s
            step_s = min(2 * step_s, max(self.settle_s - waited_s, step_s))
            yield
