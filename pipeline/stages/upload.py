"""Upload: every cleared file into the dataset, exactly once, whatever the network does.

No answer is believed, for a lost one and a misunderstood one look alike: what counts is that the dataset's listing shows the
file. After any doubt the listing is looked at before anything is sent again. The ledger is written before and after each step.
Kept: a listing of the dataset, and a megabyte for each file that is on its way.
"""

import queue
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.errors import ApprovedChanged, Declined, InDoubt, ProviderError
from pipeline.inventory import Inventory, content
from pipeline.ledger import Ledger
from pipeline.patience import Patience
from pipeline.remote import Cleared, Dataset, Onlooker, Provider
from pipeline.storage.approved import ApprovedFile
from pipeline.words import count

THIS_FILE = frozenset({400, 406, 411, 413, 415, 422})
"""Answers that speak of the one file; any other no is about all of them."""

LOOKS = 1
"""A listing that lacks what was sent long ago is looked at once more before that is believed."""

AT_LAST_S = 0.5
"""How long running senders are waited for when an upload is broken off."""

STALLED = 2
"""So many failures in a row for each file at once, and the wave is over: the other side needs a pause."""


class Stopped(Exception):
    """Raised inside a sender when the upload as a whole is at its end."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of sending a file: `None` where it was answered well, else what went wrong. `whole`: all of it went out."""

    cleared: Cleared
    error: Exception | None
    whole: bool


class Upload:
    """Brings files into one dataset.

    `inventory` is what was seen of it last, `None` before anything was; `why` what went wrong last with a file, by its name.
    """

    def __init__(
        self, provider: Provider, dataset: Dataset, ledger: Ledger, patience: Patience, onlooker: Onlooker
    ) -> None:
        self.provider, self._dataset, self._ledger = provider, dataset, ledger
        self._patience, self.onlooker = patience, onlooker
        self._stop = threading.Event()
        self._declined: set[str] = set()
        self.inventory: Inventory | None = None
        self.why: dict[str, str] = {}

    def run(self, cleared: Sequence[Cleared], at_once: int) -> int:
        """Send what is missing until the listing shows everything once; how many files came there by that.

        Raises ApprovedChanged for a file that is another now, OutputError for the ledger, ProviderError where it cannot end.
        """
        wanted = {each.name: each.bytes for each in cleared}
        inventory = self._looked(wanted, self._expected())
        before, fewest = len(inventory.there), len(inventory.missing)
        idle, sent = 0, list[Sent]()
        left_bytes = sum(each.bytes for each in self._sendable(cleared, inventory))
        if left_bytes:
            self.onlooker.begin("uploading", left_bytes)
        while (missing := self._sendable(cleared, inventory)) and idle < self._patience.tries:
            if idle or sent:
                self._patience.pause(max(idle - 1, 0), _asked_for_s(sent))
            sent = self._wave(missing, at_once)
            self._raise_what_is_ours(sent)
            seen = dict.fromkeys(inventory.there, False)
            inventory = self._looked(wanted, seen | {s.cleared.name: True for s in sent if s.whole})
            idle = 0 if len(inventory.missing) < fewest else idle + 1  # a listing may show less than one before
            fewest = min(fewest, len(inventory.missing))
            self._raise_what_ends(sent)
        inventory = self._without_doubles(inventory)
        if inventory.missing:
            raise ProviderError(f"{count(len(inventory.missing), 'file')} did not get there")
        return len(inventory.there) - before

    def _expected(self) -> dict[str, bool]:
        """Names that should show, for they were sent earlier and not known to be broken off or taken out.

        True: so lately that they may still be on their way.
        """
        entries = self._ledger.entries("sending", "answered", "broken", "stored", "removed", dataset=self._dataset.id)
        last = {str(entry.facts["name"]): entry for entry in entries}
        return {
            name: entry.age_s < self._patience.settle_s
            for name, entry in last.items()
            if entry.step not in ("broken", "removed")
        }

    def _looked(self, wanted: Mapping[str, int], expected: Mapping[str, bool], looks: int = 1) -> Inventory:
        """What lies there; looked at again as long as something that may be on its way does not show."""
        contents = {content(name): name for name in wanted}
        hoped: dict[str, bool] = {}
        for old, fresh in expected.items():
            name = contents.get(content(old))
            if name is not None:
                hoped[name] = fresh or hoped.get(name, False)
        found = Inventory({}, wanted)
        for look, _ in enumerate(self._patience.settling(), 1):
            found = Inventory.of(self.provider.files(self._dataset.id), wanted).joined(found)
            there = found.there
            unseen = [name for name in hoped if name not in there]
            if look >= looks and not unseen:
                break
            if look > LOOKS and not any(hoped[name] for name in unseen):
                break
            if look == LOOKS and unseen:
                self.onlooker.say(f"looking again for {count(len(unseen), 'file')} that may have arrived")
        self.inventory = found
        self._refuse_damaged(found)
        self._note_stored(found)
        return found

    def _refuse_damaged(self, found: Inventory) -> None:
        for broken in found.damaged:
            raise ProviderError(
                f"{broken.name} lies in {self._dataset.id} with {broken.bytes} bytes, which are not the approved ones; take it out"
                f" with `{self._removal(broken.id)}` and run again"
            )

    def _removal(self, file_id: str) -> str:
        return f"voxgate datasets remove {self._dataset.id} {file_id} --to {self.provider.facts.name} --yes"

    def _note_stored(self, found: Inventory) -> None:
        known = {str(entry.facts["id"]) for entry in self._ledger.entries("stored", dataset=self._dataset.id)}
        for name, file in found.there.items():
            if file.id not in known:
                self._ledger.write("stored", dataset=self._dataset.id, name=name, id=file.id)

    def _sendable(self, cleared: Sequence[Cleared], inventory: Inventory) -> list[Cleared]:
        missing = set(inventory.missing) - self._declined
        return [each for each in cleared if each.name in missing]

    def _wave(self, missing: Sequence[Cleared], at_once: int) -> list[Sent]:
        """Send each file once, several at a time, and gather what came of it. Threads end with the process, if it must be."""
        todo: queue.SimpleQueue[Cleared] = queue.SimpleQueue()
        done: queue.SimpleQueue[Sent | None] = queue.SimpleQueue()
        for each in missing:
            todo.put(each)
        workers = min(at_once, len(missing))
        threads = [threading.Thread(target=self._work, args=(todo, done), daemon=True) for _ in range(workers)]
        for thread in threads:
            thread.start()
        results, failures, running = [], 0, workers
        try:
            while running:
                result = done.get()
                if result is None:
                    running -= 1
                    continue
                results.append(result)
                if result.error is not None and not isinstance(result.error, Stopped):
                    self.why[result.cleared.name] = str(result.error)
                failures = 0 if result.error is None else failures + 1
                if failures >= STALLED * at_once or (
                    result.error is not None and not isinstance(result.error, InDoubt)
                ):
                    _emptied(todo)
                if _ends(result):
                    self._stop.set()
        except BaseException:
            self._stop.set()
            for thread in threads:  # one that waits for an answer is left behind
                thread.join(AT_LAST_S / workers)
            raise
        return results

    def _work(self, todo: "queue.SimpleQueue[Cleared]", done: "queue.SimpleQueue[Sent | None]") -> None:
        try:
            while not self._stop.is_set():
                done.put(self._send(todo.get_nowait()))
        except queue.Empty:
            pass
        finally:
            done.put(None)

    def _send(self, cleared: Cleared) -> Sent:
        body = ApprovedFile(cleared.path, cleared.sha256, cleared.bytes, self._told)
        error = self._tried(cleared, body)
        body.close()
        whole = body.given_whole and not isinstance(error, (ApprovedChanged, Declined))
        if error is not None:
            self.onlooker.advance(-body.given_bytes)
        return Sent(cleared, error, whole)

    def _tried(self, cleared: Cleared, body: ApprovedFile) -> Exception | None:
        """Send a file; what went wrong comes back, for another thread waits for it."""
        facts = {"dataset": self._dataset.id, "name": cleared.name}
        try:
            self._ledger.write("sending", **facts, sha256=cleared.sha256, bytes=cleared.bytes)
            try:
                self.provider.send(self._dataset.id, cleared, body)
            except Exception as error:
                if not body.given_whole or isinstance(error, (ApprovedChanged, Declined)):
                    self._ledger.write("broken", **facts, why=str(error) or "broken off")
                raise
            self._ledger.write("answered", **facts)
        except Exception as error:  # noqa: BLE001 - carried to the thread that waits, and raised there
            return error
        return None

    def _told(self, bytes_: int) -> None:
        if self._stop.is_set():
            raise Stopped
        self.onlooker.advance(bytes_)

    def _raise_what_is_ours(self, sent: Sequence[Sent]) -> None:
        """Raise what is no failure of the provider's: a file that changed, a ledger that cannot be written, a bug."""
        for result in sent:
            if result.error is not None and not isinstance(result.error, (ProviderError, Stopped)):
                raise result.error

    def _raise_what_ends(self, sent: Sequence[Sent]) -> None:
        """Raise what makes going on useless; a no to single files is kept for the end."""
        for result in sent:
            if isinstance(result.error, Declined) and result.error.status in THIS_FILE:
                self._declined.add(result.cleared.name)
        for result in sent:
            if result.error is not None and _ends(result):
                raise result.error

    def _without_doubles(self, inventory: Inventory) -> Inventory:
        """Take out copies that came of our own sending twice. Raises ProviderError for those that are somebody else's."""
        times = Counter(
            content(str(entry.facts["name"])) for entry in self._ledger.entries("sending", dataset=self._dataset.id)
        )
        if any(times[content(name)] > 1 for name in inventory.wanted):  # one listing may have lacked the other copy
            inventory = self._looked(inventory.wanted, {}, looks=2)
        removed: set[str] = set()
        for attempt in range(self._patience.tries):
            left = {id_: file for id_, file in inventory.files.items() if id_ not in removed}  # a listing may lag
            doubles = Inventory(left, inventory.wanted).doubles
            if not doubles:
                return inventory
            for name, surplus in doubles.items():
                if times[content(name)] <= len(surplus):
                    raise ProviderError(
                        f"{name} lies in {self._dataset.id} {len(surplus) + 1} times and was sent from here "
                        f"{times[content(name)]} times; take one out with `{self._removal(surplus[0].id)}`"
                    )
                removed.update(file.id for file in surplus if self._removed(name, file.id))
            if attempt:
                self._patience.pause(attempt - 1)
            inventory = self._looked(inventory.wanted, dict.fromkeys(doubles, False))
        raise ProviderError(f"{self._dataset.id} holds files twice that cannot be taken out; run again later")

    def _removed(self, name: str, file_id: str) -> bool:
        try:
            self.provider.delete_file(self._dataset.id, file_id)
        except InDoubt:
            return False  # the next listing shows it
        self._ledger.write("removed", dataset=self._dataset.id, name=name, id=file_id)
        self.onlooker.say(f"{name} had arrived twice; one copy was taken out")
        return True


def unfinished(ledger: Ledger, work: Upload | None, cleared: Sequence[Cleared], error: ProviderError) -> ProviderError:
    """The same failure with the files that were not seen in the dataset, each with what came of it last."""
    seen = set() if work is None or work.inventory is None else set(work.inventory.there)
    missing = [each for each in cleared if each.name not in seen]
    told = f"{error}; {count(len(missing), 'file')} of {len(cleared)} not known to be there, run again to go on"
    why = {str(e.facts["name"]): str(e.facts.get("why")) for e in ledger.entries("broken")}
    why |= {} if work is None else work.why
    listed = [f"  - {each.ids[0]}{': ' if each.name in why else ''}{why.get(each.name, '')}" for each in missing]
    return ProviderError("\n".join([f"{told}:" if missing else told, *listed]))


def _asked_for_s(sent: Sequence[Sent]) -> float | None:
    """The longest that the provider wanted to be left in peace."""
    return max((r.error.retry_after_s or 0.0 for r in sent if isinstance(r.error, InDoubt)), default=None)


def _ends(result: Sent) -> bool:
    """Whether what came of one file makes it useless to go on with the others."""
    error = result.error
    if error is None or isinstance(error, (InDoubt, Stopped)):
        return False
    return not (isinstance(error, Declined) and error.status in THIS_FILE)


def _emptied(todo: "queue.SimpleQueue[Cleared]") -> None:
    while True:
        try:
            todo.get_nowait()
        except queue.Empty:
            return
