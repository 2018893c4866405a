"""Cartesia: datasets, their files, fine-tunes and the voices of a fine-tune, over its HTTP interface.

An upload is answered without an id, so that a listing is the only proof that a file lies there. Listings are asked on until a
page is empty: `has_more` is not relied on. Unknown fields and unknown words are let pass.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.errors import Declined, ProviderError, UsageError
from pipeline.http import Api, Part, Secret, origin
from pipeline.patience import Patience
from pipeline.remote import ApiFacts, Body, Cleared, Dataset, Facts, Order, StoredFile, TrainedVoice, Training

SAME_PAGE = 3
"""How often a page that brings nothing new is asked for again before that is taken for the answer."""

NONE_SUCH = (404, 410)


class Cartesia:
    """An account at Cartesia, by its key. Safe to use from several threads."""

    def __init__(self, facts: Facts, api: ApiFacts, environ: Mapping[str, str], patience: Patience) -> None:
        self.facts = facts
        self._known = api
        self.where = origin(environ.get(api.base_url_variable) or api.base_url, api.base_url_variable)
        key = Secret.given(api.key_variable, environ)
        self._api = Api(self.where, key, {"Cartesia-Version": api.version}, patience)

    def datasets(self) -> Iterator[Dataset]:
        """All datasets of the account."""
        return map(_dataset, self._pages("/datasets/"))

    def dataset(self, id_: str) -> Dataset | None:
        """One dataset; `None` where there is none of that id."""
        found = self._one(f"/datasets/{_segment(id_)}")
        return None if found is None else _dataset(found)

    def named(self, name: str) -> str:
        """The name without blanks around it. Raises UsageError where nothing is left, or what no text holds."""
        if not name.strip() or not name.isprintable():
            raise UsageError("a dataset needs a name, in characters that can be printed")
        return name.strip()

    def datasets_named(self, name: str) -> Iterator[Dataset]:
        """The datasets of that name, whoever made them."""
        return (dataset for dataset in self.datasets() if dataset.name == name)

    def create_dataset(self, name: str, description: str) -> Dataset:
        """Make a dataset. Raises InDoubt where it may have been made."""
        return _dataset(self._api.tell("POST", "/datasets/", {"name": name, "description": description}))

    def change_dataset(self, dataset: Dataset) -> None:
        """Give a dataset another name and description; the interface wants both."""
        document = {"name": dataset.name, "description": dataset.description}
        self._api.tell("PATCH", f"/datasets/{_segment(dataset.id)}", document)

    def delete_dataset(self, id_: str) -> None:
        """Delete a dataset with what is in it; one that is gone already is as good."""
        self._deleted(f"/datasets/{_segment(id_)}")

    def files(self, dataset_id: str) -> Iterator[StoredFile]:
        """All files of a dataset."""
        return map(_file, self._pages(f"/datasets/{_segment(dataset_id)}/files"))

    def send(self, dataset_id: str, cleared: Cleared, body: Body) -> None:
        """Upload one file. What `body` raises breaks the request off before its closing boundary."""
        path = f"/datasets/{_segment(dataset_id)}/files"
        fields = {"purpose": self._known.purpose}
        self._api.upload(path, fields, Part(cleared.name, cleared.media_type, body, cleared.bytes))

    def delete_file(self, dataset_id: str, file_id: str) -> None:
        """Take a file out of a dataset; one that is gone already is as good."""
        self._deleted(f"/datasets/{_segment(dataset_id)}/files/{_segment(file_id)}")

    def keep_receipt(self, dataset_id: str, text: str) -> None:
        """Do nothing: a dataset takes audio alone."""

    def close(self) -> None:
        """Let go of connections."""
        self._api.close()

    def trainings(self) -> Iterator[Training]:
        """All fine-tunes of the account."""
        return map(_training, self._pages("/fine-tunes/"))

    def training(self, id_: str) -> Training | None:
        """One fine-tune; `None` where there is none of that id."""
        found = self._one(f"/fine-tunes/{_segment(id_)}")
        return None if found is None else _training(found)

    def train(self, order: Order) -> Training:
        """Begin a fine-tune; creating it starts it. Raises InDoubt where it may have been created."""
        document = {
            "name": order.name,
            "description": order.description,
            "language": order.language,
            "model_id": order.model,
            "dataset": order.dataset,
        }
        return _training(self._api.tell("POST", "/fine-tunes/", document))

    def delete_training(self, id_: str) -> None:
        """Delete a fine-tune; what becomes of its voices is not documented."""
        self._deleted(f"/fine-tunes/{_segment(id_)}")

    def voices(self, training_id: str) -> Iterator[TrainedVoice]:
        """The voices that a fine-tune made; none before it is done."""
        return map(_voice, self._pages(f"/fine-tunes/{_segment(training_id)}/voices"))

    def _one(self, path: str) -> dict[str, Any] | None:
        try:
            return self._api.ask(path)
        except Declined as no:
            if no.status in NONE_SUCH:
                return None
            raise

    def _deleted(self, path: str) -> None:
        try:
            self._api.tell("DELETE", path)
        except Declined as no:
            if no.status not in NONE_SUCH:
                raise

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        """The items of a listing, each once. Keeps the ids seen. Raises ProviderError where pages go in a circle."""
        seen: set[str] = set()
        last, stale = None, 0
        while True:
            page = self._api.ask(path, limit=self._known.page_items, starting_after=last)
            items = page.get("data")
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise ProviderError(f"{path} was answered without a list; run again later")
            if not items:
                return
            new = {id_: item for item in items if (id_ := _text(item, "id")) not in seen}
            if not new:
                stale += 1
                if stale < SAME_PAGE:
                    continue
                if page.get("has_more"):
                    raise ProviderError(f"{path} gives the same page again and again; run again later")
                return
            stale = 0
            yield from new.values()
            seen.update(new)
            last = _text(items[-1], "id")


def _segment(id_: str) -> str:
    """An id as part of a path. Raises UsageError for one that would lead elsewhere."""
    if not id_ or not all(c.isalnum() or c in "-_." for c in id_) or not id_.isascii() or set(id_) == {"."}:
        raise UsageError(f"{id_!r} is no id; `voxgate datasets list` shows them")
    return id_


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise ProviderError(f"the answer lacks {name}; the interface may have changed")
    return value


def _dataset(document: Mapping[str, Any]) -> Dataset:
    return Dataset(_text(document, "id"), _text(document, "name"), str(document.get("description") or ""))


def _file(document: Mapping[str, Any]) -> StoredFile:
    size = document.get("size")
    if isinstance(size, bool) or not isinstance(size, int):
        raise ProviderError("the listing lacks a file's size; the interface may have changed")
    return StoredFile(_text(document, "id"), _text(document, "filename"), size)


def _training(document: Mapping[str, Any]) -> Training:
    order = Order(
        name=_text(document, "name"),
        description=str(document.get("description") or ""),
        language=str(document.get("language") or ""),
        model=str(document.get("model_id") or ""),
        dataset=str(document.get("dataset") or ""),
    )
    return Training(_text(document, "id"), order, _text(document, "status"))


def _voice(document: Mapping[str, Any]) -> TrainedVoice:
    return TrainedVoice(_text(document, "id"), _text(document, "name"), str(document.get("language") or ""))


def provider(facts: Facts, environ: Mapping[str, str], patience: Patience) -> Cartesia:
    """An account at Cartesia. Raises UsageError where the key is missing or the base URL is none."""
    assert facts.api is not None
    return Cartesia(facts, facts.api, environ, patience)
