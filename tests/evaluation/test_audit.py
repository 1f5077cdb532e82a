"""An audit recognizes models that leak, and no others."""

import json
import os
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from test_cli import sparring as typed

import sparring
from sparring.console import Screen
from sparring.data.items import Items
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.evaluation import audit_targets
from sparring.evaluation.audit import audit, audit_file
from sparring.evaluation.audit_page import epsilon_words, record
from sparring.evaluation.audit_results import Scored
from sparring.evaluation.audit_targets import TrainedModel
from sparring.evaluation.audited import audited
from sparring.evaluation.auditor import Auditor
from sparring.metrics.results import Number
from sparring.modalities.joint import Joint
from sparring.modalities.joint.tuples import Tuples
from sparring.modalities.points import Points
from sparring.modalities.series import Series
from sparring.modalities.text import Text


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    out = tmp_path_factory.mktemp("audited") / "run"
    sizes = {"G": (8,), "D": (8,), "z": 4, "batch": 16}
    sparring.train("gan", "digits", out=out, steps=2, quiet=True, device="cpu", labels=True, **sizes)
    return out


def auditor_of(model):
    cpu, screen = torch.device("cpu"), Screen(quiet=True)
    return Auditor(TrainedModel(model, None, 0, cpu, screen), (), cpu, screen)


@pytest.fixture
def auditor(run):
    """The data of an audit, to make samples from."""
    model = sparring.load(run)
    return auditor_of(model)


def generates(monkeypatch, auditor, rows):
    """Let models generate these real items."""

    real = auditor.members.real

    def stream(_, n, **__):
        for batch in torch.split(rows[torch.arange(n) % len(rows)], 100):
            yield {VALUES: real.modality.scale(real.data.part(VALUES, batch))}, None

    monkeypatch.setattr(sparring.Model, "stream", stream)


def test_a_copier_is_recognized(run, auditor, monkeypatch):
    generates(monkeypatch, auditor, auditor.target.trained.rows)
    found = audit(run)
    assert found.leaks
    assert found.worst.auc.low > 0.9
    assert found.worst.auc.value == pytest.approx(found.worst.ceiling.value)
    assert found.worst.tpr.value > 0.9
    assert "training items can be recognized: gan_leaks" in found.verdict
    assert found.findings[0].name == "membership can be inferred"


def test_a_generator_that_has_not_seen_the_items_leaks_nothing(run, auditor, monkeypatch):
    generates(monkeypatch, auditor, auditor.rest.rows)
    found = audit(run)
    assert not found.leaks
    assert found.findings == ()
    assert {attack.name.partition("[")[0] for attack in found.attacks} == {
        "gan_leaks", "gan_leaks_calibrated", "domias", "logan",
    }  # fmt: skip


def test_a_discriminator_that_knows_the_items_is_recognized(run, auditor, monkeypatch):
    generates(monkeypatch, auditor, auditor.rest.rows)
    real = auditor.members.real
    known = real.modality.scale(real.data.part(VALUES, auditor.target.trained.rows)).flatten(1)

    def remember(_, x, __):
        return -torch.cdist(x.flatten(1), known).min(1).values

    monkeypatch.setattr(audit_targets, "logits", remember)
    found = audit(run)
    assert found.worst.name == "logan"
    assert found.worst.auc.low > 0.95


def test_held_out_items_that_differ_are_no_leak(tmp_path):
    """Later windows of a series that grows wilder are unlike earlier ones, whatever a model does."""
    values = np.cumsum(np.random.default_rng(0).normal(0.0, 0.1, 3000) * np.linspace(1, 40, 3000))
    (tmp_path / "trend.csv").write_text("value\n" + "\n".join(f"{v:.3f}" for v in values))
    out, sizes = tmp_path / "run", {"window": 60, "width": 8, "depth": 1}
    model = sparring.train("series", tmp_path / "trend.csv", out=out, steps=2, quiet=True, device="cpu", **sizes)
    found = audit(model)
    assert found.biased
    assert found.epsilon is None
    assert not found.leaks
    assert "they are weak here: held-out items differ from training items" in found.verdict


def test_items_that_the_data_set_holds_out_give_no_bound_of_epsilon(tmp_path, monkeypatch):
    pixels = np.random.default_rng(0).integers(0, 255, (180, 8, 8), dtype=np.uint8)
    np.savez(tmp_path / "own.npz", x_train=pixels[:120], x_test=pixels[120:])
    out, sizes = tmp_path / "run", {"G": (4,), "D": (4,), "batch": 4}
    model = sparring.train("gan", tmp_path / "own.npz", out=out, steps=1, quiet=True, device="cpu", **sizes)
    made = auditor_of(model)
    generates(monkeypatch, made, made.target.trained.rows)
    found = audit(model)
    assert found.leaks
    assert not found.biased
    assert found.epsilon is None
    assert "No lower bound of epsilon is given" in epsilon_words(found)
    assert json.loads(json.dumps(found.content()))["epsilon"] is None


def test_splits_by_place_are_not_random():
    items = Items("any", "any", np.zeros(30))
    assert Points().splits_at_random(items)
    assert Text().splits_at_random(items)
    assert not Text(continuous=True).splits_at_random(items)
    assert not Series().splits_at_random(items)
    assert not Points().splits_at_random(replace(items, held=np.arange(30) > 20))
    parts = {"one": items, "other": replace(items, held=np.arange(30) > 20)}
    rows = dict.fromkeys(parts, np.arange(30))
    for names, random in ((["one"], True), (["one", "other"], False)):
        tuples = Tuples({name: parts[name] for name in names}, rows, np.arange(30))
        assert Joint().splits_at_random(Items("any", Joint.kind, tuples)) is random


def test_the_bound_says_what_it_is_of():
    words = epsilon_words(SimpleNamespace(epsilon=1.5, promise=None))
    assert "delta = 0 and an epsilon below 1.50" in words
    assert "differ in the replacement of one record, or below 0.75, if one record is added or removed" in words


def test_a_biased_attack_must_beat_its_floor():
    random = torch.Generator().manual_seed(0)
    high, low = torch.randn(200, generator=random) + 2, torch.randn(200, generator=random)
    differ = Scored("attack", (high, low), floor=(high, low), ceiling=(high, low)).judged(0.95)
    leaking = Scored("attack", (high + 3, low), floor=(high, low), ceiling=(high, low)).judged(0.95)
    assert differ.auc.value > 0.9
    assert differ.excess < 0 < leaking.excess


def test_the_command_writes_a_page(run, monkeypatch, capsys):
    status, printed, errors = typed(monkeypatch, capsys, "audit", run)
    assert (status, errors) == (0, "")
    assert "gan_leaks_calibrated[patches]" in printed
    page = (run / "audit.html").read_text()
    assert "What this page does not show" in page
    assert "data:image/png;base64," in page
    content = json.loads((run / "audit.json").read_text())
    assert {attack["name"] for attack in content["attacks"]} >= {"logan", "domias[patches]"}
    card = (run / "README.md").read_text()
    assert card.count("## Privacy audit") == 1
    typed(monkeypatch, capsys, "audit", run)
    assert (run / "README.md").read_text() == card


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--samples", 3), "3 samples were asked for; give 20 to 10,000"),
        (("--samples", 0), "0 samples were asked for; give 20 to 10,000"),
        (("--features", "nope"), "images have no features 'nope'"),
    ],
)
def test_bad_input(run, monkeypatch, capsys, words, why):
    status, _, errors = typed(monkeypatch, capsys, "audit", run, *words)
    assert (status, errors.count("\n")) == (2, 1)
    assert why in errors


def test_too_few_held_out_items(tmp_path):
    np.savez(tmp_path / "few.npz", images=np.random.default_rng(0).integers(0, 255, (60, 8, 8, 1), dtype=np.uint8))
    model = sparring.train(
        "gan", tmp_path / "few.npz", out=tmp_path / "run", steps=1, quiet=True, device="cpu", G=(4,), D=(4,), batch=4
    )
    with pytest.raises(InputError, match=r"holds out \d+ images, and an audit needs 40 of them; train on more data"):
        audit(model)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Files of training rows, of other rows, of new ones, and of copies of the training rows."""
    random, folder = np.random.default_rng(0), tmp_path_factory.mktemp("rows")
    values = random.normal(size=(900, 4)).round(4)
    frame = pd.DataFrame(values, columns=["a", "b", "c", "d"]).assign(kind=random.choice(["x", "y"], 900))
    parts = {"train": frame[:300], "held": frame[300:600], "new": frame[600:], "copies": frame[:300]}
    for name, part in parts.items():
        part.to_csv(folder / f"{name}.csv", index=False)
    return folder


def test_a_file_of_copies_is_told_from_one_of_new_rows(rows):
    copied, new = (
        audit_file(rows / f"{name}.csv", rows / "train.csv", rows / "held.csv") for name in ("copies", "new")
    )
    assert copied.leaks
    assert copied.worst.auc.value > 0.95
    assert copied.exposed is not None
    assert not new.leaks
    assert {attack.name.partition("[")[0] for attack in new.attacks} == {"gan_leaks", "gan_leaks_calibrated", "domias"}
    assert new.epsilon is None  # nobody says how the tool's training rows were chosen
    assert "do not publish these samples" in copied.findings[0].advice
    assert "150 training rows of train and 150 held-out ones are candidates; attacks use 300 samples" in copied.protocol


def test_a_file_and_the_model_that_made_it_are_attacked_alike(run, auditor, tmp_path):
    model = sparring.load(run)
    real = auditor.members.real
    for name, pool in {"train": auditor.target.trained, "held": auditor.target.unseen}.items():
        values = real.modality.decode({VALUES: real.modality.scale(real.data.part(VALUES, pool.rows.sort().values))})
        np.savez(tmp_path / f"{name}.npz", images=values)
    np.savez(tmp_path / "made.npz", images=np.asarray(model.sample(auditor.target.count, seed=0).items))
    settings = {"recipe": "gan", "features": ["patches"]}
    of_file = audit_file(*(tmp_path / f"{name}.npz" for name in ("made", "train", "held")), **settings)
    of_model = audit(model, features=["patches"])
    found = [{one.name: one.auc.value for one in each.attacks if one.name != "logan"} for each in (of_file, of_model)]
    assert found[0].keys() == found[1].keys()
    assert all(abs(value - found[1][name]) < 0.05 for name, value in found[0].items())  # other items are candidates


def test_the_command_audits_a_file(rows, tmp_path, monkeypatch, capsys):
    page = tmp_path / "audit.html"
    words = ("audit", rows / "copies.csv", "--against", rows / "train.csv", "--held", rows / "held.csv", "-o", page)
    status, printed, errors = typed(monkeypatch, capsys, *words)
    assert (status, errors) == (0, "")
    assert "training items can be recognized" in printed
    assert "Privacy audit of copies.csv" in page.read_text()
    status, _, errors = typed(monkeypatch, capsys, *words)
    assert (status, "exists already" in errors) == (2, True)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (
            ("copies.csv", "--against", "train.csv"),
            "--against was given without --held; the attacks",
        ),
        (("copies.csv", "--held", "held.csv"), "--held was given without --against"),
        (("runs", "-o", "page.html"), "-o is for files of samples, with --against and --held"),
        (
            ("copies.csv", "--against", "train.csv", "--held", "few.csv"),
            "few has 3 rows, and an audit needs 40",
        ),
        (("copies.csv", "--against", "some.csv", "--held", "held.csv"), "some has 30 rows, and an audit needs 40"),
        (("copies.csv",), "copies.csv is a file of samples; give the data of its tool, too: --against and --held"),
        (
            ("copies.csv", "--against", "train.csv", "--held", "train.csv"),
            "train holds the same rows as train; give rows that the tool has not seen",
        ),
        (("digits", "--against", "train.csv", "--held", "held.csv"), "digits holds images, but train.csv holds rows"),
        (("copies.csv", "--against", "train.csv", "--held", "digits"), "digits holds images, but train.csv holds rows"),
        (
            ("copies.csv", "--against", "train.csv", "--held", "held.csv", "samples=30"),
            "samples=30 is not a field of a recipe; see the options with --help",
        ),
        (
            ("copies.csv", "--against", "train.csv", "--held", "held.csv", "-o", "page.txt"),
            "-o page.txt is not the name of a page; give one that ends in .html",
        ),
        (("copies.csv", "--against", "train.csv", "--held", "held.csv", "--samples", 400), "give 20 to 300"),
    ],
)
def test_bad_input_of_files(rows, monkeypatch, capsys, words, why):
    monkeypatch.chdir(rows)
    pd.read_csv("held.csv")[:3].to_csv("few.csv", index=False)
    pd.read_csv("train.csv")[:30].to_csv("some.csv", index=False)
    status, _, errors = typed(monkeypatch, capsys, "audit", *words)
    assert (status, errors.count("\n")) == (2, 1), errors
    assert why in errors


def test_held_out_items_that_were_trained_on(rows, tmp_path):
    """Attacks recognize nothing if the others are training items, too, and the verdict says why."""
    train, held = (pd.read_csv(rows / f"{name}.csv") for name in ("train", "held"))
    pd.concat([train[:200], held[:100]]).to_csv(tmp_path / "mixed.csv", index=False)
    found = audit_file(rows / "copies.csv", rows / "train.csv", tmp_path / "mixed.csv")
    assert found.repeated == pytest.approx(2 / 3, abs=0.01)
    assert found.weak
    assert found.leaks or "67% of held-out items are training items, too" in found.verdict
    honest = audit_file(rows / "new.csv", rows / "train.csv", tmp_path / "mixed.csv")
    assert "they are weak here: 67% of held-out items are training items, too" in honest.verdict
    assert honest.content()["held_out_repeated"] == honest.repeated


def test_copies_are_counted(run, auditor, monkeypatch):
    generates(monkeypatch, auditor, auditor.members.rows)
    (copied, held), *_ = audit(run).copies
    assert isinstance(copied, Number)
    assert copied.value > 0.9
    assert held.value == 0.5


def test_values_of_a_table_are_guessed_from_copies(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    data = {"age": random.integers(18, 90, 600), "ill": random.choice(["no", "yes"], 600), "cost": random.random(600)}
    pd.DataFrame(data).to_csv(tmp_path / "rows.csv", index=False)
    out = tmp_path / "run"
    sizes = {"width": 8, "D": 8, "batch": 20}
    model = sparring.train("table", tmp_path / "rows.csv", out=out, steps=2, quiet=True, device="cpu", **sizes)
    made = auditor_of(model)
    generates(monkeypatch, made, made.rest.rows)
    honest = audit(out)
    assert len(honest.attributes) == 3
    assert "logan" in {attack.name for attack in honest.attacks}  # the conditions of D come with the rows
    assert honest.exposed is None
    generates(monkeypatch, made, made.target.trained.rows)
    found = audit(out)
    assert found.exposed is not None
    assert found.exposed.members > 0.9
    assert found.epsilon > 0.4
    assert {one["name"] for one in found.content()["attributes"]} == {"age", "ill", "cost"}
    page = record(out, found).read_text()
    assert audited(out) == found.findings
    assert [finding.name for finding in found.findings] == ["membership can be inferred"]
    os.utime(out / "audit.json", (0, 0))  # such as of a copy
    assert audited(out) == found.findings
    weights = out / "model" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + bytes(4))  # of another model
    assert audited(out) == ()
    assert "Can values of training items be inferred?" in page
    assert "refute any claim of differential privacy with delta = 0 and an epsilon below" in page
