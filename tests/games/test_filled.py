"""Single gaps of rows are filled by maximum likelihood, and samples polished so."""

import numpy as np
import pandas as pd
import pytest
import torch

import sparring
from sparring.games.discriminator_pass import DiscriminatorPass
from sparring.games.filled import Filled, FilledGAN, single_gap_loss
from sparring.games.prior import Gumbel, Normal, Prior
from sparring.layers.spans import Spans
from sparring.losses.adversarial import non_saturating
from sparring.nets.table import Discriminator, Generator

SPANS = Spans((3, 2), ())


def judged(real, label):
    torch.manual_seed(0)
    z = torch.randn(len(real), 4 + SPANS.places)
    D = Discriminator(SPANS, 8, 1)
    return DiscriminatorPass(D, "G", z, label, real=lambda: real, fake=lambda: real, observe=lambda **_: None)


def test_the_term_is_the_cross_entropy_of_the_gap_alone():
    G = Generator(4, SPANS, 8, 1)
    codes = torch.tensor([[2, 0], [1, 1], [0, 1]])
    real = SPANS.onehot(codes)
    label = torch.tensor([[-1, 0], [1, -1], [-1, -1]])  # two rows with a gap, one with nothing given
    j = judged(real, label)
    logits = G.logits(j.z, label)
    first, second = logits[0, :3].log_softmax(0)[2], logits[1, 3:].log_softmax(0)[1]
    assert torch.allclose(Filled(G, 1.0)(j), -(first + second) / 2, atol=1e-5)
    assert Filled(G, 1.0)(judged(real, label.clamp(min=0))) == 0  # no gaps
    # On an accelerator, all rows pass the generator.
    torch.testing.assert_close(single_gap_loss(G, j.z, label, real), Filled(G, 1.0)(j))


def test_polishing_keeps_what_was_asked_for_and_mends_the_rest(tmp_path):
    """Where one column tells the other, a few steps and a sweep make nearly all rows right."""
    random = np.random.default_rng(0)
    a = random.integers(0, 4, 2000)
    pd.DataFrame({"a": a, "b": [f"is {i}" for i in a]}).to_csv(tmp_path / "t.csv", index=False)
    settings = {"steps": 60, "quiet": True, "device": "cpu", "batch": 200, "z": 8, "width": 32, "D": 32, "lr": 3e-3}
    model = sparring.train("table", tmp_path / "t.csv", out=tmp_path / "run", **settings)
    rows = model.sample(400, seed=0).items
    right = (rows["b"] == "is " + rows["a"].astype(str)).mean()
    assert right > 0.9
    asked = model.sample(100, seed=0, where={"a": 3}).items
    assert (asked["a"] == 3).all()
    assert (asked["b"] == "is 3").mean() > 0.9


def test_levels_come_as_often_as_in_the_data(tmp_path):
    """A net that was hardly trained draws levels as it likes; calibrated, missing values and rare levels are right to a
    point, and what is asked for is still so.
    """
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"x": random.normal(size=3000).round(2), "c": random.choice(list("abc"), 3000, p=[0.9, 0.07, 0.03])}
    )
    frame.loc[random.random(3000) < 0.2, "x"] = None
    frame.to_csv(tmp_path / "t.csv", index=False)
    settings = {"steps": 5, "quiet": True, "device": "cpu", "batch": 100, "width": 16, "D": 16}
    model = sparring.train("table", tmp_path / "t.csv", out=tmp_path / "run", **settings)
    rows = model.sample(20_000, seed=3).items
    assert rows["x"].isna().mean() == pytest.approx(frame["x"].isna().mean(), abs=0.01)
    shares, wanted = (f["c"].value_counts(normalize=True) for f in (rows, frame))
    assert all(shares[c] == pytest.approx(wanted[c], abs=0.01) for c in "abc")
    model.game.offset.zero_()
    off = abs(model.sample(20_000, seed=3).items["c"].value_counts(normalize=True).get("a", 0) - wanted["a"])
    assert (
        off > 0.02 or abs(model.sample(20_000, seed=3).items["x"].isna().mean() - 0.2) > 0.02
    )  # else nothing is shown
    assert (model.sample(50, seed=1, where={"c": "c"}).items["c"] == "c").all()


@pytest.mark.parametrize("requested", [(-1, -1, -1), (2, -1, -1), (-1, -1, 1), (0, 1, 0)])
def test_redrawing_single_columns_equals_calling_the_generator(requested):
    """A sweep computes only what a column needs, and gives what a call of the whole generator for each would give."""
    torch.manual_seed(0)
    spans = Spans((3, 40, 2), ((1, 1),))
    prior = Prior(Normal("z", 8), Gumbel("choices", spans.places))
    D = Discriminator(spans, 8, 1)
    game = FilledGAN(Generator(8, spans, 16, 2), D, non_saturating(), prior, conditional=True, sweeps=2, last=1).eval()
    game.offset.normal_()
    asked = torch.tensor(requested)
    torch.manual_seed(1)
    rows = game.sample(game.draw(64, asked.device), asked.expand(64, -1), asked)["values"]
    torch.manual_seed(1)
    x = game.values(game.draw(64, asked.device) + game.offset, asked.expand(64, -1))
    for _ in range(2 if (asked < 0).any() else 0):
        for i in (*(i for i in torch.randperm(3).tolist() if i != 1), 1):
            if asked[i] < 0:
                codes = spans.codes(x[:, : spans.places])
                codes[:, i] = -1
                x = game.values(game.draw(64, asked.device) + game.offset, codes)
    assert torch.allclose(rows, x, atol=1e-5)


def test_calibration_keeps_to_its_time(tmp_path, monkeypatch):
    """Without time, a single round of a few samples; with enough of it, what a run without a bound in time does."""
    rows = "\n".join(f"{i % 3},{'ab'[i % 2]}" for i in range(60))
    (tmp_path / "t.csv").write_text(f"x,y\n{rows}\n")
    settings = {"steps": 2, "quiet": True, "device": "cpu", "batch": 10, "width": 8, "D": 8, "z": 4}
    model = sparring.train("table", tmp_path / "t.csv", out=tmp_path / "run", **settings)
    drawn, draw_conditions = [], model.modality.draw_conditions

    def condition(n):
        drawn.append(n)
        return draw_conditions(n, torch.device("cpu"))

    least, usual = model.game.calibration_seconds()
    assert 0 < least < usual
    monkeypatch.setattr(model.game, "calibration_seconds", lambda: (1.0, 100.0))
    for seconds, expected in ((0.0, [128]), (2.5, 2 * [187]), (100.0, 12 * [1024]), (float("inf"), 12 * [1024])):
        drawn.clear()
        model.game.calibrate(model.modality.level_shares(), condition, seconds)
        assert drawn == pytest.approx(expected, abs=40), seconds


@pytest.mark.parametrize("cell", ["{0}", "{0}.{1}5", "2020-01-{1:02}", "{0}%"])
def test_calibration_of_wide_tables_is_a_single_round_without_time(tmp_path, cell):
    rows = [[cell.format(i * j % 97, 1 + i * j % 28) for j in range(1, 61)] for i in range(1, 61)]
    lines = [",".join(f"c{j}" for j in range(60)), *(",".join(row) for row in rows)]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    settings = {"steps": 1, "time": "2s", "quiet": True, "device": "cpu", "batch": 10, "width": 8, "D": 8, "z": 4}
    model = sparring.train("table", tmp_path / "t.csv", out=tmp_path / "run", **settings)
    drawn, draw_conditions = [], model.modality.draw_conditions

    def condition(n):
        drawn.append(n)
        return draw_conditions(n, torch.device("cpu"))

    model.game.calibrate(model.modality.level_shares(), condition, 0.0)
    assert sum(drawn) <= 200
    assert model.about["seconds"] < 20
