"""A detector recognizes pictures of the models that it knows, says how surely, and shows why."""

import json

import numpy as np
import pytest
import torch
from commands import command
from PIL import Image

import sparring
from sparring.console import Screen
from sparring.errors import InputError
from sparring.provenance.detect import detect, heat_map, judged_rows, limits, rows
from sparring.provenance.detecting import scores, trained, unseen_by_all
from sparring.provenance.detector import BINS, Detector, spectrum
from sparring.provenance.pictures import Pictures, prints


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Smooth pictures, which a model that has hardly been trained does not imitate."""
    folder = tmp_path_factory.mktemp("photos") / "photos"
    folder.mkdir()
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(400, 3, 5, 5), (16, 16), mode="bicubic").clamp(0, 1)
    for i, one in enumerate((smooth * 255).byte().permute(0, 2, 3, 1).numpy()):
        Image.fromarray(one).save(folder / f"{i:03}.png")
    return folder


@pytest.fixture(scope="module")
def runs(photos):
    sizes = {"batch": 8, "width": 4, "size": 16, "steps": 1, "quiet": True, "device": "cpu"}
    for name in ("dcgan", "lsgan"):
        sparring.train(name, photos, out=photos.parent / name, **sizes)
    return photos.parent


@pytest.fixture(scope="module")
def detector(runs):
    return trained([str(runs / "dcgan")], [str(runs / "lsgan")], Screen(quiet=True), steps=10, samples=200)


def test_it_is_judged_on_pictures_that_it_has_not_seen(detector):
    judged = detector.about["judged"]
    assert judged["generated"] == 50
    assert judged["clean"]["auc"] > 0.95
    assert judged["clean"]["accuracy"] > 0.9
    for name in ("JPEG 75", "half size", "5% crop"):
        assert 0 <= judged[name]["ece"] <= 1
    (share,) = judged["unseen"].values()
    assert 0 <= share <= 1
    assert len(judged_rows(detector.about)) == 6


def test_files_and_folders(detector, runs, photos, tmp_path):
    detector.save(tmp_path / "detector")
    sparring.load(runs / "dcgan").sample(3, seed=5).save(tmp_path / "made")
    found, again = detect(
        [tmp_path / "made", photos / "000.png", photos / "001.png"], tmp_path / "detector", tmp_path / "out"
    )
    made, real = [v.probability for _, v in found[:3]], [v.probability for _, v in found[3:]]
    assert min(made) > max(real)
    for path, verdict in found:
        logit = sum(verdict.evidence.values()) + again.about["bias"]
        assert verdict.probability == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-4)
        assert path.is_file()
    lines = (tmp_path / "out" / "detected.csv").read_text().splitlines()
    assert len(lines) == len(rows(found)) == 6
    assert len(list((tmp_path / "out").glob("*.png"))) == 5
    shown = list(limits(again.about))
    assert any("not recognized does not mean real" in line for line in shown)
    assert any("unseen models" in line for line in shown)
    with pytest.raises(InputError, match="exists already"):
        detect([photos / "000.png"], tmp_path / "detector", tmp_path / "out")


def test_what_cannot_be_looked_at(detector, runs, tmp_path, monkeypatch, capsys):
    with pytest.raises(InputError, match="is no detector"):
        Detector.load(tmp_path)
    detector.save(tmp_path / "detector")
    (tmp_path / "text.png").write_text("no picture")
    status, errors = command(monkeypatch, capsys, f"detect {tmp_path / 'text.png'} --by {tmp_path / 'detector'}")
    assert status == 2
    assert "is no picture that can be read" in errors[-1]
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="there are no pictures in"):
        detect([tmp_path / "empty"], tmp_path / "detector")
    described = tmp_path / "detector" / "detector.json"
    content = json.loads(described.read_text())
    for name, value in {"size": 10**9, "channels": 7, "weights": [1.0], "judged": {}, "models": []}.items():
        described.write_text(json.dumps(content | {name: value}))
        with pytest.raises(InputError, match="is damaged"):
            Detector.load(tmp_path / "detector")
    for changed in ({"real": "many"}, {"unseen": [1]}, {"clean": {"accuracy": 1.0}}, {"JPEG 75": None}):
        described.write_text(json.dumps(content | {"judged": content["judged"] | changed}))
        with pytest.raises(InputError, match=r"is damaged: judged"):
            Detector.load(tmp_path / "detector")
    described.write_text(json.dumps(content))
    (tmp_path / "detector" / "net.safetensors").write_bytes(b"")
    with pytest.raises(InputError, match="is damaged"):
        Detector.load(tmp_path / "detector")
    sparring.train("gan", "ring", out=tmp_path / "ring", steps=1, quiet=True, device="cpu", batch=8, G=(4,), D=(4,))
    with pytest.raises(InputError, match="give runs that generate images"):
        trained([str(tmp_path / "ring")], (), Screen(quiet=True), steps=1)
    with pytest.raises(InputError, match="give runs of one size"):
        trained([str(tmp_path / "ring"), str(runs / "dcgan")], (), Screen(quiet=True), steps=1)


def test_files_are_prepared_as_the_pictures_of_the_training_were(detector, photos, tmp_path):
    """Turned upright by their Exif, and cropped to the middle."""
    detector.save(tmp_path / "detector")
    with Image.open(photos / "000.png") as image:
        wide = Image.new("RGB", (48, 16), "red")
        wide.paste(image, (16, 0))
        wide.save(tmp_path / "wide.png")
        exif = Image.Exif()
        exif[0x0112] = 6  # is to be turned by 90 degrees to the right
        image.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    found, _ = detect([photos / "000.png", tmp_path / "wide.png", tmp_path / "turned.png"], tmp_path / "detector")
    assert len({verdict.probability for _, verdict in found}) == 1


def test_pictures_that_another_run_was_trained_on_are_not_held_out():
    x = torch.arange(100, dtype=torch.uint8)[:, None, None, None].expand(-1, 3, 4, 4)
    one = Pictures(x[:50], x[50:], x, frozenset(prints(x[:50])))
    other = Pictures(x[60:], x[10:60], x, frozenset(prints(x[52:])))
    held = unseen_by_all([one, one])
    assert torch.equal(held, x[50:])
    with pytest.raises(InputError, match="only 2 pictures are held out of the training of all runs"):
        unseen_by_all([one, other])


def test_metrics_by_hand():
    real, made = np.array([0.1, 0.3, 0.6, 0.2]), np.array([0.9, 0.8])
    found = scores(real, made)
    assert found["accuracy"] == pytest.approx((1 + 3 / 4) / 2)
    assert (found["auc"], found["tpr"]) == (1, 1)
    # Every bin holds one picture: its weight times the distance to what it is.
    assert found["ece"] == pytest.approx((0.1 + 0.3 + 0.6 + 0.2) / 8 + (0.1 + 0.2) / 4)
    assert scores(np.array([0.0, 0.0]), np.array([1.0, 1.0]))["ece"] == 0


def test_the_spectrum_shows_where_the_power_is():
    steps = torch.arange(32)
    coarse = torch.cos(2 * torch.pi * 2 * steps / 32).expand(32, 32)
    fine = torch.cos(2 * torch.pi * 14 * steps / 32).expand(32, 32)
    found = spectrum(torch.stack([coarse, fine])[:, None])
    assert found.shape == (2, BINS)
    assert found[0].argmax() == 2 * BINS // 16
    assert found[1].argmax() == 14 * BINS // 16
    assert torch.isfinite(spectrum(torch.zeros(1, 3, 8, 8))).all()


def test_a_heat_map_is_red_where_the_evidence_is():
    places = np.zeros((8, 8), np.float32)
    places[1, 1], places[6, 6] = 3, -3
    page = np.asarray(heat_map(np.full((16, 16, 1), 200, np.uint8), places))
    assert page.shape == (256, 512, 3)
    assert (page[:, :256] == 200).all()
    red, blue = page[48, 256 + 48], page[208, 256 + 208]
    assert red[0] > red[2]
    assert blue[2] > blue[0]
    assert (page[128, 256 + 128] == 200).all()
