"""What lies in a dataset, held against what should lie there. Pure.

A file is known by its size and by how its name begins, which is with a part of the digest of its bytes: the rest of the name may
have been another when it was sent, for recordings get renamed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.remote import StoredFile

NAME_DIGITS = 16
"""Of the sha256, in front of a name: files of other bytes never begin alike."""


def content(name: str) -> str:
    """The part of a name that tells the content."""
    return name[:NAME_DIGITS]


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
        """The wanted files that are there, by their wanted names; of several copies the one that was listed first."""
        return {name: copies[0] for name, copies in self._copies().items()}

    @property
    def missing(self) -> list[str]:
        """The names that are not there."""
        there = self.there
        return [name for name in self.wanted if name not in there]

    @property
    def doubles(self) -> dict[str, list[StoredFile]]:
        """The wanted names whose content is there more than once, with the copies beyond the first."""
        return {name: copies[1:] for name, copies in self._copies().items() if len(copies) > 1}

    @property
    def damaged(self) -> list[StoredFile]:
        """Files that begin like a wanted one and are of another size: what a provider kept of something broken off."""
        sizes = {content(name): bytes_ for name, bytes_ in self.wanted.items()}
        return [f for f in self.files.values() if sizes.get(content(f.name), f.bytes) != f.bytes]

    @property
    def foreign(self) -> list[StoredFile]:
        """Files whose content nobody wants there."""
        wanted = {content(name) for name in self.wanted}
        return [file for file in self.files.values() if content(file.name) not in wanted]

    @property
    def exact(self) -> bool:
        """Whether everything that is wanted lies there once, and nothing else."""
        return not (self.missing or self.doubles or self.damaged or self.foreign)

    def _copies(self) -> dict[str, list[StoredFile]]:
        """The files of each wanted name that is there, as they were listed."""
        names = {(content(name), bytes_): name for name, bytes_ in self.wanted.items()}
        found: dict[str, list[StoredFile]] = {}
        for file in self.files.values():
            name = names.get((content(file.name), file.bytes))
            if name is not None:
                found.setdefault(name, []).append(file)
        return found
