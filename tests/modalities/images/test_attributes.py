"""Images with a table beside them: which table, which rows, what samples can be asked for, and what is seen in them."""

import csv
import time
import zipfile
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
import torch
from commands import command
from PIL import Image

import sparring
from sparring.data.tensors import CONDITION, VALUES
from sparring.deploy.export import export
from sparring.deploy.serve.app import application
from sparring.errors import InputError
from sparring.evaluation import evaluate
from sparring.explore import explore, invert
from sparring.layers.condition import Columns
from sparring.modalities import find
from sparring.modalities.images import Images
from sparring.modalities.images.palette import MAX_COLORS, Palette

COLORS = {"red": (200, 0, 0), "green": (0, 160, 0), "blue": (0, 0, 220)}
SIDE = 16
N = 240


def rows(n=N):
    """A red image never has a frame."""
    random = np.random.default_rng(0)
    for i in range(n):
        color = random.choice(list(COLORS))
        frame = "none" if color == "red" else random.choice(["none", "thin", "thick"])
        yield f"{color}/{i:03}.png", color, frame, round(random.uniform(2, 8), 2), f"note no. {i}", "one"


def draw(color, frame, size):
    size = int(size)
    pixels = np.zeros((SIDE, SIDE, 4), np.uint8)
    width = {"none": 0, "thin": 1, "thick": 2}[frame]
    pixels[:width] = pixels[SIDE - width :] = (90, 90, 90, 255)
    pixels[8 - size // 2 : 8 + size // 2, 8 - size // 2 : 8 + size // 2] = (*COLORS[color], 255)
    return Image.fromarray(pixels)


HEAD = ("file", "color", "frame", "size", "note", "same")


@pytest.fixture(scope="session")
def marked(tmp_path_factory):
    """A folder of images and the table that describes them, apart from each other."""
    place = tmp_path_factory.mktemp("marked")
    with (place / "marks.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(HEAD)
        for name, color, frame, size, *others in rows():
            path = place / "images" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            draw(color, frame, size).save(path)
            table.writerow([name, color, frame, size, *others])
    return place


SMALL = {"width": 4, "z": 8, "batch": 8, "quiet": True, "device": "cpu"}


@pytest.fixture(scope="session")
def run(marked, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "marked"
    sparring.train("r3gan_strided", marked / "images", table=str(marked / "marks.csv"), out=out, steps=2, **SMALL)
    return out


@pytest.fixture(scope="module")
def model(run):
    return sparring.load(run)


def fitted(folder, **settings):
    items = find(str(folder))
    return items, Images(**settings).fit(items)


# The table.


def test_columns_that_are_no_conditions_are_left_out(marked):
    _, images = fitted(marked / "images", table=str(marked / "marks.csv"))
    assert images.condition_columns == ("color", "frame", "size")
    assert images.attributes.notes == (
        "marks.csv describes 240 images, whose files its column 'file' names; they can be asked for by color, frame, "
        "size",
        "columns that are no conditions: note (an identifier), same (one value)",
    )


def test_chosen_columns(marked):
    given = {"table": str(marked / "marks.csv")}
    assert fitted(marked / "images", wanted=("frame", "color"), **given)[1].condition_columns == ("frame", "color")
    _, images = fitted(marked / "images", wanted=("size=number",), **given)
    assert images.condition == Columns((4,), (0,))
    with pytest.raises(InputError, match=r"columns=nope: .* has no such column"):
        fitted(marked / "images", wanted=("nope",), **given)
    with pytest.raises(InputError, match="columns=note: it is an identifier and cannot be asked for"):
        fitted(marked / "images", wanted=("note",), **given)
    for kind in ("omit", "omitt"):  # a column is left out by not naming it
        with pytest.raises(InputError, match=f"'{kind}'; choose from category, identifier, number$"):
            fitted(marked / "images", wanted=(f"size={kind}",), **given)
    with pytest.raises(InputError, match="columns=color was given, but 'images' has no table"):
        fitted(marked / "images", wanted=("color",))


def test_a_table_larger_than_the_memory_is_refused(marked, tmp_path, monkeypatch):
    for i in range(2):
        (tmp_path / "rows").mkdir(exist_ok=True)
        pd.read_csv(marked / "marks.csv").to_parquet(tmp_path / "rows" / f"{i}.parquet")
    assert fitted(marked / "images", table=str(tmp_path / "rows"))[1].condition_columns == ("color", "frame", "size")
    monkeypatch.setattr("sparring.modalities.tables.files.parts.memory", lambda: 9999)
    with pytest.raises(InputError, match="rows does not fit into the memory, as it must here; give fewer rows or col"):
        fitted(marked / "images", table=str(tmp_path / "rows"))


def test_a_table_in_the_folder_is_found(marked, tmp_path):
    for name, color, frame, size, *_ in rows(30):
        path = tmp_path / "set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draw(color, frame, size).save(path)
    frame = pd.read_csv(marked / "marks.csv", keep_default_na=False)
    frame["file"] = [name.split("/")[1] for name in frame["file"]]  # by file name alone
    frame.to_csv(tmp_path / "set" / "anything.csv", index=False)
    (tmp_path / "set" / "other.csv").write_text("a,b\n1,2\n3,4\n")
    items, images = fitted(tmp_path / "set")
    assert images.condition_columns[:2] == ("color", "frame")
    encoded = images.encode(items)
    batch = images.batch({name: t[:3] if torch.is_tensor(t) else t.load()[:3] for name, t in encoded.tensors.items()})
    told = images.rows_of(batch[CONDITION])["color"].tolist()
    assert told == [items.items.names[i].split("/")[0] for i in encoded.items[:3]]
    assert any("210 rows of anything.csv are of no image" in note for note in encoded.notes)


@pytest.mark.parametrize("inside", [True, False])
def test_a_table_in_an_archive_or_next_to_it_is_found(marked, tmp_path, inside):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        for name, *_ in rows():
            archive.write(marked / "images" / name, f"outer/{name}")
        if inside:
            archive.write(marked / "marks.csv", "marks.csv")
    if not inside:
        (tmp_path / "set.csv").write_bytes((marked / "marks.csv").read_bytes())
    items, images = fitted(tmp_path / "set.zip")
    assert images.condition_columns == ("color", "frame", "size")
    assert len(images.encode(items).items) == N


def test_images_without_a_row_are_left_out_and_named(marked, tmp_path):
    frame = pd.read_csv(marked / "marks.csv", keep_default_na=False)
    frame[5:].to_csv(tmp_path / "some.csv", index=False)
    items, images = fitted(marked / "images", table=str(tmp_path / "some.csv"))
    encoded = images.encode(items)
    assert len(encoded.items) == N - 5
    assert any(note.startswith("5 images have no row in some.csv (") for note in encoded.notes)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("a,b\n1,2\n3,4\n", "no column names the files of"),
        (None, "does not exist; give a table"),
    ],
)
def test_tables_that_cannot_be_used(marked, tmp_path, table, message):
    path = tmp_path / "t.csv"
    if table is not None:
        path.write_text(table)
    with pytest.raises(InputError, match=message):
        fitted(marked / "images", table=str(path))


def test_a_table_needs_file_names(marked, tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((4, 8, 8, 3), np.uint8) + np.arange(4, dtype=np.uint8)[:, None, None, None])
    with pytest.raises(InputError, match="have no file names to match"):
        fitted(tmp_path / "a.npy", table=str(marked / "marks.csv"))


def test_labels_turn_the_table_off(marked, tmp_path):
    given = {"out": tmp_path / "run", "steps": 1, **SMALL}
    model = sparring.train("dcgan", marked / "images", labels=True, **given)
    assert (model.modality.classes, model.modality.condition_columns) == (("blue", "green", "red"), ())
    with pytest.raises(InputError, match=r"labels=false and table=x.csv exclude each other"):
        sparring.train("dcgan", marked / "images", labels=False, table="x.csv", force=True, **given)


# Asking.


def test_asked_attributes_are_those_of_the_samples(model):
    samples = model.sample(20, where={"color": "green", "frame": "thick"}, seed=0)
    assert samples.items.shape == (20, SIDE, SIDE, 4)
    assert set(samples.rows["color"]) == {"green"}
    assert set(samples.rows["frame"]) == {"thick"}
    assert samples.rows["size"].nunique() > 1
    ranged = model.sample(20, where=["size>=4", "size<6", "frame!=none"], seed=0).rows
    assert ranged["size"].between(4, 6).all()
    assert "none" not in set(ranged["frame"])


def test_combinations_of_the_data_are_drawn(model):
    drawn = model.sample(200, seed=0).rows
    assert set(drawn["frame"][drawn["color"] == "red"]) == {"none"}


def test_a_combination_that_never_occurred_can_be_asked_for(model):
    request = model.request(where=["color=red", "frame=thick", "size>=4"])
    assert request.notes == (
        "no training image has color=red and frame=thick and size>=4; it is set as asked, and the rest is that of the "
        "closest images",
    )
    drawn = model.sample_request(30, request, 0).rows
    assert (set(drawn["color"]), set(drawn["frame"])) == ({"red"}, {"thick"})
    assert drawn["size"].min() >= 4
    assert model.request(where=["color=blue"]).notes == ()


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("color=rad", "column 'color' has no level 'rad'; did you mean 'red'"),
        ("hat=hood", "there is no column 'hat'"),
        ("size>=90", "no training image has size>=90; 'size' is from 2"),
        (["color=red", "color=blue"], "cannot both hold"),
        ("color", "is not a condition"),
    ],
)
def test_what_cannot_be_asked_for(model, where, message):
    with pytest.raises(InputError, match=message):
        model.sample(2, where=where)


def test_a_label_is_refused(model):
    with pytest.raises(InputError, match=r"are requested by their attributes \(--where\)"):
        model.sample(2, label="red")


def test_the_model_needs_no_data_and_loads_equal(model, tmp_path):
    model.save(tmp_path / "alone")
    again = sparring.load(tmp_path / "alone")
    assert again.modality == model.modality
    assert np.array_equal(again.sample(4, seed=1).items, model.sample(4, seed=1).items)


def test_damaged_rows_are_refused(model):
    for rows in ("!", model.modality.attributes.rows[:-8]):
        with pytest.raises(InputError, match="rows of the model's table are damaged"):
            type(model.modality.attributes)(model.modality.attributes.table, rows).encoded  # noqa: B018


# What else a model does.


@pytest.mark.parametrize(
    "recipe",
    ["r3gan", "latent", "stylegan2", "dcgan", "cgan", "acgan", "vae", "vaegan", "fastgan", "sngan", "projected"],
)
def test_recipes(marked, tmp_path, recipe):
    sizes = {"most": 8, "base": 64, "depth": 1, "z": 8} if recipe == "stylegan2" else {"width": 8, "z": 8}
    if recipe == "r3gan":
        sizes |= {"depth": 1, "group": 4}
    if recipe in ("sngan", "projected"):
        sizes = {"G": 8, "D": 8, "z": 8}
    model = sparring.train(
        recipe, marked / "images", table=str(marked / "marks.csv"), out=tmp_path / "run", steps=2, batch=8, quiet=True,
        device="cpu", **sizes,
    )  # fmt: skip
    one, other = (
        model.generate(*model.latents(4, model.request(where=f"color={color}"), 0))[VALUES] for color in ("red", "blue")
    )
    assert not torch.equal(one, other)
    if recipe == "stylegan2":
        assert model.sample(2, seed=0, truncation=0.5).items.shape == (2, SIDE, SIDE, 4)


def test_resumed(marked, tmp_path):
    given = {"table": str(marked / "marks.csv"), "out": tmp_path / "run", **SMALL}
    sparring.train("dcgan", marked / "images", steps=2, **given)
    model = sparring.train("dcgan", marked / "images", steps=4, resume=True, **given)
    assert model.about["step"] == 4
    card = (tmp_path / "run" / "README.md").read_text()
    assert "| attributes | color, frame, size |" in card
    assert "--where color=" in card


def test_a_folder_of_samples_has_a_table(model, tmp_path):
    samples = model.sample(12, seed=0)
    samples.save(tmp_path / "made")
    table = pd.read_csv(tmp_path / "made" / "attributes.csv", keep_default_na=False)
    assert table["file"].tolist() == [f"{i:02}.png" for i in range(12)]
    assert table["color"].tolist() == samples.rows["color"].tolist()
    assert fitted(tmp_path / "made")[1].condition_columns  # and can be trained on


@pytest.mark.usefixtures("brief_classifiers")
def test_evaluated(run):
    evaluation = evaluate(run, samples=60)
    names = {f"attribute_accuracy[{name}]" for name in ("mean", "color", "frame", "size")}
    for numbers in (evaluation.numbers, evaluation.floor, evaluation.baselines["baseline"]):
        found = {number.name: number.value for number in numbers}
        assert names <= set(found)
        assert all(0 <= found[name] <= 1 for name in names)
    assert "class_diversity[patches]" in {number.name for number in evaluation.numbers}


def test_explored_and_inverted(run, model, tmp_path):
    explore(run, out=tmp_path / "sheets", where=["color=green"], film=tmp_path / "walk.gif")
    assert (tmp_path / "sheets" / "interpolation.png").exists()
    found = invert(model, model.sample(2, seed=0).items, steps=4)
    assert found.labels.shape == (2, model.modality.condition_width)


def test_exported(run, model, tmp_path):
    runtime = pytest.importorskip("onnxruntime")
    export(run, tmp_path / "model.onnx", quiet=True)
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    z, condition = model.latents(3, model.request(where="color=red"), 0)
    (made,) = session.run(None, {"z": z.numpy(), "label": condition.numpy()})
    assert np.allclose(made, model.generate(z, condition)["values"].numpy(), atol=1e-4)
    assert str(tmp_path.parent) not in (tmp_path / "model.onnx").read_bytes().decode("latin1")


def test_served(model):
    client = pytest.importorskip("starlette.testclient").TestClient(
        application({"marked": model}), base_url="http://127.0.0.1:8000"
    )
    with client:
        while client.get("/readyz").status_code != 200:
            time.sleep(0.02)
        body = {"n": 3, "where": {"color": "red"}, "palette": "real", "seed": 1}
        answer = client.post("/models/marked/samples", json=body, headers={"Accept": "application/json"}).json()
        assert [row["color"] for row in answer["attributes"]] == ["red"] * 3
        body = client.get("/models/marked/conditions").json()
        assert [column["name"] for column in body["columns"]] == ["color", "frame", "size"]
        unseen = {"n": 2, "where": ["color=red", "frame=thick", "size>=4"]}
        noted = unquote(client.post("/models/marked/samples", json=unseen).headers["Sparring-Notes"])
        assert noted.startswith("no training image has color=red and frame=thick and size>=4; ")
        refused = client.post("/models/marked/samples", json={"where": ["color=rad"]})
        assert (refused.status_code, "did you mean 'red'" in refused.json()["detail"]) == (422, True)


def test_form_of_the_studio(model):
    ask_form = pytest.importorskip("sparring.studio.ask_form")
    assert ask_form.field_names(model.modality) == ["color", "frame", "size"]
    form = ask_form.entries(model.modality, ["color", "size"])
    assert [entry.ask.name for entry in form] == ["palette", "where", "where"]
    asked = ask_form.asked(form, ["real", "green", "3", ""])
    assert asked == {"palette": "real", "where": ["color=green", "size>=3"]}
    assert set(model.sample(3, **asked).rows["color"]) == {"green"}


# The palette.


def test_samples_in_the_palette(model):
    colors = {(*color, 255) for color in [*COLORS.values(), (90, 90, 90)]} | {(0, 0, 0, 0)}
    snapped = model.sample(8, palette="real", seed=0).items
    assert {tuple(pixel) for pixel in snapped.reshape(-1, 4).tolist()} <= colors
    plain = model.sample(8, seed=0).items
    assert not {tuple(pixel) for pixel in plain.reshape(-1, 4).tolist()} <= colors
    with pytest.raises(InputError, match="palette=16 is not supported"):
        model.sample(2, palette="16")


def test_images_of_many_colors_have_no_palette(tmp_path):
    random = np.random.default_rng(0)
    np.save(tmp_path / "noise.npy", random.integers(0, 256, (30, 16, 16, 3), dtype=np.uint8))
    _, images = fitted(tmp_path / "noise.npy")
    assert images.palette == Palette()
    with pytest.raises(InputError, match=f"have no palette: .* more than {MAX_COLORS:,} colors"):
        images.request(palette="real")


def test_the_nearest_color_is_taken():
    palette = Palette("000000ff0000", binary=True)
    pixels = np.array([[[[90, 20, 0, 200], [200, 10, 10, 130], [250, 0, 0, 20]]]], np.uint8)
    assert palette.snap(pixels).tolist() == [[[[0, 0, 0, 255], [255, 0, 0, 255], [0, 0, 0, 0]]]]


def test_the_palette_is_an_option_of_every_model_of_images(marked, tmp_path, monkeypatch, capsys):
    """Without one, the command says why; it is no unknown option."""
    sparring.train("dcgan", marked / "images", out=tmp_path / "run", steps=2, size=8, **SMALL)
    status, errors = command(monkeypatch, capsys, f"sample {tmp_path / 'run'} -n 2 -o x.png --palette real")
    assert (status, len(errors)) == (2, 1)
    assert "the training images have no palette: they were resized" in errors[0]
