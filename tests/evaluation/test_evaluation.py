"""The evaluation of a model, where it is written, and models in comparison."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import sparring
from sparring.errors import InputError
from sparring.evaluation import compare, evaluate
from sparring.evaluation.compare import names
from sparring.evaluation.ranks import Ranks
from sparring.evaluation.report import HEADING, OLD_HEADING, record
from sparring.modalities import find

pytestmark = pytest.mark.usefixtures("brief_classifiers")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two short runs on digits, one of them with labels."""
    folder = tmp_path_factory.mktemp("runs")
    for name, labels in (("with", True), ("without", False)):
        sparring.train("gan", "digits", out=folder / name, steps=20, quiet=True, labels=labels, G=(32,), D=(32,))
    return folder


def test_every_metric_has_a_floor_and_a_baseline(runs):
    evaluation = evaluate(runs / "with", samples=200)
    assert (evaluation.samples, evaluation.real) == (200, 200)
    assert evaluation["fid[patches]"] > evaluation.of_real("fid[patches]")
    assert evaluation["cas[classifier]"] < evaluation.of_real("cas[classifier]")
    assert {floor.name for _, (floor, _) in evaluation.rows()} == {n.name for n in evaluation.numbers}
    assert all(baseline is not None for _, (_, baseline) in evaluation.rows())
    assert "200 samples compared with 1,597 images of the training part of digits" in evaluation.protocol
    assert "180 of them from its held-out part" in evaluation.protocol
    with pytest.raises(InputError, match=r"'fid' was not measured; choose from fid\[classifier\]"):
        evaluation["fid"]


def test_a_model_without_labels_has_no_conditional_metrics(runs):
    """Its samples are still classified, because the data have labels."""
    names = {n.name for n in evaluate(runs / "without", samples=100).numbers}
    assert "classes_covered[classifier]" in names
    assert not {"conditional_accuracy[classifier]", "cas[classifier]"} & names


def test_evaluations_are_reproducible(runs):
    """The same samples have the same metrics, and the caller's random state does not change."""
    import torch

    torch.manual_seed(5)
    before = torch.get_rng_state()
    one, two = (evaluate(runs / "with", samples=100) for _ in range(2))
    assert [str(n) for n in one.numbers] == [str(n) for n in two.numbers]
    assert torch.equal(before, torch.get_rng_state())
    assert evaluate(runs / "with", samples=100, seed=1)["fid[patches]"] != one["fid[patches]"]


def test_against_other_data(runs, tmp_path):
    """A folder with some of the same digits."""
    items = find("digits")
    for i, (pixels, label) in enumerate(zip(items.items[:300], items.labels[:300], strict=True)):
        (tmp_path / "set" / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / "set" / str(label) / f"{i:03}.png")
    evaluation = evaluate(runs / "with", against=tmp_path / "set")
    assert evaluation.samples == 100
    assert "cas[classifier]" in {n.name for n in evaluation.numbers}
    np.savez(tmp_path / "plain.npz", images=items.items[:30])  # and without labels
    plain = evaluate(runs / "with", against=tmp_path / "plain.npz")
    assert (plain.samples, plain.real) == (10, 10)
    assert "fid[patches]" in {n.name for n in plain.numbers}
    assert "cas[classifier]" not in {n.name for n in plain.numbers}
    np.savez(tmp_path / "few.npz", images=items.items[:17])
    with pytest.raises(InputError, match="'few' has 17 images; evaluating needs at least 18"):
        evaluate(runs / "with", against=tmp_path / "few.npz")
    with pytest.raises(InputError, match="5 samples cannot be evaluated; ask for 6 to 10,000,000"):
        evaluate(runs / "with", samples=5)


def test_data_that_have_changed_since_the_training(tmp_path, pictures, capsys):
    """Items that count as held out may have been trained on, and the user is informed."""
    import shutil

    folder = shutil.copytree(pictures(1), tmp_path / "set")
    for i in range(8):
        shutil.copy(folder / "cats" / f"{i}.png", folder / "cats" / f"more{i}.png")
    sparring.train("gan", folder, out=tmp_path / "run", steps=2, quiet=True, G=(8,), D=(8,))
    evaluate(tmp_path / "run", quiet=False)
    assert "when the model was trained" not in capsys.readouterr().out
    (folder / "cats" / "more0.png").unlink()
    evaluate(tmp_path / "run", quiet=False)
    assert "had 24 images when the model was trained and has 23 now" in " ".join(capsys.readouterr().out.split())


def test_a_record_replaces_an_older_one(runs):
    evaluation = evaluate(runs / "without", samples=100, features=["patches"])
    before = (runs / "without" / "README.md").read_text()
    (runs / "without" / "README.md").write_text(f"{before.rstrip()}\n\n{OLD_HEADING}\n\nof an older version\n")
    for _ in range(2):
        record(runs / "without", evaluation)
    card = (runs / "without" / "README.md").read_text()
    assert card.startswith(before.rstrip())
    assert card.count(HEADING) == 1
    assert OLD_HEADING not in card
    assert f"| fid[patches] | {evaluation.numbers[0]} |" in card
    content = json.loads((runs / "without" / "evaluation.json").read_text())
    assert content["numbers"]["fid[patches]"]["value"] == evaluation["fid[patches]"]
    assert content["numbers"]["memorization"]["real"] == 0.5
    assert content["findings"]


def test_further_training_removes_the_evaluation(tmp_path):
    """It was one of the earlier model."""
    run = tmp_path / "run"
    sparring.train("gan", "digits", out=run, steps=2, quiet=True, G=(8,), D=(8,))
    record(run, evaluate(run, samples=50, features=["patches"]))
    sparring.train("gan", "digits", out=run, steps=4, quiet=True, resume=True)
    assert not (run / "evaluation.json").exists()
    assert HEADING not in (run / "README.md").read_text()


@pytest.mark.usefixtures("real_curves")
def test_comparing(runs, tmp_path):
    compared = compare([runs / "with", runs / "without"], tmp_path / "page", samples=100)
    page = (tmp_path / "page" / "README.md").read_text()
    assert "| | with | without | real | baseline |".replace("| |", "|  |") in page
    shown = next(line for line in page.splitlines() if line.startswith("| fid[patches]"))
    fids = [next(n for n in c.evaluation.numbers if n.name == "fid[patches]") for c in compared]
    assert [str(number) for number in fids] == shown.split(" | ")[1:3]
    assert "cas[classifier]" not in page  # only one of them has it
    assert min(Image.open(tmp_path / "page" / "compare.png").size) > 300
    assert Image.open(tmp_path / "page" / "samples-2.png").size[0] > 300
    assert len(json.loads((tmp_path / "page" / "compare.json").read_text())) == 2
    with pytest.raises(InputError, match="page exists already"):
        compare([runs / "with", runs / "without"], tmp_path / "page", samples=100)
    (runs / "with" / "page").mkdir()
    run, other = "holds a run", "was not written by sparring"
    for place, message in ((runs, run), (runs / "with", run), (tmp_path, other)):  # only pages are overwritten
        with pytest.raises(InputError, match=message):
            compare([runs / "with", runs / "without"], place, samples=100, force=True)
    with pytest.raises(InputError, match="1 samples cannot be evaluated"):
        compare([runs / "with", runs / "without"], tmp_path / "page", samples=1, force=True)
    with pytest.raises(InputError, match="1 run was given"):
        compare([runs / "with"], tmp_path / "other")


def test_runs_of_different_data_need_against(runs, tmp_path):
    sparring.train(None, "ring", out=tmp_path / "ring", steps=2, quiet=True, G=(8,), D=(8,))
    with pytest.raises(InputError, match="these runs were trained on digits, ring; choose one with --against"):
        compare([runs / "with", tmp_path / "ring"], tmp_path / "page")


def test_equal_names_of_folders(tmp_path):
    paths = [tmp_path / "a" / "run", tmp_path / "b" / "run", tmp_path / "c"]
    assert names(paths) == [str(paths[0]), str(paths[1]), "c"]


@pytest.mark.parametrize("number", [2, 5])
def test_metrics_do_not_depend_on_the_number_of_ranks(runs, monkeypatch, number):
    """Each rank evaluates its own parts; what they gather is what one process computes, bit for bit."""
    alone = evaluate(runs / "with", samples=500)
    sent = []
    for rank in reversed(range(number)):
        place = {"fabric": None, "rank": rank, "number": number}
        monkeypatch.setattr(Ranks, "__init__", lambda ranks, _, place=place: ranks.__dict__.update(place))
        if rank:
            monkeypatch.setattr(Ranks, "gather", lambda _, own: sent.insert(0, own) or [])
            with pytest.raises(AssertionError):  # there is nobody to hear the result from
                evaluate(runs / "with", samples=500)
    monkeypatch.setattr(Ranks, "gather", lambda _, own: [own, *sent])
    assert len(sent) == number - 1
    assert all(tensors for tensors, _ in sent)
    assert repr(evaluate(runs / "with", samples=500)) == repr(alone)  # some errors are not numbers


def test_what_ranks_cannot_evaluate_is_refused(runs):
    with pytest.raises(InputError, match="ranks=2 was given for a model in memory; save it, and give its folder"):
        evaluate(sparring.load(runs / "with"), ranks=2)
    with pytest.raises(InputError, match="ranks=0 cannot run here"):
        evaluate(runs / "with", ranks=0)


@pytest.mark.slow
def test_processes_of_any_launcher_evaluate_together(runs):
    """As typed: by themselves, and started by torchrun. The first process alone prints."""
    several = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    typed = ("-m", "sparring", "evaluate", str(runs / "with"), "--samples", "300", "--json")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def printed(*arguments):
        return json.loads(subprocess.check_output([sys.executable, *arguments], env=environment, text=True))

    alone = printed(*typed)
    assert printed(*typed, "--ranks", "2") == alone
    assert printed(*several, *typed) == alone
