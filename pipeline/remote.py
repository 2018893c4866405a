"""The nouns of the way to a provider: what the gate cleared, what lies there, what is trained, and the receipt.

Like `records`, frozen and comparable by value; this module imports nothing of ours but those.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.records import Absence, Relaxed

MANIFEST_SCHEMA = "voxgate.manifest/1"
RECEIPT_SCHEMA = "voxgate.receipt/1"


@dataclass(frozen=True, slots=True)
class Cleared:
    """Bytes that the gate let through, made by it alone and the only thing that a provider is given to send.

    `ids` are the clips that have these bytes, `name` is the name under which they are sent: ASCII, and of no other bytes.
    """

    ids: tuple[str, ...]
    path: str
    sha256: str
    bytes: int
    media_type: str
    decoded_s: float
    name: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """A collection of files at a provider."""

    id: str
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that lies in a dataset, by the provider's own listing."""

    id: str
    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be trained: a model of that language, on that dataset, on that base model."""

    name: str
    description: str
    language: str
    model: str
    dataset: str


@dataclass(frozen=True, slots=True)
class Training:
    """A fine-tune at a provider; `status` is the provider's own word, and may be one that nobody knows yet."""

    id: str
    order: Order
    status: str


@dataclass(frozen=True, slots=True)
class TrainedVoice:
    """A voice that a training made."""

    id: str
    name: str
    language: str


@dataclass(frozen=True, slots=True)
class ApiFacts:
    """How a provider's HTTP interface is reached: addresses, names of environment variables, never a key."""

    base_url: str
    base_url_variable: str
    key_variable: str
    version: str
    purpose: str
    page_items: int
    uploads_at_once: int


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """What a training costs and how long it takes, and which of the provider's words mean that it is over."""

    credits: int
    hours: float
    voices: int
    model: str
    poll_s: float
    done: str
    failed: str
    on_failure: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a provider, with where and on which day it was read; `None` where nothing is documented.

    `uses` are the uses, named by profiles, that its datasets serve; `None`: any profile's, whoever that is for.
    """

    name: str
    about: str
    source: str
    checked: str
    formats: tuple[str, ...]
    uses: tuple[str, ...] | None = None
    max_bytes: int | None = None
    min_s: float | None = None
    max_s: float | None = None
    api: ApiFacts | None = None
    training: TrainingFacts | None = None


class Body(Protocol):
    """What a file is read from while it is sent."""

    def chunks(self) -> Iterator[bytes]:
        """All of it from the start; what it raises instead of ending makes it no file at all."""
        ...


class Provider(Protocol):
    """Whom files are handed to. Every call may raise ProviderError; what does not read is asked for once.

    `where` is the address: what a ledger says of a sandbox is nothing about a provider.
    """

    facts: Facts
    where: str

    def datasets(self) -> Iterator[Dataset]:
        """All datasets of the account."""
        ...

    def dataset(self, id_: str) -> Dataset | None:
        """One dataset; `None` where there is none of that id."""
        ...

    def named(self, name: str) -> str:
        """How a dataset of that name is called there. Raises UsageError for what is no name."""
        ...

    def datasets_named(self, name: str) -> Iterator[Dataset]:
        """The datasets of that name, whoever made them."""
        ...

    def create_dataset(self, name: str, description: str) -> Dataset:
        """Make a dataset. Raises InDoubt where it may have been made."""
        ...

    def change_dataset(self, dataset: Dataset) -> None:
        """Give a dataset another name and description."""
        ...

    def delete_dataset(self, id_: str) -> None:
        """Delete a dataset with what is in it."""
        ...

    def files(self, dataset_id: str) -> Iterator[StoredFile]:
        """All files of a dataset."""
        ...

    def send(self, dataset_id: str, cleared: Cleared, body: Body) -> None:
        """Store what `body` gives. What it raises ends the request so that nothing is stored."""
        ...

    def delete_file(self, dataset_id: str, file_id: str) -> None:
        """Take a file out of a dataset."""
        ...

    def keep_receipt(self, dataset_id: str, text: str) -> None:
        """Put a receipt beside the files, where there is room for such a thing."""
        ...

    def close(self) -> None:
        """Let go of connections; nothing is asked of it afterwards."""
        ...


class Trainer(Provider, Protocol):
    """A provider that also makes voices of a dataset."""

    def trainings(self) -> Iterator[Training]:
        """All trainings of the account."""
        ...

    def training(self, id_: str) -> Training | None:
        """One training; `None` where there is none of that id."""
        ...

    def train(self, order: Order) -> Training:
        """Begin a training. Raises InDoubt where it may have been begun."""
        ...

    def delete_training(self, id_: str) -> None:
        """Delete a training."""
        ...

    def voices(self, training_id: str) -> Iterator[TrainedVoice]:
        """The voices that a training made; none before it is done."""
        ...


@dataclass(frozen=True, slots=True)
class Consent:
    """What the speaker agreed to, in the words of the one who uploads, and when that was stated (ISO 8601, UTC)."""

    text: str
    at: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """An approved file that lies in the dataset, with the id that it has there."""

    remote_id: str
    cleared: Cleared


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was delivered, where, and on whose word. `foreign` lies in the dataset too and is not the manifest's."""

    provider: str
    where: str
    dataset: Dataset
    manifest_sha256: str
    consent: Consent
    delivered: tuple[Delivered, ...]
    foreign: tuple[StoredFile, ...] = ()
    not_examined: tuple[Absence, ...] = ()
    relaxed: tuple[Relaxed, ...] = ()
    sent: int = 0
    version: str = ""


@dataclass(frozen=True, slots=True)
class Onlooker:
    """Who is told how an upload goes: hashing and sending in bytes (less than none where some go again), and news in words."""

    begin: Callable[[str, int], None] = field(default=lambda _what, _bytes: None)
    advance: Callable[[int], None] = field(default=lambda _bytes: None)
    say: Callable[[str], None] = field(default=lambda _told: None)
