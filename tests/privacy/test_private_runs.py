"""Private runs: what they promise, spend, refuse and write down."""

import json
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from commands import command

import sparring
from sparring.data.dataset import Dataset
from sparring.data.items import Items
from sparring.data.poisson import PoissonBatches
from sparring.errors import InputError
from sparring.evaluation.audit import audit
from sparring.evaluation.audit_page import epsilon_words
from sparring.loop import Player
from sparring.modalities import Points
from sparring.privacy import Guarantee, Ledger, Release, SecretNoise, epsilon
from sparring.recipes import find
from sparring.recipes.base import PrivateRecipe
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


@pytest.mark.usefixtures("brief_classifiers")
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
        ("--recipe dpgan table=people.csv", "table=people.csv was given, but the rows beside images are not learned"),
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
    assert [f.name for f in broken.findings] == ["the promise of privacy seems broken"]
    assert "which these attacks seem to contradict" in epsilon_words(broken)
    assert not replace(found, epsilon=19.5).contradicted  # the replacement of a record counts twice


def colored(folder, rows=True):
    from PIL import Image

    folder.mkdir()
    random = np.random.default_rng(0)
    for i in range(60):
        Image.fromarray(random.integers(0, 2, (8, 8, 3), np.uint8) * 200).save(folder / f"{i:02}.png")
    if rows:
        lines = [f"{i:02}.png,{i % 7},{'ab'[i % 2]}" for i in range(60)]
        (folder / "people.csv").write_text("\n".join(["file,age,sex", *lines]) + "\n")
    return folder


def test_neither_rows_beside_images_nor_their_colors_are_stored(tmp_path):
    folder = colored(tmp_path / "images")
    settings = {**SMALL, "batch": 8, "G_batch": 8, "D_steps": 1}
    sparring.train("dpgan", folder, out=tmp_path / "run", steps=1, quiet=True, device="cpu", **settings)
    assert sparring.modalities.Images().fit(sparring.modalities.find(folder)).palette.colors  # they are few
    modality = json.loads((tmp_path / "run" / "recipe.json").read_text())["modality"]
    assert (modality["attributes"], modality["palette"]["colors"]) == (None, "")
    assert "c8c8c8" not in (tmp_path / "run" / "model" / "model.json").read_text()


@pytest.mark.parametrize(("white", "message"), [(1, "end below 255"), (4095, "more than eight bits")])
def test_levels_of_images_are_not_taken_from_the_data(white, message, tmp_path):
    from PIL import Image

    (tmp_path / "images").mkdir()
    for i in range(40):
        pixels = np.random.default_rng(i).integers(0, white + 1, (8, 8)).astype(np.uint8 if white < 256 else np.uint16)
        Image.fromarray(pixels).save(tmp_path / "images" / f"{i}.png")
    settings = {**SMALL, "batch": 8, "G_batch": 8, "D_steps": 1, "steps": 1, "quiet": True, "device": "cpu"}
    with pytest.raises(InputError, match=message):
        sparring.train("dpgan", tmp_path / "images", out=tmp_path / "run", **settings)
    if white > 255:
        model = sparring.train("dpgan", tmp_path / "images", out=tmp_path / "run", levels=(0.0, 4095.0), **settings)
        assert model.modality.levels == (0.0, 4095.0)


def test_labels_do_not_decide_which_records_are_held_out(run):
    modality = sparring.load(run).modality
    labels = np.random.default_rng(0).integers(0, 3, 200)
    splits = [
        modality.split(Items("i", "images", np.zeros((200, 8, 8)), each, ("a", "b", "c")))
        for each in (labels, labels[::-1])
    ]
    assert np.array_equal(splits[0].held, splits[1].held)


def test_other_data_of_another_size_are_refused_on_resuming(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    file = tmp_path / "run" / "recipe.json"
    file.write_text(file.read_text().replace('"records": 1617', '"records": 1616'))
    with pytest.raises(InputError, match="was trained on other data"):
        train(tmp_path / "run", resume=True, seed=5)


def test_shards_share_the_samples_of_G():
    recipe = find("dpgan").set({"shards": 4, "G_batch": 512})
    assert recipe.game_class(sparring.modalities.Images()).keywords["batch"] == 128
    with pytest.raises(InputError, match="G_batch=510 must be a multiple of shards=4"):
        find("dpgan").set({"shards": 4, "G_batch": 510})


class Careless(PrivateRecipe):
    """A user's recipe that forgets what is published."""


def test_a_recipe_that_does_not_say_what_it_publishes_is_none():
    missing = {"published", "draw_conditions"}
    assert missing <= Careless.__abstractmethods__
    table = sparring.modalities.Table().fit(
        Items("t", "rows", pd.DataFrame({"a": [1, 2, 3] * 20, "b": list("xyz") * 20}))
    )
    with pytest.raises(InputError, match="has fitted the rows without noise"):
        find("dptable").guarantee(table, 60, 1)


def test_players_that_might_see_records_without_noise_are_refused(run):
    game, steps = sparring.load(run).game, PrivateSteps(promise(run), run / "none.json", False)
    sgd = partial(torch.optim.SGD, lr=0.1)
    D, G = game.players(sgd, sgd)
    steps.protect(game, [D, G])
    assert D.gradient is not None
    assert G.gradient is None
    G.losses = game.D_losses
    with pytest.raises(InputError, match="player G of a private run moves other weights"):
        steps.protect(game, [D, G])
    net = torch.nn.Linear(1, 1)
    with pytest.raises(InputError, match="player E of a private run moves other weights"):
        steps.protect(game, [Player("E", game.G_losses, sgd(net.parameters()), (net,))])


class OtherRank:
    """A rank on another machine, to which the first one sends what it has."""

    def __init__(self, sent):
        self.sent = sent

    def broadcast(self, value):
        return self.sent if self.sent is not None else value


def test_ranks_without_the_ledger_count_as_the_first_one_does(run, tmp_path):
    first = Ledger(run / "privacy.json", promise(run))
    first.share(OtherRank(None), 2)
    other = Ledger(tmp_path / "none.json", promise(run), writes=False)
    other.share(OtherRank((first.moves, False)), 2)
    assert (other.moves, other.left) == (first.moves, first.left) == (4, 0)
    with pytest.raises(InputError, match="is missing, so nobody knows"):  # on all ranks, so that none waits
        other.share(OtherRank((0, True)), 2)
