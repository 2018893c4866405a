"""What a network and a server can do to a request, drawn by a seed or named one by one."""

import random
import threading

UPLOAD = (
    "status before",  # an error status, nothing stored
    "status after",  # stored, and an error status all the same
    "reset before",  # the connection is cut before the body is read
    "reset in",  # in the middle of it
    "reset after",  # when it was read, nothing stored
    "reply lost",  # stored, and the connection is cut
    "slow reply",  # stored, and the answer comes too late
    "slow store",  # the answer comes too late, and only then it is stored
    "redirect away",  # 301, 302, 303
    "redirect again",  # 307, 308
    "declined",  # 413, nothing stored
)
LIST = (
    "status before",
    "reset before",
    "cut json",
    "short page",  # half of it, and no word of more
    "early end",  # nothing, as behind the last page
    "same page",
    "slow reply",
    "redirect again",
)
CHANGE = ("status before", "status after", "reset before", "reply lost", "slow reply")
KINDS = {"upload": UPLOAD, "list": LIST, "change": CHANGE, "read": ("status before", "reset before", "cut json")}
STATUSES = (408, 409, 429, 500, 502, 503, 504)
BODIES = ("json", "text", "html", "empty")


class Faults:
    """Which fault befalls the next request: from a plan for its kind, else by chance."""

    def __init__(self, seed=0, rate=0.0, only=None, slow_s=0.6):
        self._lock = threading.Lock()
        self.random = random.Random(seed)
        self.rate, self.only, self.slow_s = rate, only, slow_s
        self.retry_after = "0"
        self.planned = {kind: [] for kind in KINDS}
        self.met = []

    def plan(self, kind, *faults):
        """Have the next requests of a kind meet these faults, one each; None is none."""
        self.planned[kind].extend(faults)

    def next(self, kind):
        """The fault for a request, or None."""
        with self._lock:
            if self.planned[kind]:
                fault = self.planned[kind].pop(0)
            elif self.random.random() < self.rate:
                fault = self.random.choice([f for f in KINDS[kind] if self.only is None or f in self.only] or [None])
            else:
                fault = None
            if fault is not None:
                self.met.append((kind, fault))
            return fault

    def choice(self, options):
        with self._lock:
            return self.random.choice(options)
