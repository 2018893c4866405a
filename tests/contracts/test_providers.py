"""Every provider sends what was cleared and nothing else, keeps nothing that was broken off, and hides its keys."""

import contextlib
import hashlib
import pickle
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
if str(TESTS) not in sys.path:
    sys.path.insert(0, str(TESTS))

from sandbox.server import Double  # noqa: E402 - found by the lines above

from pipeline import providers  # noqa: E402
from pipeline.config import load, shipped_profiles  # noqa: E402
from pipeline.errors import ApprovedChanged, ProviderError, UsageError  # noqa: E402
from pipeline.formats import FORMATS  # noqa: E402
from pipeline.patience import Patience  # noqa: E402
from pipeline.remote import Cleared, Dataset  # noqa: E402
from pipeline.storage.approved import ApprovedFile  # noqa: E402

PATIENCE = Patience(tries=2, pause_s=0.01, settle_s=0.1, connect_s=1.0, answer_s=1.0)
KEY = "sk_car_contract_0123456789"

each_provider = pytest.mark.parametrize("name", providers.names())


@pytest.fixture
def place(name, tmp_path):
    """`place(environ)`: a provider, and the name of a dataset that it can make."""
    with Double() as double:
        environ = {"CARTESIA_BASE_URL": double.url, "CARTESIA_API_KEY": KEY}
        made = providers.provider(name, environ, PATIENCE)
        yield made, str(tmp_path / "staged")
        made.close()


@pytest.fixture
def cleared(tmp_path):
    """`cleared(content, name)`: a file on the disk, as the gate would let it through."""

    def make(content=b"RIFF" + bytes(200_000), name="0123456789abcdef-take.wav"):
        path = tmp_path / f"source-{name}"
        path.write_bytes(content)
        return Cleared((name,), str(path), hashlib.sha256(content).hexdigest(), len(content), "audio/wav", 1.0, name)

    return make


def body(cleared):
    return ApprovedFile(cleared.path, cleared.sha256, cleared.bytes)


def listed(provider, dataset):
    return [(file.name, file.bytes) for file in provider.files(dataset.id)]


@each_provider
def test_its_facts_tell_their_source_and_day(name):
    facts = providers.facts(name)
    assert facts.name == name
    assert facts.source
    assert facts.checked.count("-") == 2
    assert set(facts.formats) <= {row.name for row in FORMATS}


@each_provider
def test_some_profile_approves_for_it(name):
    facts = providers.facts(name)
    approving = [p for p in map(load, shipped_profiles()) if facts.uses is None or p.profile.provider == name]
    assert any(facts.uses is None or profile.profile.use in facts.uses for profile in approving)


@each_provider
def test_what_was_cleared_lies_there_under_its_name(place, cleared):
    provider, where = place
    dataset = provider.create_dataset(where, "three files")
    wanted = [cleared(bytes([n]) * (1000 * n + 1), f"{n:016x}-take.wav") for n in range(3)]
    for each in wanted:
        provider.send(dataset.id, each, body(each))
    assert sorted(listed(provider, dataset)) == [(each.name, each.bytes) for each in wanted]


@each_provider
def test_what_is_not_what_was_cleared_is_not_kept(place, cleared):
    provider, where = place
    dataset = provider.create_dataset(where, "")
    each = cleared()
    for content in (b"x" * each.bytes, b"RIFF", bytes(each.bytes + 1), b""):
        Path(each.path).write_bytes(content)
        with pytest.raises(ApprovedChanged):
            provider.send(dataset.id, each, body(each))
    assert listed(provider, dataset) == []


@each_provider
def test_a_file_can_be_taken_out_and_taken_out_again(place, cleared):
    provider, where = place
    dataset = provider.create_dataset(where, "")
    each = cleared()
    provider.send(dataset.id, each, body(each))
    (file,) = provider.files(dataset.id)
    provider.delete_file(dataset.id, file.id)
    assert listed(provider, dataset) == []
    provider.delete_file(dataset.id, file.id)


@each_provider
def test_a_dataset_is_found_renamed_and_deleted(place):
    provider, where = place
    made = provider.create_dataset(where, "first")
    assert provider.dataset(made.id) == Dataset(made.id, where, "first")
    provider.change_dataset(Dataset(made.id, "another", "second"))
    assert provider.dataset(made.id) == Dataset(made.id, "another", "second")
    provider.delete_dataset(made.id)
    assert provider.dataset(made.id) is None


@each_provider
def test_a_dataset_that_is_not_there_is_none_and_has_no_files(place, tmp_path):
    provider, _ = place
    missing = str(tmp_path / "nowhere") if provider.facts.api is None else "ds_nowhere"
    assert provider.dataset(missing) is None
    with pytest.raises(ProviderError):
        list(provider.files(missing))


@each_provider
def test_many_files_are_listed_each_once(place, cleared):
    provider, where = place
    dataset = provider.create_dataset(where, "")
    for number in range(205):
        each = cleared(b"RIFF", f"{number:016x}-take.wav")
        provider.send(dataset.id, each, body(each))
    assert len(set(listed(provider, dataset))) == len(listed(provider, dataset)) == 205


@each_provider
@pytest.mark.parametrize("name_", ["", "  ", "a\nb", "a\udcff", "x\x00"])
def test_what_is_no_name_is_refused_before_anything_is_asked(place, name_):
    with pytest.raises(UsageError):
        place[0].named(name_)


def test_a_folder_s_address_holds_no_secret_and_no_pattern():
    folder = providers.provider("folder", {}, PATIENCE)
    for url in (
        "ftp://me:hunter2@example.org/x",
        "ftp://hunter2@example.org/x",
        "simplecache::ftp://me:hunter2@example.org/x",
        "memory://bucket/x?sig=hunter2",
        "memory:///a*b/x",
        "ftp://[::1/x",
        "nothing://x",
    ):
        with pytest.raises(UsageError) as caught:
            folder.named(url)
        assert "hunter2" not in str(caught.value)


def test_a_folder_may_lie_wherever_fsspec_reaches(cleared):
    folder = providers.provider("folder", {}, PATIENCE)
    dataset = folder.create_dataset("memory://staged/set", "elsewhere")
    each = cleared()
    folder.send(dataset.id, each, body(each))
    assert listed(folder, dataset) == [(each.name, each.bytes)]
    assert folder.dataset("memory://staged/set").description == "elsewhere"
    folder.delete_dataset(dataset.id)
    assert folder.dataset("memory://staged/set") is None


def test_a_file_system_s_own_errors_are_told_as_the_provider_s(tmp_path):
    folder = providers.provider("folder", {}, PATIENCE)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ProviderError):
        folder.create_dataset(str(tmp_path / "file" / "inner"), "")


@each_provider
def test_a_receipt_beside_the_files_is_none_of_them(place):
    provider, where = place
    dataset = provider.create_dataset(where, "")
    provider.keep_receipt(dataset.id, "{}")
    assert listed(provider, dataset) == []


@each_provider
@pytest.mark.parametrize("id_", ["../..", "a/b", "", "..", "x?y=1", "x#y", "x y", "é"])
def test_an_id_that_leads_elsewhere_is_no_file(place, id_):
    provider, where = place
    dataset = provider.create_dataset(where, "")
    before = sorted(Path(where).parent.rglob("*"))
    with contextlib.suppress(ProviderError, UsageError):
        provider.delete_file(dataset.id, id_)
    assert sorted(Path(where).parent.rglob("*")) == before


@each_provider
def test_it_does_not_show_its_key(name, place):
    provider, _ = place
    assert KEY not in repr(provider)
    assert KEY not in repr(vars(provider))


def test_a_provider_without_its_key_says_which_variable_it_wants():
    with pytest.raises(UsageError, match="CARTESIA_API_KEY"):
        providers.provider("cartesia", {}, PATIENCE)


def test_an_unknown_provider_is_told_with_the_known_ones():
    with pytest.raises(UsageError, match="cartesia, folder"):
        providers.facts("cartesian")


def test_what_the_gate_clears_can_be_handed_to_another_process(cleared):
    each = cleared()
    assert pickle.loads(pickle.dumps(each)) == each
