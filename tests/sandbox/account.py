"""An account at the double of Cartesia: datasets, their files, fine-tunes and voices, in memory. No file's bytes are kept.

Shapes and words are those of the API's versions 2025-04-16 to 2026-08-14.
"""

import itertools
import threading
import time
import uuid
from dataclasses import dataclass, field

VERSIONS = ("2025-04-16", "2025-11-04", "2026-03-01", "2026-08-14")
JSON_ERRORS_SINCE = "2026-03-01"
MODELS = ("sonic-3-2026-01-12", "sonic-3-2025-10-27")
LANGUAGES = frozenset(["en", "fr", "de", "es", "pt", "zh", "ja", "hi", "it", "ko", "nl", "pl", "ru", "sv", "tr"])
VOICES = 4


@dataclass
class File:
    id: str
    filename: str
    created_at: str
    size: int
    sha256: str = ""

    def shown(self):
        return {"id": self.id, "filename": self.filename, "created_at": self.created_at, "size": self.size}


@dataclass
class Dataset:
    id: str
    name: str
    description: str
    created_at: str
    files: list[File] = field(default_factory=list)

    def shown(self):
        return {"id": self.id, "name": self.name, "created_at": self.created_at, "description": self.description}


@dataclass
class FineTune:
    id: str
    fields: dict
    began: float
    ends_in: str = "completed"

    def status(self, training_s):
        age = time.monotonic() - self.began
        return "created" if age < training_s / 4 else "training" if age < training_s else self.ends_in

    def shown(self, training_s):
        return {"id": self.id, **self.fields, "status": self.status(training_s)}


class Account:
    """What the double remembers. `training_s`: how long a fine-tune takes; `outcomes`: how the next ones end."""

    def __init__(self, training_s=1.0, balance=2_000_000):
        self.lock = threading.RLock()
        self.training_s, self.credits = training_s, balance
        self.outcomes = []
        self.datasets, self.fine_tunes = {}, {}
        self._numbers = itertools.count(1)
        self._run = uuid.uuid4().hex[:6]

    def _id(self, kind):
        """Never the same again, not in the next account either: a late request must not meet another's dataset."""
        return f"{kind}_{self._run}{next(self._numbers)}"

    def create_dataset(self, name, description):
        with self.lock:
            made = Dataset(self._id("ds"), name, description, _now())
            self.datasets[made.id] = made
            return made

    def store(self, dataset_id, filename, size, sha256):
        """Keep a file: the same name may be stored twice and gets two ids. None where the dataset is gone."""
        with self.lock:
            if dataset_id not in self.datasets:
                return None
            made = File(self._id("file"), filename, _now(), size, sha256)
            self.datasets[dataset_id].files.append(made)
            return made

    def create_fine_tune(self, fields):
        with self.lock:
            made = FineTune(
                self._id("ft"), fields, time.monotonic(), self.outcomes.pop(0) if self.outcomes else "completed"
            )
            self.fine_tunes[made.id] = made
            if made.ends_in == "completed":
                self.credits -= 1_000_000
            return made

    def voices(self, fine_tune, version):
        """The four voices of a fine-tune that is done, as this version of the API shows them."""
        if fine_tune.status(self.training_s) != "completed":
            return []
        made = []
        for number in range(1, VOICES + 1):
            voice = {
                "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{fine_tune.id}/{number}")),
                "is_owner": True,
                "name": f"{fine_tune.fields['name']} {number}",
                "description": fine_tune.fields["description"],
                "created_at": _now(),
                "language": fine_tune.fields["language"],
                "gender": None,
            }
            if version < "2026-08-14":
                voice["is_public"] = False
            else:
                voice |= {"access": "private", "visibility": "owner", "tagline": ""}
            if version >= "2025-11-04":
                voice["locales"] = [{"locale": f"{voice['language']}-XX", "is_native": True}]
            made.append(voice)
        return made

    def inventory(self):
        """All that lies there, for whoever judges a run."""
        with self.lock:
            return {
                "datasets": [
                    d.shown() | {"files": [f.shown() | {"sha256": f.sha256} for f in d.files]}
                    for d in self.datasets.values()
                ],
                "fine_tunes": [f.shown(self.training_s) for f in self.fine_tunes.values()],
                "credits": self.credits,
            }


def _now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
