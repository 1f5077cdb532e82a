"""A file that any tool made is evaluated without a model, by the judge of its kind of data."""

import json
import sys

import numpy as np
import pandas as pd
import pytest
import soundfile
from benzenes import benzenes, write_benzenes
from captions import write_captions
from songs import chorales

import sparring
from sparring.cli import main
from sparring.errors import InputError
from sparring.evaluation import evaluate, judge
from sparring.metrics import chemistry
from sparring.modalities import find
from sparring.modalities.molecules import Molecules

pytestmark = pytest.mark.usefixtures("brief_classifiers")


def customers(n, seed):
    """Incomes that depend on the age."""
    random = np.random.default_rng(seed)
    age = random.integers(18, 80, n)
    income = np.round(age * random.lognormal(3, 0.08, n))
    rich = np.where(income > 1000, "yes", "no")
    return pd.DataFrame({"age": age, "income": income, "town": random.choice(["a", "b", "c"], n), "rich": rich})


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "real.csv"
    customers(1500, 0).to_csv(path, index=False)
    return path


def test_rows_that_a_tool_copied_or_shuffled_are_told_from_new_ones(table, tmp_path):
    real = pd.read_csv(table)
    for name, frame in {
        "new": customers(900, 1),
        "copied": real.sample(900, random_state=0),
        "shuffled": real.apply(lambda column: column.sample(frac=1, random_state=len(column.name)).to_numpy()),
    }.items():
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
    new, copied, shuffled = (judge(tmp_path / f"{name}.csv", table) for name in ("new", "copied", "shuffled"))
    assert (new.samples, new.real, set(new.baselines)) == (900, 150, {"independent", "shuffled_within_class", "copy"})
    assert new["c2st_auc"] < 0.6 < shuffled["c2st_auc"]
    assert not new.findings
    assert copied["exact_copy_share"] > 0.85  # the others are held out
    assert "copies" in {finding.name for finding in copied.findings}
    assert "which of the real items the tool was trained on is not known" in new.protocol
    target = {number.name for number in judge(tmp_path / "new.csv", table, target="town").numbers}
    assert "tstr[town auc]" in target


def test_a_model_and_the_file_of_its_samples_have_the_same_metrics(tmp_path):
    """The file is read and compared as the model's samples are."""
    model = sparring.train("gan", "digits", out=tmp_path / "run", steps=2, quiet=True, G=(8,), D=(8,), labels=False)
    expected = evaluate(model, samples=60, features=["patches"])
    model.sample(60, seed=0).save(tmp_path / "made.npz")
    found = judge(tmp_path / "made.npz", "digits", recipe="gan", features=["patches"], labels=False)
    assert found.samples == expected.samples == 60
    for number in expected.numbers:
        assert found[number.name] == pytest.approx(number.value, rel=1e-4), number.name
    assert [n.value for n in found.floor] == [n.value for n in expected.floor]


def test_pictures_with_the_classes_of_the_data(tmp_path):
    digits = find("digits")
    wrong = (digits.labels[:200] + 1) % 10
    for name, labels in (("right", digits.labels[:200]), ("wrong", wrong)):
        np.savez(tmp_path / f"{name}.npz", images=digits.items[:200], labels=labels)
    right, other = (judge(tmp_path / f"{name}.npz", "digits") for name in ("right", "wrong"))
    accuracy = "conditional_accuracy[classifier]"
    assert right[accuracy] > other[accuracy] + 0.1  # of a classifier that was trained for a few steps
    assert right["near_copy_share"] > 0.8
    assert "copies" in {finding.name for finding in right.findings}


def test_invalid_and_repeated_molecules_count(tmp_path, monkeypatch):
    path = write_benzenes(tmp_path / "real.smi")
    modality, items = Molecules(), find(path)
    cleaned = modality.cleaned(items)
    train = [cleaned.smiles[i] for i in modality.split(items, cleaned.rows).train]
    new = chemistry.canonical(["CCCCc1ccccc1", "CCCCCc1ccccc1", "c1ccccc1CCN"])
    (tmp_path / "made.smi").write_text("\n".join([*train[:12], *new, new[0], "((", "c1ccc"]))
    found = judge(tmp_path / "made.smi", path)
    assert found["valid"] == 16 / 18
    assert found["novelty"] == 3 / 15
    assert found.baselines.keys() == {"copy", "add_carbon", "ngram", "recombined", "repeated"}
    monkeypatch.setattr("sparring.modalities.molecules.judge.find_spec", lambda _: None)  # no slow metrics
    monkeypatch.setattr("sparring.modalities.molecules.judge.baselines", lambda *_: {})
    pd.DataFrame({"name": range(18), "smiles": (tmp_path / "made.smi").read_text().split()}).to_csv(
        tmp_path / "made.csv", index=False
    )
    assert judge(tmp_path / "made.csv", path)["valid"] == 16 / 18
    (tmp_path / "bad.smi").write_text("((\n" * 20)
    nothing = judge(tmp_path / "bad.smi", path)
    assert nothing["valid"] == 0
    assert np.isnan(nothing["novelty"])
    (tmp_path / "few.smi").write_text("\n".join(benzenes()[:9]))
    with pytest.raises(InputError, match="'few' has 9 molecules; evaluating needs at least 10"):
        judge(tmp_path / "few.smi", path)


def test_copied_and_new_texts(tmp_path):
    path = write_captions(tmp_path / "real.txt", 400)
    lines = path.read_text().splitlines()
    copied = tmp_path / "copied.txt"
    copied.write_text("\n".join(lines[:60]) + "\n")
    new = tmp_path / "new.txt"
    new.write_text("\n".join(f"{line} again" for line in lines[:60]) + "\n")
    copies, others = judge(copied, path), judge(new, path)
    assert copies["copy_share"] > 0.8
    assert others["copy_share"] == 0
    assert set(copies.baselines) == {"3-grams", "5-grams", "repeated", "spliced", "picked"}
    assert "temperatures" not in copies.protocol
    (tmp_path / "few.txt").write_text("a cat\na dog\n")
    with pytest.raises(InputError, match="'few' has 2 texts; evaluating needs at least 20"):
        judge(tmp_path / "few.txt", path)


def prices(n, seed):
    random = np.random.default_rng(seed)
    close = 100 * np.exp(random.normal(0, 0.01, n).cumsum())
    return pd.DataFrame({"Close": close.round(2)}, pd.bdate_range("2020-01-01", periods=n, name="Date")).reset_index()


def test_paths_below_one_another_and_a_single_long_one(tmp_path):
    prices(700, 0).to_csv(tmp_path / "real.csv", index=False)
    several = pd.concat([prices(150, seed).assign(path=seed) for seed in range(1, 6)])
    several.to_csv(tmp_path / "several.csv", index=False)
    prices(400, 9).to_csv(tmp_path / "one.csv", index=False)
    found = judge(tmp_path / "several.csv", tmp_path / "real.csv")
    assert (found.samples, found.real) == (10, 70)  # two parts of each path
    assert judge(tmp_path / "one.csv", tmp_path / "real.csv").samples == 5
    joined = judge(tmp_path / "several.csv", tmp_path / "real.csv")["kurtosis"]
    assert joined < 2  # no jumps from one path to the next
    prices(100, 3).to_csv(tmp_path / "short.csv", index=False)
    with pytest.raises(InputError, match="1 paths of at most 100 steps; evaluating needs two parts of 70 steps"):
        judge(tmp_path / "short.csv", tmp_path / "real.csv")


def test_sounds(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.modalities.audio.classifier.STEPS", 5)
    random = np.random.default_rng(0)
    for folder, count, low in (("real", 48, 300), ("made", 14, 900)):
        for i in range(count):
            t = np.arange(900) / 8000
            path = tmp_path / folder / "ab"[i % 2]
            path.mkdir(parents=True, exist_ok=True)
            wave = np.sin(2 * np.pi * low * random.uniform(1, 2) * t) * np.exp(-20 * t)
            soundfile.write(path / f"{i:02}.wav", 0.4 * wave, 8000)
    found = judge(tmp_path / "made", tmp_path / "real")
    assert found.samples == 14
    assert found["spectral_distance"] > 2 * found.of_real("spectral_distance")
    assert found["near_copy_share"] == 0


def test_music(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.metrics.two_sample.STEPS", 5)
    chorales(tmp_path / "real", 44, bars=8)
    chorales(tmp_path / "made", 6, bars=8)
    found = judge(tmp_path / "made", tmp_path / "real")
    assert found.samples >= 6
    assert found["copied[8 beats]"] > 0.5  # the same songs


BAD = [
    (["made.csv"], "no such option|Missing option '--against'"),
    (["nothing.csv", "--against", "digits"], "there is no data set or path 'nothing.csv'"),
    (["made.csv", "--against", "digits"], "made.csv holds rows, but digits holds images; give files of one kind"),
    (["made.csv", "--against", "real.csv", "size=3"], "has no field 'size'"),
    (["made.csv", "--against", "real.csv", "features=3"], "features=3 is not a field of a recipe; see the options"),
    (["narrow.csv", "--against", "real.csv"], "'narrow' has no column 'town', which the real rows have"),
    (["few.csv", "--against", "real.csv"], "'few' has 7 rows; evaluating needs at least 20"),
    (["made.csv", "--against", "real.csv", "--features", "patches"], "features=patches is not for rows"),
]


@pytest.mark.parametrize(("words", "message"), BAD)
def test_bad_input_is_one_line(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    customers(300, 0).to_csv("real.csv", index=False)
    customers(60, 1).to_csv("made.csv", index=False)
    customers(60, 1).drop(columns="town").to_csv("narrow.csv", index=False)
    customers(7, 1).to_csv("few.csv", index=False)
    assert run(words, monkeypatch) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert any(part in error for part in message.split("|"))
    assert "Traceback" not in error


def run(words, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["sparring", "judge", *words])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code


def test_the_command(table, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    customers(200, 1).to_csv("made.csv", index=False)
    assert not run(["made.csv", "--against", str(table)], monkeypatch)
    shown = capsys.readouterr().out
    assert "column_shapes" in shown
    assert "- no problems found" in shown
    assert not run(["made.csv", "--against", str(table), "--json"], monkeypatch)
    content = json.loads(capsys.readouterr().out)
    assert content["numbers"]["exact_copy_share"].keys() >= {"value", "real", "independent", "copy", "best"}


def test_pictures_that_are_generated_from_pictures_need_a_model(tmp_path):
    from PIL import Image

    random = np.random.default_rng(0)
    for i in range(24):
        for side in ("input", "target"):
            (tmp_path / "pairs" / side).mkdir(parents=True, exist_ok=True)
            pixels = random.integers(0, 255, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pairs" / side / f"{i:02}.png")
    with pytest.raises(InputError, match="cannot be evaluated without the model that generated it"):
        judge(tmp_path / "pairs", tmp_path / "pairs")
