"""The double is what the vendor's own SDK takes it for, keeps to the contract, and our client reads the same from it."""

import time
from pathlib import Path

import cartesia
import httpx
import jsonschema
import pytest
import yaml
from terms import KEY, PATIENCE

from pipeline import providers

CONTRACT = Path(__file__).parents[3] / "shared" / "reference" / "cartesia_openapi.yaml"
VERSIONS = ("2025-04-16", "2025-11-04", "2026-03-01", "2026-08-14")


@pytest.fixture
def sdk(double):
    with cartesia.Cartesia(api_key=KEY, base_url=double.url, max_retries=0) as client:
        yield client


def trained(sdk, double):
    dataset = sdk.datasets.create(name="n", description="d")
    order = {"name": "f", "description": "", "language": "en", "model_id": "sonic-3-2026-01-12", "dataset": dataset.id}
    fine_tune = sdk.fine_tunes.create(**order)
    time.sleep(double.account.training_s + 0.05)
    return fine_tune


def test_the_vendor_s_sdk_goes_all_the_way(sdk, double):
    assert sdk.get_status().ok
    dataset = sdk.datasets.create(name="narrator", description="three files")
    for number in range(3):
        content = ("café take.wav" if number == 0 else f"{number}.wav", bytes(100 * number), "audio/wav")
        sdk.datasets.files.upload(dataset.id, file=content, purpose="fine_tune")
    files = list(sdk.datasets.files.list(dataset.id, limit=2))
    assert [(f.filename, f.size) for f in files] == [("café take.wav", 0), ("1.wav", 100), ("2.wav", 200)]
    sdk.datasets.update(dataset.id, name="other", description="changed")
    assert sdk.datasets.retrieve(dataset.id).name == "other"
    assert [d.id for d in sdk.datasets.list()] == [dataset.id]
    fine_tune = trained(sdk, double)
    assert sdk.fine_tunes.retrieve(fine_tune.id).status == "completed"
    assert len(list(sdk.fine_tunes.list_voices(fine_tune.id))) == len(list(sdk.voices.list())) == 4
    sdk.datasets.files.delete(files[0].id, id=dataset.id)
    sdk.fine_tunes.delete(fine_tune.id)
    sdk.datasets.delete(dataset.id)
    assert dataset.id not in {d.id for d in sdk.datasets.list()}


def test_the_vendor_s_sdk_and_our_client_read_the_same(sdk, double, environ):
    provider = providers.provider("cartesia", environ, PATIENCE)
    fine_tune = trained(sdk, double)
    ours = provider.training(fine_tune.id)
    assert (ours.status, ours.order.model, ours.order.dataset) == ("completed", "sonic-3-2026-01-12", fine_tune.dataset)
    assert [v.id for v in provider.voices(fine_tune.id)] == [v.id for v in sdk.fine_tunes.list_voices(fine_tune.id)]
    assert [t.id for t in provider.trainings()] == [t.id for t in sdk.fine_tunes.list()]
    provider.delete_training(fine_tune.id)
    provider.delete_training(fine_tune.id)
    assert provider.training(fine_tune.id) is None
    made = provider.create_dataset("from here", "ours")
    assert sdk.datasets.retrieve(made.id).description == "ours"
    provider.close()


def test_the_sdk_s_errors_are_those_of_the_contract(sdk, double):
    with pytest.raises(cartesia.NotFoundError):
        sdk.datasets.retrieve("ds_nowhere")
    with pytest.raises(cartesia.AuthenticationError), cartesia.Cartesia(api_key="other", base_url=double.url) as wrong:
        wrong.datasets.list()
    double.faults.plan("read", "status before")
    double.faults.choice = lambda options: 429 if 429 in options else options[0]
    dataset = sdk.datasets.create(name="n", description="d")
    with pytest.raises(cartesia.RateLimitError):
        sdk.datasets.retrieve(dataset.id)


def test_the_sdk_takes_a_followed_301_for_a_success_and_nothing_is_stored(sdk, double):
    """Why our client does not follow it."""
    dataset = sdk.datasets.create(name="n", description="d")
    double.faults.plan("upload", "redirect away")
    double.faults.choice = lambda options: options[0]
    sdk.datasets.files.upload(dataset.id, file=("a.wav", b"RIFF", "audio/wav"), purpose="fine_tune")
    assert list(sdk.datasets.files.list(dataset.id)) == []


@pytest.mark.parametrize(("version", "kind"), [(VERSIONS[0], "text/plain"), (VERSIONS[2], "application/json")])
def test_errors_are_text_before_and_json_since_2026_03_01(double, version, kind):
    headers = {"Authorization": f"Bearer {KEY}", "Cartesia-Version": version}
    answer = httpx.get(f"{double.url}/datasets/nowhere", headers=headers, trust_env=False)
    assert (answer.status_code, answer.headers["content-type"]) == (404, kind)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_it_answers_has_the_contract_s_shape(double, version):
    if not CONTRACT.exists():
        pytest.skip(f"the contract is not beside this checkout ({CONTRACT})")
    contract = yaml.safe_load(CONTRACT.read_text(encoding="utf-8"))
    voice = next(row["voice"] for row in contract["x-versions"] if row["version"] == version)
    headers = {"Authorization": f"Bearer {KEY}", "Cartesia-Version": version}
    with httpx.Client(base_url=double.url, headers=headers, trust_env=False) as client:
        dataset = client.post("/datasets/", json={"name": "n", "description": "d"}).json()
        client.post(
            f"/datasets/{dataset['id']}/files", data={"purpose": "fine_tune"}, files={"file": ("a.wav", b"RIFF")}
        )
        order = {
            "name": "f",
            "description": "",
            "language": "en",
            "model_id": "sonic-3-2026-01-12",
            "dataset": dataset["id"],
        }
        fine_tune = client.post("/fine-tunes/", json=order).json()
        time.sleep(double.account.training_s + 0.05)
        answers = {
            "Dataset": dataset,
            "DatasetPage": client.get("/datasets").json(),
            "DatasetFilePage": client.get(f"/datasets/{dataset['id']}/files").json(),
            "FineTune": fine_tune,
            "FineTunePage": client.get("/fine-tunes/").json(),
            voice: client.get(f"/fine-tunes/{fine_tune['id']}/voices").json()["data"][0],
        }
    for name, answer in answers.items():
        jsonschema.Draft7Validator({**contract, "$ref": f"#/components/schemas/{name}"}).validate(_plain(answer))


def _plain(answer):
    """OpenAPI 3.0 says `nullable` where JSON Schema has a type: what is null is left out."""
    if isinstance(answer, dict):
        return {key: _plain(value) for key, value in answer.items() if value is not None}
    return [_plain(item) for item in answer] if isinstance(answer, list) else answer
