"""Training: on nothing but what was approved, ordered once whatever happens to the answer, watched to its end."""

import json
import time
from dataclasses import replace

import pytest
from terms import LENIENT

from pipeline import delivery, providers, run, training
from pipeline.errors import Declined, InDoubt, ProviderError, Refused, UsageError
from pipeline.ledger import Ledger
from pipeline.remote import Onlooker


@pytest.fixture(autouse=True)
def looked_at_often(monkeypatch):
    """A training is looked at every 50 ms instead of every half minute."""
    facts = providers.facts

    def known(name):
        found = facts(name)
        return found if found.training is None else replace(found, training=replace(found.training, poll_s=0.05))

    monkeypatch.setattr(providers, "facts", known)


@pytest.fixture
def studio(parcel, means):
    """The studio of the approved set, which is uploaded."""
    delivery.upload(parcel(), means)
    with training.studio(parcel().out, "cartesia", means) as made:
        yield made


def orders(double):
    return [line for line in double.requests if line.startswith("POST /fine-tunes")]


def test_it_says_what_it_would_cost_and_on_what_before_anything_is_ordered(studio, double, wanted):
    plan = studio.plan("narrator", "en", None)
    assert plan.facts.credits == 1_000_000
    assert (len(plan.wanted), plan.order.model, plan.order.language) == (len(wanted), "sonic-3-2026-01-12", "en")
    assert plan.decoded_s == pytest.approx(1.0 + 1.25 + 1.5 + 1.75, abs=0.01)
    assert (plan.others, plan.earlier.trainings, plan.current) == ((), (), None)
    assert orders(double) == []


def test_it_ends_in_the_four_voices(studio):
    begun = studio.order(studio.plan("narrator", "en", None))
    outcome = studio.outcome(studio.watch(begun))
    assert outcome.done
    assert len({voice.id for voice in outcome.voices}) == 4
    assert outcome.training.order.model == "sonic-3-2026-01-12"


def test_what_no_manifest_approved_is_not_trained_on(studio, double):
    dataset = next(iter(double.account.datasets.values()))
    evil = double.account.store(dataset.id, "evil.wav", 5, "")
    with pytest.raises(
        Refused,
        match=rf"evil.wav was approved by no manifest.*datasets remove {dataset.id} {evil.id} --to cartesia --yes",
    ):
        studio.plan("narrator", "en", None)
    assert orders(double) == []


def test_an_approved_name_with_other_bytes_is_not_trained_on(studio, double):
    next(iter(double.account.datasets.values())).files[0].size += 1
    with pytest.raises(Refused, match="is missing; upload again"):
        studio.plan("narrator", "en", None)


def test_what_is_missing_or_there_twice_is_not_trained_on(studio, double):
    dataset = next(iter(double.account.datasets.values()))
    lost = dataset.files.pop()
    with pytest.raises(Refused, match=f"{lost.filename} is missing"):
        studio.plan("narrator", "en", None)
    dataset.files.append(lost)
    double.account.store(dataset.id, lost.filename, lost.size, lost.sha256)
    with pytest.raises(Refused, match=f"{lost.filename} lies there twice"):
        studio.plan("narrator", "en", None)


def test_a_recording_that_was_renamed_is_neither_sent_again_nor_trained_on_twice(
    studio, double, approved, means, parcel, tmp_path
):
    (tmp_path / "rec" / "täke 0.wav").rename(tmp_path / "rec" / "a new name.wav")
    run.check(run.Request((str(tmp_path / "rec"),), approved, overrides=LENIENT))
    assert delivery.upload(parcel(), means).sent == 0
    dataset = next(iter(double.account.datasets.values()))
    assert len(dataset.files) == 4
    assert studio.plan("narrator", "en", None).others == ()
    lost = dataset.files[0]
    double.account.store(dataset.id, lost.filename[:16] + "-another-name.wav", lost.size, lost.sha256)
    with pytest.raises(Refused, match="lies there twice"):
        studio.plan("narrator", "en", None)


def test_what_an_earlier_manifest_approved_may_stay_and_is_told(studio, double, approved, means, parcel, tmp_path):
    (tmp_path / "rec" / "täke 0.wav").unlink()
    run.check(run.Request((str(tmp_path / "rec"),), approved, overrides=LENIENT))
    receipt = delivery.upload(parcel(), means)
    assert receipt.sent == 0
    plan = studio.plan("narrator", "en", None)
    assert [name.partition("-")[2] for name in plan.others] == ["take-0.wav"]


def test_a_manifest_that_is_not_in_order_is_not_trained_on(studio, approved):
    path = approved / "manifest.json"
    path.write_text(path.read_text().replace("rec", "wreck"))
    with pytest.raises(Refused, match="not in order"):
        studio.plan("narrator", "en", None)


def test_the_language_has_to_be_said_once(studio, approved):
    with pytest.raises(UsageError, match="--language"):
        studio.plan("narrator", None, None)


@pytest.mark.parametrize("fault", ["status after", "reply lost", "slow reply"])
def test_an_order_whose_answer_is_lost_is_found_and_not_given_again(studio, double, fault):
    double.faults.slow_s = 0.7
    double.faults.plan("change", fault)
    begun = studio.order(studio.plan("narrator", "en", None))
    assert begun.id in double.account.fine_tunes
    assert len(orders(double)) == len(double.account.fine_tunes) == 1


def test_an_order_that_did_not_arrive_is_not_given_again_by_itself(studio, double):
    double.faults.plan("change", "reset before")
    plan = studio.plan("narrator", "en", None)
    with pytest.raises(InDoubt, match="looks before it asks"):
        studio.order(plan)
    assert len(orders(double)) == 1
    assert studio.plan("narrator", "en", None).earlier.trainings == ()
    studio.order(plan)
    assert len(double.account.fine_tunes) == 1


def test_an_order_that_was_killed_a_moment_ago_is_waited_for(studio, double, approved):
    plan = studio.plan("narrator", "en", None)
    ledger = Ledger(approved, "cartesia", double.url)
    ledger.write("ordering", dataset=plan.dataset.id, mark="voxgate-0")
    ledger.close()
    with pytest.raises(Refused, match="a moment ago"):
        studio.order(plan)
    time.sleep(0.35)
    studio.order(plan)
    assert len(double.account.fine_tunes) == 1


def test_an_order_that_was_killed_before_its_answer_is_found_by_the_next_run(
    studio, double, means, parcel, monkeypatch
):
    provider = studio._provider  # noqa: SLF001 - where a process may die
    monkeypatch.setattr(type(provider), "train", lambda _self, order: (_created(double, order), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        studio.order(studio.plan("narrator", "en", None))
    with training.studio(parcel().out, "cartesia", means) as again:
        (earlier,) = again.plan("narrator", "en", None).earlier.found
        assert again.latest(None).id == earlier.id


def _created(double, order):
    fields = {"name": order.name, "description": order.description, "language": order.language}
    double.account.create_fine_tune({**fields, "model_id": order.model, "dataset": order.dataset})


def test_a_listing_that_lags_does_not_hide_a_training(studio, double, monkeypatch):
    begun = studio.order(studio.plan("narrator", "en", None))
    provider = studio._provider  # noqa: SLF001 - whose listing lags
    monkeypatch.setattr(type(provider), "trainings", lambda _self: iter(()))
    assert studio.plan("narrator", "en", None).current.id == begun.id


def test_a_training_that_another_ordered_on_this_dataset_is_seen(studio, double, parcel):
    fields = {"name": "theirs", "description": "", "language": "en", "model_id": "sonic-3-2026-01-12"}
    theirs = double.account.create_fine_tune({**fields, "dataset": next(iter(double.account.datasets))})
    plan = studio.plan("narrator", "en", None)
    assert plan.current.id == theirs.id
    assert not plan.same(plan.current)


def test_what_came_into_the_dataset_since_it_was_looked_at_is_not_trained_on(studio, double):
    plan = studio.plan("narrator", "en", None)
    double.account.store(plan.dataset.id, "evil.wav", 5, "")
    with pytest.raises(Refused, match=r"evil\.wav"):
        studio.order(plan)
    assert orders(double) == []


def test_a_retry_is_on_the_dataset_that_failed(studio, double, means, parcel):
    double.account.outcomes = ["failed"]
    failed = studio.watch(studio.order(studio.plan("narrator", "en", None)))
    delivery.upload(parcel(name="second"), means)
    assert studio.retry(failed).dataset.id == failed.order.dataset


def test_a_training_that_goes_on_for_ever_is_not_watched_for_ever(studio, double, monkeypatch):
    begun = studio.order(studio.plan("narrator", "en", None))
    fine_tune = double.account.fine_tunes[begun.id]
    monkeypatch.setattr(type(fine_tune), "status", lambda _self, _s: "cancelled")
    object.__setattr__(studio, "_facts", replace(studio._facts, hours=1e-5))  # noqa: SLF001 - a day is too long
    with pytest.raises(ProviderError, match=r"still (created|cancelled) after"):
        studio.watch(begun)


def test_voices_are_shown_though_the_ledger_is_in_use(studio, approved, double):
    done = studio.watch(studio.order(studio.plan("narrator", "en", None)))
    with Ledger(approved, "cartesia", double.url).held():
        assert len(studio.outcome(done).voices) == 4


def lost_order(studio, double, **listed):
    """A training that was ordered, but whose answer was lost; `listed` is what the listing says otherwise."""
    dataset = studio.plan("narrator", "en", None).dataset.id
    ledger = Ledger(studio._parcel.out, "cartesia", double.url)  # noqa: SLF001 - where it lies
    ledger.write("ordering", dataset=dataset, mark="voxgate-1")
    ledger.close()
    fields = {"name": "narrator", "description": "[voxgate-1]", "language": "en", "model_id": "sonic-3-2026-01-12"}
    return double.account.create_fine_tune({**fields, "dataset": dataset, **listed})


def test_a_lost_order_is_told_once_even_if_status_finds_it_first(studio, double):
    lost = lost_order(studio, double)
    with training.studio(studio._parcel.out, "cartesia", studio._means) as other:  # noqa: SLF001 - the same
        assert other.latest(None).id == lost.id
    with training.studio(studio._parcel.out, "cartesia", studio._means) as again:  # noqa: SLF001 - the same
        (found,) = again.plan("narrator", "en", None).earlier.found
        again.tell(found)
        assert again.plan("narrator", "en", None).earlier.found == ()


def test_a_lost_order_is_found_by_its_mark_whatever_the_listing_says_of_its_dataset(studio, double):
    lost = lost_order(studio, double, dataset="")
    with training.studio(studio._parcel.out, "cartesia", studio._means) as again:  # noqa: SLF001 - the same
        assert [t.id for t in again.plan("narrator", "en", None).earlier.found] == [lost.id]


def test_a_retry_looks_at_what_was_ordered_since_and_not_before(studio, double):
    done = studio.watch(studio.order(studio.plan("narrator", "en", None)))
    double.account.outcomes = ["failed"]
    failed = studio.watch(studio.order(studio.plan("narrator", "en", None)))
    plan = studio.retry(failed)
    assert plan.current.id == done.id
    assert plan.since(failed) is None
    again = studio.order(plan)
    assert studio.retry(failed).since(failed).id == again.id


def test_a_declined_order_for_another_dataset_hides_no_training(studio, double, means, parcel):
    begun = studio.order(studio.plan("narrator", "en", None))
    delivery.upload(parcel(name="second"), means)
    double.account.credits = 0
    with training.studio(parcel().out, "cartesia", means) as other:
        with pytest.raises(Declined):
            other.order(other.plan("narrator", "en", None))
        assert other.latest(None).id == begun.id


def test_an_order_that_is_declined_says_why(studio, double):
    double.account.credits = 5
    with pytest.raises(Declined, match="402: Payment required"):
        studio.order(studio.plan("narrator", "en", None))
    double.account.credits = 2_000_000
    studio.order(studio.plan("narrator", "en", None))
    assert len(double.account.fine_tunes) == 1


def test_a_base_model_that_is_not_there_is_told(studio):
    with pytest.raises(Declined, match="there is no sonic-9"):
        studio.order(studio.plan("narrator", "en", "sonic-9"))


def test_a_failed_training_says_what_to_try_and_can_be_ordered_again(studio, double):
    double.account.outcomes = ["failed"]
    failed = studio.outcome(studio.watch(studio.order(studio.plan("narrator", "en", None))))
    assert failed.failed
    assert "--retry" in failed.facts.on_failure
    order = failed.training.order
    again = studio.outcome(studio.watch(studio.order(studio.plan(order.name, order.language, order.model))))
    assert again.done
    assert studio.latest(None).id == again.training.id
    assert double.account.credits == 1_000_000


def test_a_status_that_nobody_knows_is_waited_through(studio, double, means, monkeypatch):
    begun = studio.order(studio.plan("narrator", "en", None))
    words = ["queued", "draft", "training", "polishing"]
    fine_tune = double.account.fine_tunes[begun.id]
    monkeypatch.setattr(type(fine_tune), "status", lambda _self, _s: words.pop(0) if words else "completed")
    said = []
    object.__setattr__(studio, "_means", replace(means, onlooker=Onlooker(say=said.append)))
    assert studio.outcome(studio.watch(begun)).done
    assert [line.partition(": ")[2] for line in said] == ["created", "queued", "draft", "training", "polishing"]


def test_watching_survives_errors_of_the_provider(studio, double):
    begun = studio.order(studio.plan("narrator", "en", None))
    double.faults.plan("read", "status before", "cut json")
    assert studio.outcome(studio.watch(begun)).done


def test_watching_outlasts_an_outage_that_is_longer_than_one_request_s_patience(studio, double, means):
    begun = studio.order(studio.plan("narrator", "en", None))
    double.faults.plan("read", *["status before"] * 10)
    assert studio.outcome(studio.watch(begun)).done


def test_watching_does_not_wait_for_ever_for_a_provider_that_is_gone(studio, double, means):
    begun = studio.order(studio.plan("narrator", "en", None))
    double.faults.plan("read", *["status before"] * 500)
    object.__setattr__(studio, "_means", replace(means, patience=replace(means.patience, longest_s=0.3)))
    with pytest.raises(ProviderError, match="run again later"):
        studio.watch(begun)


def test_two_who_order_at_once_do_not_both_pay(studio, double, means, parcel):
    with training.studio(parcel().out, "cartesia", means) as other:
        mine, theirs = studio.plan("narrator", "en", None), other.plan("narrator", "en", None)
        studio.order(mine)
        with pytest.raises(Refused, match="meanwhile"):
            other.order(theirs)
    assert len(double.account.fine_tunes) == 1


def test_a_training_that_somebody_deleted_is_told(studio, double):
    begun = studio.order(studio.plan("narrator", "en", None))
    double.account.fine_tunes.clear()
    with pytest.raises(ProviderError, match="is gone"):
        studio.watch(begun)


def test_another_process_finds_the_training(studio, means, parcel):
    begun = studio.order(studio.plan("narrator", "en", None))
    with training.studio(parcel().manifest, "cartesia", means) as other:
        assert other.latest(None).id == begun.id
        assert other.latest(begun.id).id == begun.id
        with pytest.raises(UsageError, match="there is no training ft_0"):
            other.latest("ft_0")


def test_before_anything_was_trained_that_is_said(studio):
    with pytest.raises(UsageError, match="nothing was trained"):
        studio.latest(None)


def test_before_anything_was_uploaded_that_is_said(parcel, means):
    with training.studio(parcel().out, "cartesia", means) as made, pytest.raises(UsageError, match="upload first"):
        made.plan("narrator", "en", None)


def test_a_folder_trains_nothing(parcel, means):
    with pytest.raises(UsageError, match="nothing is trained there"):
        training.studio(parcel().out, "folder", means)


def test_the_ledger_tells_the_story(studio, approved):
    studio.outcome(studio.watch(studio.order(studio.plan("narrator", "en", None))))
    lines = [json.loads(line) for line in (approved / "upload-cartesia.ledger.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines][-3:] == ["ordering", "training", "ended"]
    assert lines[-1]["status"] == "completed"
