"""What lies in a dataset, held against what should lie there. Pure.

A file is known by its name and its size, which is all that a provider tells: names hold a part of the digest of the bytes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.remote import StoredFile


@dataclass(frozen=True, slots=True)
class Inventory:
    """A dataset's files by their ids, and the names and sizes of those that are wanted there."""

    files: Mapping[str, StoredFile]
    wanted: Mapping[str, int]

    @classmethod
    def of(cls, files: Iterable[StoredFile], wanted: Mapping[str, int]) -> "Inventory":
        """What a listing shows; a file that it shows twice under one id is one."""
        return cls({file.id: file for file in files}, wanted)

    def joined(self, other: "Inventory") -> "Inventory":
        """What either of two listings of the same dataset showed, for listings may be cut short."""
        return Inventory({**self.files, **other.files}, self.wanted)

    @property
    def there(self) -> dict[str, StoredFile]:
        """The wanted files that are there, by name; of several copies the one that was listed first."""
        found: dict[str, StoredFile] = {}
        for file in self.files.values():
            if self.wanted.get(file.name) == file.bytes:
                found.setdefault(file.name, file)
        return found

    @property
    def missing(self) -> list[str]:
        """The names that are not there."""
        there = self.there
        return [name for name in self.wanted if name not in there]

    @property
    def doubles(self) -> dict[str, list[StoredFile]]:
        """The names that are there more than once, with the copies beyond the first."""
        kept = {file.id for file in self.there.values()}
        found: dict[str, list[StoredFile]] = {}
        for file in self.files.values():
            if self.wanted.get(file.name) == file.bytes and file.id not in kept:
                found.setdefault(file.name, []).append(file)
        return found

    @property
    def damaged(self) -> list[StoredFile]:
        """Files under a wanted name and of another size: what a provider kept of something broken off."""
        return [f for f in self.files.values() if f.name in self.wanted and f.bytes != self.wanted[f.name]]

    @property
    def foreign(self) -> list[StoredFile]:
        """Files under names that nobody wants there."""
        return [file for file in self.files.values() if file.name not in self.wanted]

    @property
    def exact(self) -> bool:
        """Whether everything that is wanted lies there once, and nothing else."""
        return not (self.missing or self.doubles or self.damaged or self.foreign)
