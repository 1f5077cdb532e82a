"""Private runs: what they promise, spend, refuse and write down."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from commands import command

import sparring
from sparring.data.dataset import Dataset
from sparring.data.poisson import PoissonBatches
from sparring.errors import InputError
from sparring.evaluation.audit import audit
from sparring.evaluation.audit_page import epsilon_words
from sparring.modalities import Points
from sparring.privacy import Guarantee, Release, SecretNoise, epsilon
from sparring.training import checkpoint
from sparring.training.private import PrivateSteps

pytest.importorskip("opacus")
SMALL = {"width": 4, "z": 8, "batch": 64, "privacy": 10.0}


def train(out, **settings):
    settings = {"steps": 2, "D_steps": 2, "quiet": True, "device": "cpu", **SMALL, **settings}
    return sparring.train("dpgan", "digits", out=out, **settings)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("private") / "run"
    train(folder, seed=5)
    return folder


def stored(run):
    return json.loads((run / "recipe.json").read_text())["run"]["settings"]


def test_the_promise_is_kept_and_paid_for(run):
    promise, model = stored(run)["privacy"], sparring.load(run)
    assert json.loads((run / "privacy.json").read_text()) == {"moves": 4}
    assert promise["moves"] == model.about["privacy"]["spent"] == 4
    noisy = Release("", promise["noise"], promise["rate"], promise["moves"])
    assert 9.5 < epsilon([noisy], promise["delta"]) <= 10
    assert promise["rate"] == 64 / promise["records"]


def test_nothing_else_of_the_data_is_stored(run):
    assert stored(run)["fingerprint"] == ""
    about = sparring.load(run).about
    assert (about["fingerprint"], about["scores"]) == ("", {})
    assert set(sparring.load(run).modality.counts) == {1}  # frequencies of classes
    names = {name for line in (run / "log.jsonl").read_text().splitlines() for name in json.loads(line)}
    assert not {n for n in names if n.startswith(("D_", "D/", "fid", "diversity"))}
    assert "G/adversarial" in names


def test_the_card_and_the_evaluation_say_it(run, capsys):
    promise = "(10, 1e-05)-differentially private"
    card = (run / "README.md").read_text()
    assert promise in card
    assert "one image is removed" in card
    assert "Not covered:" in card
    sparring.evaluate(run, samples=60, quiet=False, device="cpu")
    said = capsys.readouterr()
    assert promise in " ".join((said.out + said.err).split())


def test_the_seed_determines_neither_the_noise_nor_the_batches(run, tmp_path):
    """Whoever knows the seed could otherwise draw the noise again and subtract it."""
    first, second = sparring.load(run), train(tmp_path / "run", seed=5)
    pairs = zip(first.game.D.parameters(), second.game.D.parameters(), strict=True)
    assert not any(torch.equal(a, b) for a, b in pairs)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        batches = [PrivateSteps(promise(run), tmp_path / "l.json", False) for _ in range(2)]
    assert not np.array_equal(*(b.source.chosen(1000, 0.5) for b in batches))


def promise(run):
    return Guarantee(**stored(run)["privacy"])


def test_batches_are_poisson_samples():
    """Shuffled epochs have batches of one size, and each item as often as any other."""
    data = Dataset({"values": torch.arange(400.0)}, torch.arange(400), torch.arange(0), "")
    batches = PoissonBatches(data, 0.1, 2, SecretNoise().chosen, torch.device("cpu"))
    drawn = [torch.cat([batches(0, 0)["values"], batches(0, 1)["values"]]) for _ in range(300)]
    sizes = torch.tensor([float(len(batch)) for batch in drawn])
    assert float(sizes.mean()) == pytest.approx(40, abs=2)
    assert float(sizes.var()) == pytest.approx(400 * 0.1 * 0.9, rel=0.4)  # 0 for epochs
    times = torch.bincount(torch.cat(drawn).long(), minlength=400).float()
    assert float(times.var()) == pytest.approx(300 * 0.1 * 0.9, rel=0.4)  # below 1 for epochs
    assert all(len(batch.unique()) == len(batch) for batch in drawn)


def test_the_held_out_items_are_not_drawn(run):
    steps = PrivateSteps(promise(run), run / "none.json", False)
    data = Dataset({"values": torch.arange(10.0)[:, None]}, torch.arange(5), torch.arange(5, 10), "")
    modality = Points()
    dealt = [steps.dealer(modality, data, 1, torch.device("cpu"))(i, 0)["values"] for i in range(100)]
    assert float(torch.cat(dealt).max()) < 5


def test_a_killed_run_has_spent_what_it_had_reserved(run, tmp_path):
    """What a run did after its last checkpoint may have been seen."""
    shutil.copytree(run, tmp_path / "run")
    last = checkpoint.saved(tmp_path / "run" / "checkpoints")[-1]
    shutil.rmtree(last)
    shutil.rmtree(tmp_path / "run" / "model")
    model = train(tmp_path / "run", resume=True, seed=5)
    assert model.about["step"] < 2  # the budget of four moves was spent by the first life of the run
    assert model.about["privacy"]["spent"] == 4


def test_more_steps_than_the_noise_was_chosen_for_are_refused(run):
    with pytest.raises(
        InputError, match=r"--steps 3 was given, but the privacy budget is made for 2; train another run"
    ):
        train(run, resume=True, steps=3, seed=5)


def test_a_lost_ledger_is_noticed(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    (tmp_path / "run" / "privacy.json").unlink()
    with pytest.raises(InputError, match=r"privacy\.json is missing, so nobody knows how much of the privacy budget"):
        train(tmp_path / "run", resume=True, seed=5)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--recipe dcgan privacy=8", "recipe 'dcgan' has no field 'privacy'; its G sees real samples, or its samples "
         "depend on each other; train dptable (rows) or dpgan (images)"),
        ("--recipe dpgan privacy=-1", "privacy=-1.0 is out of range; it must be above 0"),
        ("--recipe dpgan delta=0.01", "delta=0.01 lets one of 1,617 images be published as it is; give less than"),
        ("--recipe dpgan batch=5000", "batch=5000 exceeds the 1,617 images that are trained on; give a smaller one"),
        ("--recipe dpgan --until plateau", "--until plateau compares samples with real data during training"),
        ("--recipe dpgan norm=batch", "a private run bounds what each record adds to the weights, but G has batch"),
        ("--recipe dpgan augment=ada", "but augment=ada adapts to how D judges real and held-out samples"),
        ("--recipe dpgan noise=0.1", "noise=0.1 was given; a private run has noise in D's gradient instead"),
    ],
)  # fmt: skip
def test_what_cannot_be_private_is_refused_on_one_line(line, message, tmp_path, monkeypatch, capsys):
    status, errors = command(monkeypatch, capsys, f"train digits {line} --steps 2 --device cpu --out {tmp_path / 'r'}")
    assert status == 2
    assert message in " ".join(errors)
    assert len([e for e in errors if e.startswith("error")]) <= 1
    assert not (tmp_path / "r").exists()


def test_tuning_on_real_data_is_refused(tmp_path, monkeypatch, capsys):
    line = f"tune digits --recipe dpgan lr=1e-4..1e-3 --steps 2 --trials 3 --out {tmp_path / 't'}"
    status, errors = command(monkeypatch, capsys, line)
    assert status == 2
    assert "recipe 'dpgan' is private, but trials are compared on real data" in " ".join(errors)


def test_the_audit_is_compared_with_the_promise(run):
    found = audit(run, samples=1000, device="cpu")
    assert found.promise == promise(run)
    assert found.epsilon <= found.promise.epsilon
    assert "The model promises epsilon 10 for the removal of one image" in epsilon_words(found)
    broken = replace(found, epsilon=20.5)
    assert [f.name for f in broken.findings] == ["the promise of privacy is broken"]
    assert "which these attacks contradict" in epsilon_words(broken)
    assert not replace(found, epsilon=19.5).contradicted  # the replacement of a record counts twice
