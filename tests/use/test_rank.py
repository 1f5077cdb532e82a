"""Items are sorted by D's probability that they are real, with what D holds against each."""

import csv
import sys

import numpy as np
import pytest
import torch
from benzenes import benzenes, write_benzenes
from rdkit import Chem

import sparring
from sparring.cli import main
from sparring.errors import InputError
from sparring.metrics import chemistry
from sparring.modalities import find
from sparring.modalities.molecules.ranking import reasons
from sparring.use import rank


@pytest.fixture(scope="module")
def molecules(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    settings = {"out": folder / "run", "steps": 60, "quiet": True, "device": "cpu"}
    fields = {"width": 48, "embedding": 16, "batch": 64, "candidates": 2, "conditions": "MW", "lr": 1e-2, "D": 16}
    model = sparring.train(
        "molecules", write_benzenes(folder / "b.smi"), adversarial=0.5, D_lr=5e-3, **settings, **fields
    )
    return model, folder / "run"


def test_molecules_of_the_data_come_before_others(molecules, tmp_path):
    model, _ = molecules
    strange = ["C1CC1C2CC2C3CC3", "[Si](C)(C)C", "OOOOO", "P(=O)(O)(O)O", "C#CC#CC#C", "not valid"]
    (tmp_path / "m.smi").write_text("\n".join([*strange, *benzenes()[:20]]))
    ranked = rank(model, tmp_path / "m.smi")
    assert [r.score for r in ranked] == sorted((r.score for r in ranked), reverse=True)
    order = [r.item for r in ranked]
    assert ranked[-1].item == "not"  # the first word of the line
    assert (ranked[-1].place, ranked[-1].score, ranked[-1].against) == ("line 6", 0.0, ("invalid",))
    places = [order.index(text.split()[0]) for text in strange]
    assert np.mean(places) > np.mean([order.index(text) for text in benzenes()[:20]]) + 3


def test_reasons_are_what_D_would_rather_not_see():
    """Against arithmetic: a D that counts nothing but one substructure and one descriptor."""
    from sparring.modalities.molecules.view import View

    molecule = Chem.MolFromSmiles("CCCl")
    view = View((), (0.0,) * 19, (1.0,) * 19)
    seen = torch.from_numpy(view.numbers([molecule]))
    chlorine = next(place for place, text in chemistry.substructures(molecule).items() if text == "Cl")

    def judge(x):
        return -2 * x[:, chlorine] - 0.5 * x[:, chemistry.BITS + 1]  # chlorine, and NumHeavyAtoms: 3

    found = reasons(molecule, seen, judge)
    assert found == ("NumHeavyAtoms (-1.5)", "Cl (-1.4)")  # 0.5 x 3, and 2 log(1 + 1)


def test_substructures_name_what_is_counted():
    molecule = Chem.MolFromSmiles("CCO")
    counts, named = chemistry.counts([molecule])[0], chemistry.substructures(molecule)
    assert set(np.flatnonzero(counts).tolist()) == set(named)
    assert {"C", "O", "CC", "OC"} <= set(named.values())


def test_pictures_are_ranked_by_their_values(tmp_path):
    model = sparring.train("gan", "digits", out=tmp_path / "run", steps=60, quiet=True, labels=False, device="cpu")
    digits = find("digits").items[:20]
    noise = np.random.default_rng(0).integers(0, 255, digits.shape, dtype=np.uint8)
    np.savez(tmp_path / "mixed.npz", images=np.concatenate([noise, digits]))
    ranked = rank(model, tmp_path / "mixed.npz")
    numbers = [int(r.place.split()[1]) for r in ranked]
    assert sorted(numbers) == list(range(1, 41))
    assert all(0 <= r.score <= 1 for r in ranked)
    first = model.game.D(model.modality.scale(torch.from_numpy(digits[0]).reshape(1, 1, 8, 8)))
    score = next(r.score for r in ranked if r.place == "image 21")
    assert score == pytest.approx(first.sigmoid().item(), abs=1e-5)


def typed(words, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["sparring", "rank", *words])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def test_the_command(molecules, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    _, run = molecules
    (tmp_path / "m.smi").write_text("\n".join(benzenes()[:30]))
    assert not typed([str(run), "m.smi", "-o", "ranked.csv", "--first", "4"], monkeypatch)
    shown = capsys.readouterr().out
    assert "30 items in ranked.csv; D: its probability that an item is real" in shown
    rows = list(csv.DictReader((tmp_path / "ranked.csv").open()))
    assert [int(row["rank"]) for row in rows] == list(range(1, 31))
    assert rows[0]["place"].startswith("line ")
    for words, message in [
        ([str(run), "m.smi", "-o", "ranked.csv"], "ranked.csv exists"),
        ([str(run), "m.smi", "-o", "ranked.txt"], "ranked.txt: the ranking is written as .csv"),
        ([str(run), "none.smi"], "there is no data set or path 'none.smi'"),
    ]:
        assert typed(words, monkeypatch) == 2
        assert message in " ".join(capsys.readouterr().err.split())


def test_recipes_without_such_a_D_say_so(tmp_path):
    data = write_benzenes(tmp_path / "b.smi")
    small = {"steps": 3, "quiet": True, "device": "cpu", "width": 8, "D": 8, "batch": 8, "embedding": 4}
    model = sparring.train("organ", data, out=tmp_path / "run", **small)
    with pytest.raises(InputError, match="recipe 'organ' has no D that judges molecules; give a run of another one"):
        rank(model, data)
