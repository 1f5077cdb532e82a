"""Objectives of molecules: built-in ones, functions of users' files, and who may run these."""

import numpy as np
import pytest
from benzenes import write_benzenes

import sparring
from sparring.errors import InputError
from sparring.recipes.base.objectives import objective

SMALL = {"steps": 3, "quiet": True, "device": "cpu", "width": 8, "D": 8, "batch": 8, "embedding": 4}


def test_built_in_objectives():
    smiles = ["CC(=O)Oc1ccccc1C(=O)O", "not valid", "C"]
    assert objective("validity")(smiles).tolist() == [1, 0, 1]
    qed = objective("QED")(smiles)
    assert qed[0] == pytest.approx(0.5501, abs=1e-3)  # of aspirin
    assert qed[1] == 0
    assert objective("QED")([]).shape == (0,)


def test_a_function_gets_valid_canonical_molecules(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(
        "def carbons(smiles):\n    assert 'OCC' not in smiles\n    return [min(1, s.count('C') / 4) for s in smiles]\n"
    )
    assert objective(f"{path}:carbons")(["OCC", "((", "CCCCC"]).tolist() == [0.5, 0, 1]


BAD = [
    ("none.py:f", "there is no file none.py with an objective"),
    ("mine.py:g", "mine.py defines no function 'g'; name one as FILE.py:FUNCTION"),
    ("mine.py:fails", "mine.py, line 4: ZeroDivisionError: division by zero"),
    ("mine.py:short", "mine.py:short returned an array of shape (1,) for 2 molecules"),
    ("mine.py:large", "mine.py:large returned 2.0 for CCO; return numbers from 0 to 1"),
    ("mine.py:undefined", "mine.py:undefined returned nan for CCO; return numbers from 0 to 1"),
    ("QEDD", "objective=QEDD is unknown; did you mean 'QED'?, or give a FILE.py:FUNCTION"),
]
FILE = """def f(smiles):
    return [1.0] * len(smiles)
def fails(smiles):
    return [1 / 0]
def short(smiles):
    return [1.0]
def large(smiles):
    return [2.0 for _ in smiles]
def undefined(smiles):
    return [float("nan") for _ in smiles]
"""


@pytest.mark.parametrize(("given", "message"), BAD)
def test_mistakes_are_one_line_before_anything_is_written(given, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(FILE)
    with pytest.raises(InputError) as error:
        sparring.train("organ", write_benzenes(tmp_path / "b.smi"), out="run", objective=given, **SMALL)
    assert message in str(error.value)
    assert not (tmp_path / "run").exists()


def test_a_run_does_not_run_a_file_that_it_merely_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(FILE)
    data = write_benzenes(tmp_path / "b.smi")
    sparring.train("organ", data, out="run", objective="mine.py:f", **SMALL)
    (tmp_path / "mine.py").write_text("raise SystemExit('it was run')")
    model = sparring.load("run")  # samples need no objective
    assert next(model.stream(3, seed=0))[0]["values"].shape[0] == 3
    longer = {"out": "run", "resume": True, "steps": 5, "quiet": True, "device": "cpu"}
    with pytest.raises(
        InputError, match=r"run runs mine.py:f, which is not done unless you say so; add objective=mine.py:f"
    ):
        sparring.train("organ", data, **longer)
    (tmp_path / "mine.py").write_text(FILE)
    assert sparring.train("organ", data, objective="mine.py:f", **longer).about["step"] == 5


def test_a_published_recipe_names_no_path():
    from sparring import recipes

    assert recipes.find("organ").set({"objective": "/home/me/mine.py:f"}).portable().objective == "mine.py:f"
    assert recipes.find("organ").portable().objective == "QED"


def test_the_reward_of_molgan_is_learned(tmp_path):
    fields = {"hidden": (16,), "D": (8,), "width": 8, "batch": 16, "objective": "validity", "atoms": 9}
    model = sparring.train(
        "molgan", write_benzenes(tmp_path / "b.smi"), out=tmp_path / "run", steps=4, quiet=True, device="cpu", **fields
    )
    assert {"R", "G", "D"} <= {name.split(".")[0] for name, _ in model.game.named_parameters()}
    values = next(model.stream(4, seed=0))[0]["values"]
    assert np.isin(values.numpy(), (0.0, 1.0)).all()  # graphs are discrete
