"""Responses contain what `Model.sample` and `Model.apply` return."""

import base64
import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from serving import nearly, picture, pixels, served, warmed

from sparring.deploy.serve.limits import Limits
from sparring.deploy.serve.negotiation import chosen


@pytest.fixture(scope="module")
def client(models):
    with served(models, Limits(max_samples=2000, pixels=5000, body=0.05)) as client:
        warmed(client)
        yield client


ACCEPTED = [
    ("", "a/b"), ("*/*", "a/b"), ("c/d", "c/d"), ("A/B;q=0.2, c/d;q=0.3", "c/d"), ("c/*", "c/d"), ("e/f", None),
    ("a/b;q=0", None), ("*/*, a/b;q=0", "c/d"), ("*/*;q=0.1, c/*", "c/d"), ("a/*;q=0.9,a/b;q=0.1,*/*;q=0.2", "c/d"),
    ("nonsense", "a/b"), ("nonsense, c/d", "c/d"), ("a/b;q=x", "a/b"), ("c/d;v=1;q=1", "c/d"),
]  # fmt: skip


@pytest.mark.parametrize(("accept", "expected"), ACCEPTED)
def test_negotiation(accept, expected):
    assert chosen(accept, ("a/b", "c/d")) == expected


def test_images_equal_those_of_the_model(client, models):
    made = models["digits"].sample(3, label="7", seed=5)
    requested = {"n": 3, "label": "7", "seed": 5}
    answer = client.post("/models/digits/samples", json=requested)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert answer.headers["sparring-seed"] == "5"
    assert nearly(pixels(answer.content), np.asarray(made.preview()))
    received = client.post("/models/digits/samples", json=requested, headers={"Accept": "application/json"}).json()
    assert (received["seed"], received["labels"], received["kind"]) == (5, ["7"] * 3, "images")
    assert nearly([pixels(base64.b64decode(text)) for text in received["images"]], made.items[..., 0])
    answer = client.post("/models/digits/samples", json=requested, headers={"Accept": "application/x-npz"})
    with np.load(io.BytesIO(answer.content)) as arrays:
        assert nearly(arrays["images"], made.items)
        assert set(arrays["labels"]) == {7}
    one = client.post("/models/digits/samples", json={"seed": 5, "label": 7})
    assert nearly(pixels(one.content), made.items[0, ..., 0])


def test_a_drawn_seed_is_returned(client):
    first = client.post("/models/digits/samples", json={"n": 2})
    other = client.post("/models/digits/samples")
    assert first.headers["sparring-seed"] != other.headers["sparring-seed"]
    again = client.post("/models/digits/samples", json={"n": 2, "seed": int(first.headers["sparring-seed"])})
    assert nearly(pixels(again.content), pixels(first.content))


@pytest.mark.parametrize("name", ["points", "table", "ctgan", "series"])
def test_tables_equal_those_of_the_model(client, models, tmp_path, name):
    made = models[name].sample(3, seed=5)
    made.save(tmp_path / "expected.csv")
    answer = client.post(f"/models/{name}/samples", json={"n": 3, "seed": 5}, headers={"Accept": "text/csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(answer.content)), pd.read_csv(tmp_path / "expected.csv"))
    received = client.post(f"/models/{name}/samples", json={"n": 3, "seed": 5}).json()
    if name == "points":
        np.testing.assert_allclose(received["points"], made.items, rtol=1e-5)
    elif name == "series":
        np.testing.assert_allclose(received["series"], made.items, rtol=1e-5)
        assert (received["channels"], len(received["dates"])) == (["A", "B"], 30)
    else:
        assert [row["age"] for row in received["rows"]] == made.items["age"].tolist()
        assert [row["since"][:10] for row in received["rows"]] == made.items["since"].dt.strftime("%Y-%m-%d").tolist()
    shown = client.post(f"/models/{name}/samples", json={"n": 3}, headers={"Accept": "image/*"})
    assert pixels(shown.content).ndim >= 2


def test_media_types_that_are_not_available(client):
    for name, accept in (("digits", "text/csv"), ("table", "application/x-npz"), ("larger", "text/csv")):
        path = "apply" if name == "larger" else "samples"
        answer = client.post(f"/models/{name}/{path}", headers={"Accept": accept}, json=None)
        assert answer.status_code == 406, name
        assert accept in answer.json()["detail"]


def test_missing_values_are_null():
    from sparring.deploy.serve.answers import as_json
    from sparring.modalities.samples import as_lists

    assert json.loads(as_json(as_lists(np.array([[1.5, np.nan], [np.inf, 2]])))) == [[1.5, None], [None, 2]]


def test_conditions(client):
    received = client.get("/models/table/conditions").json()
    columns = {column["name"]: column for column in received["columns"]}
    assert set(columns["job"]["levels"]) == {"x", "y", "z"}
    assert columns["job"]["levels"][0] == "x"
    assert columns["job"]["shares"][0] == pytest.approx(0.5, abs=0.03)
    assert (columns["age"]["low"], columns["age"]["high"]) == pytest.approx((18, 79), abs=4)
    assert columns["since"]["low"].startswith("2020-01-0")
    for where in ({"job": "y"}, ["job=y"], "job=y"):
        rows = client.post("/models/table/samples", json={"n": 20, "where": where}).json()["rows"]
        assert {row["job"] for row in rows} == {"y"}
    received = client.get("/models/digits/conditions").json()
    assert [known["label"] for known in received["classes"]] == list("0123456789")
    assert sum(known["share"] for known in received["classes"]) == pytest.approx(1)
    assert client.get("/models/series/conditions").json()["asks"]["length"]["type"] == "integer"
    assert client.get("/models/digits/conditions").json()["asks"]["label"]["enum"] == list("0123456789")
    assert client.get("/models/fill/conditions").status_code == 422


def test_descriptions_of_models(client, models):
    received = {model["name"]: model for model in client.get("/models").json()["models"]}
    assert list(received) == list(models)
    assert received["digits"]["shape"] == [8, 8, 1]
    assert received["series"]["shape"] == [30, 2]
    assert received["larger"]["takes"] == {"channels": 3, "times": 4, "mask": False}
    assert received["fill"]["does"] == ["apply"]
    assert client.get("/models/digits").json() == received["digits"]
    assert "rows.csv" not in json.dumps(received)  # paths of data are private


def test_images_are_transformed(client, models):
    given = picture()
    made = client.post("/models/larger/apply", content=given, headers={"Content-Type": "image/png"})
    assert (made.status_code, made.headers["content-type"]) == (200, "image/png")
    assert np.array_equal(pixels(made.content), models["larger"].apply(pixels(given)))
    headers = {"Content-Type": "application/octet-stream", "Accept": "application/x-npz"}
    with np.load(io.BytesIO(client.post("/models/larger/apply", content=given, headers=headers).content)) as arrays:
        assert arrays["images"].shape == (1, 64, 64, 3)
    received = client.post("/models/larger/apply", files={"image": given}, headers={"Accept": "application/json"})
    assert base64.b64decode(received.json()["image"]) == made.content
    mild = client.post("/models/larger/apply?sharpness=0", files={"image": given})
    assert np.array_equal(pixels(mild.content), models["larger"].apply(pixels(given), sharpness=0))


def test_holes_are_filled_and_nothing_else(client):
    given, mask = picture(), Image.new("L", (16, 16))
    mask.paste(255, (4, 4, 9, 9))
    file = io.BytesIO()
    mask.save(file, "PNG")
    made = pixels(client.post("/models/fill/apply", files={"image": given, "mask": file.getvalue()}).content)
    changed = (made != pixels(given)).any(-1)
    assert changed[4:9, 4:9].any()
    changed[4:9, 4:9] = False
    assert not changed.any()
    answer = client.post("/models/fill/apply", files={"image": given})
    assert answer.status_code == 422
    assert "give the holes in a mask" in answer.json()["detail"]
    assert "/" not in answer.json()["detail"]  # no path of the server
    answer = client.post("/models/fill/apply", files={"image": given, "mask": picture(8, 8)})
    assert (answer.status_code, "a mask of the same size" in answer.json()["detail"]) == (422, True)
    assert answer.json()["detail"].startswith("the mask has 8 x 8 pixels and the image has 16 x 16; ")


def test_results_may_be_large(client, models, monkeypatch):
    """Larger than PIL's limit for decompression bombs."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    given = picture()
    made = client.post("/models/larger/apply", files={"image": given}, headers={"Accept": "application/x-npz"})
    assert made.status_code == 200
    with np.load(io.BytesIO(made.content)) as arrays:
        assert np.array_equal(arrays["images"][0], models["larger"].apply(pixels(given)))


def test_an_image_of_nans(client):
    """It is refused, not read as black."""
    file = io.BytesIO()
    Image.fromarray(np.full((8, 8), np.nan, np.float32)).save(file, "TIFF")
    headers = {"Content-Type": "image/tiff"}
    answer = client.post("/models/digits/invert", content=file.getvalue(), headers=headers)
    assert (answer.status_code, "its pixels are not numbers" in answer.json()["detail"]) == (422, True)


def test_images_are_inverted(client, models):
    sample = models["digits"].sample(1, label="7", seed=2)
    file = io.BytesIO()
    Image.fromarray(sample.items[0, ..., 0]).save(file, "PNG")
    path, headers = "/models/digits/invert?steps=100&label=7", {"Content-Type": "image/png"}
    received = client.post(path, content=file.getvalue(), headers=headers).json()
    assert (received["space"], received["label"], len(received["point"])) == ("z", "7", 4)
    assert received["error"] < 1e-3
    assert np.array_equal(pixels(base64.b64decode(received["given"])), sample.items[0, ..., 0])
    shown = client.post(path, content=file.getvalue(), headers=headers | {"Accept": "image/png"})
    assert np.array_equal(pixels(shown.content), pixels(base64.b64decode(received["image"])))
    answer = client.post("/models/digits/invert?label=x", content=file.getvalue(), headers=headers)
    assert (answer.status_code, "no label 'x'" in answer.json()["detail"]) == (422, True)
