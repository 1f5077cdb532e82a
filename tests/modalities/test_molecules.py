"""Molecules in files, how they are cleaned and checked, and conditions on them."""

import gzip
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from benzenes import benzenes, write_benzenes
from rdkit import Chem

import sparring
from sparring.cli import main
from sparring.data import Items
from sparring.errors import InputError
from sparring.modalities import Samples, Table, find
from sparring.modalities.molecules import Molecules
from sparring.modalities.molecules.cleaning import Rules, clean
from sparring.modalities.molecules.conditions import ranges
from sparring.modalities.molecules.properties import measures
from sparring.modalities.molecules.records import Records
from sparring.modalities.molecules.tokens import as_codes, as_text, tokenize, vocabulary

PROPERTIES = ("logP", "MW")
MEASURES = measures((), None)


def records(*smiles):
    return Records(smiles, "line", np.arange(len(smiles)) + 1)


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    path = write_benzenes(tmp_path_factory.mktemp("smi") / "b.smi")
    items = find(path)
    return Molecules(described=PROPERTIES).fit(items), items


def frame(n=120):
    return pd.DataFrame({"id": range(n), "drug": benzenes()[:n], "pIC50": np.linspace(4, 9, n).round(2)})


def test_lists_of_smiles(tmp_path):
    (tmp_path / "a.smi").write_text("\ufeffSMILES name\n\nCCO ethanol\nc1ccccc1\tbenzene\nCC(=O)O\n", encoding="utf-8")
    read = find(tmp_path / "a.smi")
    assert (read.kind, read.items.smiles) == ("molecules", ("CCO", "c1ccccc1", "CC(=O)O"))
    assert [read.items.place(i) for i in range(3)] == ["line 3", "line 4", "line 5"]
    with gzip.open(tmp_path / "z.txt.gz", "wt") as file:
        file.write("\n".join(benzenes()))
    assert len(find(tmp_path / "z.txt.gz")) == 120


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".csv.gz"])
def test_tables_with_smiles_found_by_content(tmp_path, suffix):
    path = tmp_path / f"t{suffix}"
    if suffix == ".parquet":
        frame().to_parquet(path)
    else:
        frame().to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    read = find(path)
    assert (read.kind, read.items.column, read.items.place(4)) == ("molecules", "drug", "row 5")
    assert set(read.items.columns) == {"id", "pIC50"}
    assert read.items.columns["pIC50"][-1] == 9
    assert find(path, (Table,)).kind == "rows"  # a table where a recipe for tables asks first


def test_a_single_column_of_smiles_is_no_series(tmp_path):
    (tmp_path / "one.csv").write_text("smiles\n" + "\n".join(benzenes()))
    assert find(tmp_path / "one.csv").kind == "molecules"


@pytest.mark.parametrize("values", [["C", "N", "CO", "F"], ["NO", "CO", "IN", "CN"], ["cat", "dog", "cow", "pig"]])
def test_short_words_are_categories(tmp_path, values):
    pd.DataFrame({"x": range(80), "grade": values * 20}).to_csv(tmp_path / "t.csv", index=False)
    assert find(tmp_path / "t.csv").kind == "rows"


def test_another_column_may_be_asked_for(tmp_path):
    two = frame().assign(salt=[f"{text}.Cl" for text in benzenes()])
    two.to_csv(tmp_path / "t.csv", index=False)
    items = find(tmp_path / "t.csv")
    assert Molecules(column="salt", salts="keep").cleaned(items).smiles[0].startswith("C")
    assert all("." in text for text in Molecules(column="salt", salts="keep").cleaned(items).smiles)
    with pytest.raises(InputError, match=r"smiles=salts was given, but 't' has no such column of text; did you mean"):
        Molecules(column="salts").cleaned(items)
    table = find(tmp_path / "t.csv", (Table,))
    assert Molecules(column="drug").cleaned(table).smiles == Molecules().cleaned(items).smiles
    with pytest.raises(InputError, match="no column of SMILES; its columns are a, b"):
        Molecules().cleaned(Items("n", "rows", pd.DataFrame({"a": [1, 2], "b": [3, 4]})))


def test_sd_files_with_their_properties(tmp_path):
    with Chem.SDWriter(str(tmp_path / "m.sdf")) as writer:
        for i, text in enumerate(["CCO", "CCN", "c1ccccc1"]):
            molecule = Chem.MolFromSmiles(text)
            molecule.SetProp("activity", str(0.5 + i))
            molecule.SetProp("name", "abc"[i])
            writer.write(molecule)
    content = (tmp_path / "m.sdf").read_text()
    broken = content.replace("$$$$\n", "$$$$\nnonsense\n\n\n  1  x\nM  END\n$$$$\n", 1)
    with gzip.open(tmp_path / "b.sdf.gz", "wt") as file:
        file.write(broken)
    read = find(tmp_path / "b.sdf.gz").items
    assert read.smiles == ("CCO", "", "CCN", "c1ccccc1")
    assert list(read.columns) == ["activity"]
    assert read.columns["activity"][2] == 1.5
    assert clean(read, Rules()).skipped == (("record 2", "it cannot be read"),)


def test_cleaning_names_what_is_left_out_and_why():
    given = records("OCC", "CCO", "xyz", "", "CC(=O)[O-].[Na+]", "C" * 101, "[13CH4]", "C/C=C/C", "C[NH3+]")
    cleaned = clean(given, Rules())
    assert cleaned.smiles == ("CCO", "CC(=O)[O-]", "[13CH4]", "C/C=C/C", "C[NH3+]")
    assert cleaned.skipped == (
        ("line 2", "the same molecule as line 1"),
        ("line 3", "'xyz' is not a valid SMILES"),
        ("line 4", "it cannot be read"),
        ("line 6", "it has 101 tokens (longest=100)"),
    )
    assert cleaned.changed == {"reduced to the largest fragment": 1}
    other = clean(given, Rules(charges="neutralize", isotopes="remove", stereo="remove"))
    assert other.smiles == ("CCO", "CC(=O)O", "C", "CC=CC", "CN")
    dropped = clean(given, Rules("drop", "drop", "drop", "drop"))
    assert dropped.smiles == ("CCO",)
    assert [why for _, why in dropped.skipped[3:]] == [
        "it has 2 fragments (salts=drop)",
        "it has 101 tokens (longest=100)",
        "it has isotopes (isotopes=drop)",
        "it has stereo marks (stereo=drop)",
        "it has charged atoms (charges=drop)",
    ]


def test_tokens_are_atoms_and_marks():
    text = "C[C@@H](Br)c1ccc(Cl)cc1%12[nH]"
    assert tokenize(text)[:4] == ["C", "[C@@H]", "(", "Br"]
    assert "".join(tokenize(text)) == text
    assert {"Cl", "%12", "[nH]"} <= set(tokenize(text))
    tokens = vocabulary(["CCO", "CN"])
    codes = as_codes(["CCO", "CN", "CF", "CCCCC"], tokens, 5)
    assert as_text(codes[:2], tokens) == ["CCO", "CN"]
    assert (codes[2:, 0] == -1).all()  # an unknown token, and one that is too long
    assert as_text(np.array([[1, 0, 2, 2]]), tokens) == ["C"]  # what follows the end does not count


def test_round_trip_and_split(fitted):
    modality, items = fitted
    encoded = modality.encode(items)
    decoded = modality.decode({"values": modality.scale(encoded.values)})
    assert tuple(decoded) == modality.cleaned(items).smiles
    assert torch.equal(modality.unscale(modality.scale(encoded.values)), encoded.values)
    split = modality.split(items, encoded.readable)
    assert (len(split.train), len(split.held)) == (108, 12)
    assert not set(split.train) & set(split.held)
    other = Items("o", "molecules", records("c1ccccc1[Si]", "CCc1ccccc1"))
    assert modality.encode(other).skipped[0] == ("line 1", "[Si]c1ccccc1 has unseen tokens")


def test_conditions_of_batches_are_free_at_random(fitted):
    modality, items = fitted
    batch = modality.batch(dict(modality.encode(items).tensors))
    free = batch["condition"].isnan().float().mean()
    assert 0.35 < free < 0.65
    known = batch["condition"][~batch["condition"].isnan()]
    assert abs(known.mean()) < 0.4
    assert set(batch) == {"values", "condition"}


def test_view_counts_substructures_and_knows_what_is_invalid(fitted):
    modality, items = fitted
    codes = modality.scale(modality.encode(items).values[:3]).clone()
    codes[1] = 0
    codes[1, 0] = modality.vocabulary.index("(") + 1
    seen, valid = modality.view(codes)
    assert valid.tolist() == [True, False, True]
    assert seen.shape == (3, modality.view.width)
    assert not seen[1].any()
    assert (seen[0] - seen[2]).abs().max() > 0


@pytest.mark.parametrize(
    ("text", "name", "low", "high"),
    [
        ("logP=2..3", "logP", 2, 3),
        ("QED>.6", "QED", 0.6, np.inf),
        (" MW < 4e2", "MW", -np.inf, 400),
        ("logP=-1..", "logP", -1, np.inf),
        ("TPSA=..90", "TPSA", -np.inf, 90),
        ("NumAromaticRings>=1", "NumAromaticRings", 1, np.inf),
    ],
)
def test_ranges(text, name, low, high):
    (found,) = ranges([text], MEASURES)
    assert (found.name, found.low, found.high) == (name, low, high)


def test_ranges_hold_for_molecules():
    smiles = np.array(["CCO", "c1ccccc1", "not valid", "C"], object)
    assert ranges(["rings=1"], MEASURES)[0].holds(smiles).tolist() == [False, True, False, False]
    assert ranges({"MW": "40..50"}, MEASURES)[0].holds(smiles).tolist() == [True, False, False, False]
    assert ranges(["rings>1"], MEASURES)[0].holds(smiles).tolist() == [False] * 4
    assert ranges(["rings>=1"], MEASURES)[0].holds(smiles).tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (["logP"], "'logP' is not a condition; write NAME=LOW..HIGH"),
        (["logP=.."], "is not a condition"),
        (["logP=3..2"], r"'logP=3..2' is an empty range; write logP=2..3"),
        (["logp>2"], "there is no property 'logp'; did you mean 'logP'"),
        (["beauty>2"], "there is no property 'beauty'; choose from logP, QED"),
        (["logP<2", "logP>3"], "'logP<2' and 'logP>3' cannot both hold"),
        (["logP=40..50"], r"training molecules have logP from .* to .*, the nearest is 3\.933"),
        (["MW<10"], "the nearest is 106"),
    ],
)
def test_unusable_conditions(fitted, where, message):
    with pytest.raises(InputError, match=message):
        fitted[0].request(where=where)


def test_requests_draw_conditions_from_examples_that_satisfy_them(fitted):
    modality, _ = fitted
    request = modality.request(where=["MW=120..130", "rings=1"])
    drawn = modality.draw_conditions(50, torch.device("cpu"), request.condition)
    i = PROPERTIES.index("MW")
    weights = drawn[:, i] * modality.deviations[i] + modality.means[i]
    assert ((weights >= 119.99) & (weights <= 130.01)).all()
    assert drawn[:, PROPERTIES.index("logP")].isnan().all()
    assert request.notes == ("rings is only filtered by, as the model was not trained with it (conditions=rings)",)
    assert modality.draw_conditions(3, torch.device("cpu")).isnan().all()


def test_columns_are_estimated_for_new_molecules(tmp_path):
    table = frame()
    weights = [Chem.Descriptors.MolWt(Chem.MolFromSmiles(text)) for text in table["drug"]]
    table["pIC50"] = np.array(weights) / 20 + np.random.default_rng(0).normal(0, 0.1, 120)
    table.loc[3, "pIC50"] = np.nan
    table.to_csv(tmp_path / "t.csv", index=False)
    items = find(tmp_path / "t.csv")
    modality = Molecules(described=("pIC50", "logP")).fit(items)
    (own,) = modality.estimates
    assert own.r2 > 0.9
    encoded = modality.encode(items)
    assert encoded.notes[-1].startswith("pIC50 of new molecules is estimated by ridge regression (R² ")
    assert encoded.tensors["properties"][3].isnan().tolist() == [True, False]
    request = modality.request(where="pIC50=6..7")
    made = np.array([text for text, weight in zip(table["drug"], weights, strict=True) if weight < 160], object)
    holds = request.rules[0].holds(made)
    expected = np.array([6 <= w / 20 <= 7 for w in weights if w < 160])
    assert (holds == expected).mean() > 0.9
    assert any("R²" in note for note in request.notes)
    with pytest.raises(
        InputError, match=r"there is no property 'zzzz'; choose from .*, pIC50 or a descriptor of RDKit"
    ):
        modality.request(where="zzzz>2")
    with pytest.raises(InputError, match="conditions=pIC5 is no descriptor of RDKit and no column of numbers; did you"):
        Molecules(described=("pIC5",)).fit(items)
    table.assign(few=[1.0, 2, 3, 4, 5] + [np.nan] * 115).to_csv(tmp_path / "f.csv", index=False)
    other = find(tmp_path / "f.csv")
    with pytest.raises(InputError, match="conditions=few has 5 values"):
        Molecules(described=("few",)).fit(other)


def test_survey_names_lines(tmp_path):
    lines = [*benzenes()[:30], "xyz", "CC(=O)[O-].[Na+]", "C[C@H](N)O", "[2H]C", benzenes()[0], "C[Se]C"]
    (tmp_path / "s.smi").write_text("\n".join(lines))
    survey = Molecules.survey(find(tmp_path / "s.smi"), "s.smi")
    assert survey.unreadable == (("line 31", "'xyz' is not a valid SMILES"),)
    assert survey.found["salts"] == ("line 32",)
    assert survey.found["charges"] == ("line 32",)
    assert survey.found["stereo"] == ("line 33",)
    assert survey.found["isotopes"] == ("line 34",)
    assert survey.found["duplicates"] == ("line 35",)
    assert any(text.startswith("Se (line 36") for text in survey.found["rare atoms"])
    assert survey.left_out == (("line 35", "the same molecule as line 1"),)
    assert survey.count == 35
    assert any("largest fragment" in text for text in survey.advice())
    survey.write(tmp_path / "report")
    assert (tmp_path / "report" / "molecules.png").exists()


@pytest.mark.parametrize("suffix", [".smi", ".csv", ".sdf", ".png"])
def test_written_molecules_are_read_again(fitted, tmp_path, suffix):
    modality, items = fitted
    smiles = np.array(modality.cleaned(items).smiles[:9], object)
    path = tmp_path / f"out{suffix}"
    Samples(smiles, None, modality).save(path)
    if suffix == ".png":
        return
    again = find(path)
    assert Molecules().cleaned(again).smiles == tuple(smiles)
    if suffix != ".smi":
        assert {"logP", "MW"} <= set(again.items.columns)
        weights = [Chem.Descriptors.MolWt(Chem.MolFromSmiles(text)) for text in smiles]
        assert again.items.columns["MW"] == pytest.approx(weights, rel=1e-4)


def test_drawings_show_invalid_molecules_too(fitted):
    modality, _ = fitted
    images = modality.draw_items(Samples(np.array(["CCO", "((", ""], object), None, modality))
    assert [image.size for image in images] == [images[0].size] * 3
    compared = modality.compare(Samples(np.array(["CCO", "CCN"], object), None, modality), None, lambda: None)
    assert compared.distributions[0].name == "logP"
    assert sum(compared.distributions[0].real) == pytest.approx(1)


def test_without_rdkit_tables_are_tables_and_lists_name_the_extra(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.modalities.molecules.reading.find_spec", lambda _: None)
    frame().to_csv(tmp_path / "t.csv", index=False)
    assert find(tmp_path / "t.csv").kind == "rows"
    with pytest.raises(InputError, match="rdkit reads molecules and is not installed; pip install"):
        find(write_benzenes(tmp_path / "b.smi"))


def test_names_of_sets(tmp_path, monkeypatch):
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(
        InputError, match=r"the data set 'esol' is not here; put delaney-processed.csv into .*molecules"
    ):
        find("esol")
    (tmp_path / "molecules").mkdir()
    frame().to_csv(tmp_path / "molecules" / "delaney-processed.csv", index=False)
    assert (find("esol").name, len(find("esol"))) == ("esol", 120)


BAD = [
    ("empty.smi", b"", "is empty"),
    ("blank.smi", b"\n\n", "is empty"),
    ("one.smi", b"CCO\n", "has 1 molecules; give at least two"),
    ("binary.smi", bytes(range(256)), "is not text"),
    ("zeros.smi", b"C\0C\0", "is not text"),
    ("bad.smi", b"xyz\nuvw\n", "has no molecule that can be learned; line 1: 'xyz' is not a valid SMILES"),
    ("bad.sdf", b"nothing", "is not an SD file"),
    ("bad.csv", b"id,smiles\n1,xyz\n2,uvw\n", "column 'smiles' holds no valid SMILES, the first is 'xyz'"),
    ("cut.smi.gz", gzip.compress(b"CCO\nCCN\n")[:-4], "cut off or damaged"),
]


@pytest.mark.parametrize(("name", "content", "message"), BAD, ids=[name for name, _, _ in BAD])
def test_bad_files_are_one_line(tmp_path, monkeypatch, capsys, name, content, message):
    (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["sparring", "train", str(tmp_path / name), "--out", str(tmp_path / "run")])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    error = capsys.readouterr().err.strip()
    assert message in error.replace("\n", " ")
    assert "Traceback" not in error


def test_samples_are_valid_and_satisfy_what_is_asked(tmp_path):
    settings = {"out": tmp_path / "run", "steps": 60, "quiet": True, "device": "cpu"}
    fields = {"width": 48, "embedding": 16, "batch": 64, "candidates": 4, "conditions": "MW", "lr": 1e-2, "D": 8}
    model = sparring.train("molecules", write_benzenes(tmp_path / "b.smi"), **settings, **fields)
    asked = ranges(["MW<150"], MEASURES)[0]
    samples = model.sample(6, seed=1, where="MW<150")
    assert len(samples) == 6
    assert asked.holds(samples.items).all()
    assert samples.notes
    assert "satisfy MW<150" in samples.notes[0]
