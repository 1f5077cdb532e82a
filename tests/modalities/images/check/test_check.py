"""A survey finds planted problems, and none in a good set."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from sparring.errors import InputError
from sparring.modalities import find, kind_of
from sparring.modalities.images.check.duplicates import duplicates
from sparring.modalities.images.check.measure import measure


def survey(items, data="set"):
    return kind_of(items).survey(items, data)


def scene(seed, size=(48, 48)):
    """A smooth image for each seed."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 255, (6, 6, 3), dtype=np.uint8))
    return coarse.resize(size, Image.Resampling.BICUBIC)


@pytest.fixture
def folder(tmp_path):
    """Two classes of twelve images."""
    for i in range(24):
        place = tmp_path / "set" / ("cats" if i < 12 else "dogs")
        place.mkdir(parents=True, exist_ok=True)
        scene(i).save(place / f"{i:02}.png")
    return tmp_path / "set"


def test_a_good_set_has_nothing_wrong(folder):
    report = survey(find(folder), "set")
    assert (report.count, report.size) == (24, 48)
    assert report.classes == {"cats": 12, "dogs": 12}
    assert not (report.unreadable)
    assert not (report.misnamed)
    assert not (report.groups)
    assert not (report.outliers)
    assert not (report.animated)
    assert report.advice() == ["24 images are few: samples will be close to them; train with augmentation"]


def test_planted_problems_are_found(folder, tmp_path):
    scene(3).resize((40, 40)).save(folder / "cats" / "small.png")
    scene(3).save(folder / "cats" / "again.jpg", quality=70)
    (folder / "cats" / "broken.png").write_bytes(b"not an image")
    scene(50).save(folder / "dogs" / "wrong.png", "JPEG")
    Image.new("RGB", (48, 48), (90, 90, 90)).save(folder / "dogs" / "blank.png")
    scene(51, (300, 20)).save(folder / "dogs" / "wide.png")
    frames = [scene(60), scene(61)]
    frames[0].save(folder / "dogs" / "film.gif", save_all=True, append_images=frames[1:])
    items = find(folder)
    report = survey(items, "set")
    named = {report.names[i]: why for i, why in report.outliers.items()}
    assert named["dogs/blank.png"] == "blank"
    assert named["dogs/wide.png"] == "much wider"
    assert [{report.names[i] for i in group} for group in report.groups] == [
        {"cats/03.png", "cats/small.png", "cats/again.jpg"}
    ]
    assert report.unreadable == (("cats/broken.png", "not an image, despite its suffix"),)
    assert report.misnamed == (("dogs/wrong.png", "JPEG"),)
    assert report.animated == ("dogs/film.gif",)

    files = report.write(tmp_path / "report")
    assert set(files) == {"report.json", "sheet.png", "duplicates.png", "outliers.png"}
    assert json.loads((tmp_path / "report" / "report.json").read_text())["unreadable"] == dict(report.unreadable)

    assert report.write_clean(tmp_path / "clean") == report.count - 2
    clean = survey(find(tmp_path / "clean"), "clean")
    assert not (clean.unreadable)
    assert not (clean.misnamed)
    assert not (clean.groups)
    original = (folder / "dogs" / "wrong.png").read_bytes()
    assert (tmp_path / "clean" / "dogs" / "wrong.jpg").read_bytes() == original


def test_different_images_are_no_duplicates():
    """Neither similar real digits, nor the same shape in another color."""
    digits = find("digits")
    assert not duplicates(measure(digits, lambda *_: None))
    red, blue = (Image.new("RGB", (8, 8), color) for color in ("#ff0000", "#0000ff"))
    assert red.convert("L").getpixel((0, 0)) != blue.convert("L").getpixel((0, 0))


def test_duplicates_among_many(tmp_path):
    """However many files are between them."""
    images = np.stack([np.asarray(scene(i, (16, 16))) for i in range(400)])
    images[[399, 200]] = images[[0, 100]]
    np.savez(tmp_path / "set.npz", images=images)
    report = survey(find(tmp_path / "set.npz"), "set")
    assert report.groups == ((0, 399), (100, 200))
    assert report.write_clean(tmp_path / "clean") == 398


def test_labels_and_sources_are_safe(folder, tmp_path):
    """A label is one folder, whatever its text; the images themselves are never replaced."""
    labels = np.array(["../../out", "T-shirt/top"] * 3)
    np.savez(tmp_path / "set.npz", images=np.stack([np.asarray(scene(i, (16, 16))) for i in range(6)]), labels=labels)
    items = find(tmp_path / "set.npz")
    assert survey(items).write_clean(tmp_path / "deep" / "clean") == 6
    assert {p.name for p in (tmp_path / "deep" / "clean").iterdir()} == {"_.._out", "T-shirt_top", ".sparring.json"}
    items = find(folder)
    for out in (folder, folder / "cats", folder.parent):
        with pytest.raises(InputError, match="which must not be changed"):
            survey(items).write_clean(out)


def test_names_from_an_archive_stay_below_the_folder(tmp_path):
    """A member whose name leads upwards is not read, one that begins at the root is written inside."""
    import zipfile

    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        for i, name in enumerate(("../../out.png", "/abs.png", "in/a.png")):
            file = io.BytesIO()
            scene(i).save(file, "PNG")
            archive.writestr(name, file.getvalue())
    items = find(tmp_path / "evil.zip")
    survey(items).write_clean(tmp_path / "deep" / "clean")
    written = sorted(str(p.relative_to(tmp_path / "deep")) for p in tmp_path.rglob("*.png"))
    assert written == ["clean/abs.png", "clean/in/a.png"]


def test_any_kind_of_data_is_read_through(tmp_path):
    report = survey(find("ring"), "ring")
    assert report.count == 100_000
    assert report.rows()[0] == ("points", "100,000 of 100,000 can be read")
    assert report.advice() == ["checked only whether points can be read"]
    assert report.write(tmp_path / "report") == ["report.json"]
    with pytest.raises(InputError, match="no cleaned copy of points can be written"):
        report.write_clean(tmp_path / "clean")
    (tmp_path / "table.csv").write_text("a,b\n" + "1,x\n2,y\n" * 9)
    assert survey(find(tmp_path / "table.csv")).count == 18
