"""Image translation is evaluated: metrics, baselines, findings."""

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

import sparring
from sparring.cli import app
from sparring.errors import InputError
from sparring.evaluation import compare, evaluate
from sparring.metrics.image_pairs import psnr
from sparring.modalities import Degraded, Paired
from sparring.modalities.translation.scores import findings, numbers, score
from sparring.nets import pretrained as weights

SMALL = {"steps": 4, "quiet": True, "device": "cpu", "batch": 4, "width": 4, "depth": 1, "D": 4}


def photos(folder, n=24, side=48):
    """Smooth images with an edge."""
    random = np.random.default_rng(0)
    rows, columns = np.mgrid[:side, :side] / side
    for i in range(n):
        a, b, c = random.random(3)
        pixels = 128 + 60 * np.sin(9 * a * rows + 5 * b) + 60 * (columns > c)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(folder / f"{i:02}.png")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("restored")
    data = photos(folder / "photos")
    for name, seed in (("a", 0), ("b", 1)):
        sparring.train("srgan", data, out=folder / name, seed=seed, degrade=("x2",), size=24, **SMALL)
    return folder


def test_an_enlarging_run_beside_bicubic_and_the_phase_without_d(run):
    found = evaluate(run / "a")
    names = [number.name for number in found.numbers]
    assert names == ["psnr", "ssim", "mae", "spectral_distance", "lr_psnr", "kid[patches]"]
    assert list(found.baselines) == ["bicubic", "without D"]
    assert found.samples == 2  # of 24 two are held out
    # A net that has learnt nothing yet is bicubic enlargement, nearly.
    assert found["psnr"] == pytest.approx(found.of_baseline("bicubic", "psnr"), abs=2)
    assert "without 2 pixels at the borders" in found.protocol
    assert found.picture.size[0] > 4 * 48


def test_other_pictures_are_judged_whole(run, tmp_path):
    data = photos(tmp_path / "other", 3, 64)
    assert evaluate(run / "a", against=data).samples == 3
    assert evaluate(run / "a", against=data, samples=2).samples == 2
    Image.new("L", (40, 40)).save(tmp_path / "one.png")
    (tmp_path / "table.csv").write_text("a,b\n" + "1,2\n" * 9)
    with pytest.raises(InputError, match="holds rows, but the model takes images"):
        evaluate(run / "a", against=tmp_path / "table.csv")


def test_runs_side_by_side(run, tmp_path):
    found = compare([run / "a", run / "b"], tmp_path / "page")
    assert [c.name for c in found] == ["a", "b"]
    assert "psnr" in (tmp_path / "page" / "README.md").read_text()


def test_runs_of_different_tasks(run, tmp_path):
    """Enlarging, filling holes and enlarging by another factor, in any order: one line, and no page."""
    more = {**SMALL, "steps": 1}
    sparring.train("srgan", run / "photos", out=tmp_path / "four", degrade=("x4",), size=24, **more)
    del more["depth"]
    sparring.train("inpaint", run / "photos", out=tmp_path / "filled", size=24, **more)
    for one, other in (("a", "filled"), ("filled", "a"), ("a", "four"), ("four", "filled")):
        paths = [next(place / name for place in (run, tmp_path) if (place / name).is_dir()) for name in (one, other)]
        with pytest.raises(InputError, match=r"have different tasks \(.* and .*\); compare models of the same task"):
            compare(paths, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_such_runs_do_not_sample_and_others_do_not_apply(run, tmp_path):
    model = sparring.load(run / "a")
    with pytest.raises(InputError, match="'srgan' generates images from given images; give it some with"):
        model.sample(3)
    with pytest.raises(InputError, match="reverse was given, but of recipe 'srgan' it has learned one direction only"):
        model.mapper(reverse=True)
    with pytest.raises(InputError, match="sharpness=2 is out of range"):
        model.mapper(sharpness=2)
    with pytest.raises(InputError, match=r"shape \(5, 5, 3\) was given; give \(height, width, 1\)"):
        model.apply(np.zeros((5, 5, 3), np.uint8))
    settings = {"quiet": True, "device": "cpu", "G": (8,), "D": (8,), "steps": 1}
    sparring.train("gan", "digits", out=tmp_path / "g", **settings)
    with pytest.raises(InputError, match="'gan' generates images from noise"):
        sparring.load(tmp_path / "g").apply(np.zeros((5, 5, 1), np.uint8))


def test_sharpness_goes_from_one_net_to_the_other(run):
    model = sparring.load(run / "a")
    picture = np.random.default_rng(0).integers(0, 255, (20, 24, 1), dtype=np.uint8)
    made = [model.apply(picture, sharpness=s).astype(float) for s in (0.0, 0.5, 1.0)]
    assert made[0].shape == (40, 48, 1)
    x = torch.from_numpy(picture.transpose(2, 0, 1)[None] / 127.5 - 1).float()
    with torch.no_grad():
        plain = model.modality.unscale(model.game.plain(x))[0].permute(1, 2, 0).numpy()
    assert np.abs(made[0] - plain).max() <= 1
    assert np.abs(made[0] - made[2]).mean() > np.abs(made[0] - made[1]).mean()


def test_the_command(run):
    shown = CliRunner().invoke(app, ["evaluate", str(run / "b"), "--device", "cpu"], catch_exceptions=False)
    assert "psnr" in shown.output
    assert (run / "b" / "evaluation.png").is_file()
    card = (run / "b" / "README.md").read_text()
    assert "| metric | samples | real | bicubic | without D |" in card
    assert "sparring apply" in card


def test_numbers_are_those_of_the_metrics():
    """A way that is the truth plus a known error, of pairs and of black and white ones."""
    true = torch.rand(1, 1, 20, 20).mul(255).round() / 127.5 - 1
    modality = Paired(size=16, channels=1, given=1)
    found, count = score(modality, [(-true, true), (-true, true)], {"right": lambda x: -x, "off": lambda x: -x * 0.9})
    assert count == 2
    right, off = ({n.name: n.value for n in numbers(found[name], found["real"], modality)} for name in ("right", "off"))
    assert right["psnr"] == 100
    assert max(right["mae"], right["spectral_distance"]) < 1e-5
    wanted = psnr(((true * 0.9 + 1) * 127.5).round(), (true + 1) * 127.5)
    assert off["psnr"] == pytest.approx(float(wanted), rel=1e-4)
    assert "identity" in found
    black = (torch.rand(1, 1, 20, 20) < 0.3).float() * 2 - 1
    found, _ = score(modality, [(black * 0.8, black)], {"half": lambda x: torch.ones_like(x)})
    assert found["threshold"].values["iou"] == [1.0]
    assert found["half"].values["iou"][0] == pytest.approx(float((black > 0).float().mean()))


def test_what_is_worse_in_everything_is_named():
    slopes = torch.linspace(-1, 1, 32).expand(1, 1, 32, 32)
    x = [slopes, -slopes, slopes.mT]
    modality = Degraded(size=32, channels=1, given=1, degrade=("noise25",))
    pairs = [(modality.chain(true), true) for true in x]
    ways = {"bad": lambda given: torch.randn_like(given)}
    found, _ = score(modality, pairs, ways)
    told = {name: numbers(found[name], found["real"], modality) for name in ("bad", "median")}
    assert next(t.name for t in findings(told["bad"], {"median": told["median"]})) == "worse than median"
    assert not any("worse" in t.name for t in findings(told["median"], {"bad": told["bad"]}))


class Apart(torch.nn.Module):
    def forward(self, a, b):
        return (a - b).abs().mean((1, 2, 3))


def test_distances_by_weights_that_are_at_hand(run, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path))
    weights.distance.cache_clear()
    with pytest.raises(InputError, match=r"LPIPS as TorchScript.*put lpips.pt into"):
        evaluate(run / "a", features=["lpips"])
    with pytest.raises(InputError, match="did you mean 'lpips'"):
        evaluate(run / "a", features=["lpip"])
    (tmp_path / "weights").mkdir()
    pair = torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8)
    torch.jit.trace(Apart(), pair).save(str(tmp_path / "weights" / "lpips.pt"))
    found = evaluate(run / "a", features=["lpips"])
    assert found["lpips"] == pytest.approx(found["mae"] / 127.5, rel=0.05)
    assert found.of_baseline("bicubic", "lpips") > 0
    weights.distance.cache_clear()


def test_vgg_in_the_loss_where_it_is_at_hand(run, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("SPARRING_DATA", str(tmp_path))
    weights.vgg_features.cache_clear()
    settings = {"out": tmp_path / "run", "degrade": ("x2",), "size": 24, "features": "vgg", **SMALL}
    with pytest.raises(InputError, match=r"VGG19's convolutions as TorchScript.*put vgg19.pt into"):
        sparring.train("srgan", run / "photos", **settings)
    (tmp_path / "weights").mkdir()
    net = torch.nn.Conv2d(3, 4, 3)
    torch.jit.trace(net, torch.rand(1, 3, 8, 8)).save(str(tmp_path / "weights" / "vgg19.pt"))
    sparring.train("srgan", run / "photos", force=True, **settings)
    assert "G/content[VGG]" in (tmp_path / "run" / "log.jsonl").read_text()
    (tmp_path / "weights" / "vgg19.pt").unlink()
    weights.vgg_features.cache_clear()
    sparring.load(tmp_path / "run").apply(np.zeros((9, 9, 1), np.uint8))  # applying needs none


def test_colours_are_judged_by_their_brightness():
    true = torch.rand(1, 3, 24, 24) * 2 - 1
    modality = Degraded(size=24, channels=3, given=3, degrade=("x2",))
    found, _ = score(modality, [(modality.chain(true), true)] * 2, {})
    assert {n.name for n in numbers(found["bicubic"], found["real"], modality)} >= {"psnr[Y]", "ssim[Y]", "lr_psnr"}


def test_pictures_of_other_kinds_are_told_in_a_line(run, tmp_path):
    random = np.random.default_rng(0)
    tiny = photos(tmp_path / "tiny", 3, 20)
    Image.fromarray(random.integers(0, 255, (3, 3), dtype=np.uint8)).save(tiny / "z.png")
    assert evaluate(run / "a", against=tiny).samples == 3  # what has nothing to be seen is left out
    colours = tmp_path / "colours"
    colours.mkdir()
    for i in range(3):
        Image.fromarray(random.integers(0, 255, (30, 34, 3), dtype=np.uint8)).save(colours / f"{i}.png")
    assert evaluate(run / "a", against=colours).samples == 3
    assert evaluate(run / "a", against="digits", samples=2).samples == 2
