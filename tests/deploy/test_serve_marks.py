"""A server that marks what it generates marks all of it, whatever clients ask for."""

import base64
import hashlib
import io
import json

import numpy as np
import pytest
from PIL import Image
from serving import served

import sparring
from sparring.deploy.serve import Limits
from sparring.provenance import Mark, manifests, packets
from sparring.provenance import marker as markers
from sparring.provenance.label import LABEL
from sparring.provenance.mark import HEADER

pytest.importorskip("c2pa")


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("serving")
    pixels = np.random.default_rng(0).integers(0, 255, (40, 64, 64, 3), np.uint8)
    np.savez(folder / "photos.npz", images=pixels)
    tiny = {"steps": 1, "quiet": True, "device": "cpu", "batch": 4}
    photos = sparring.train("dcgan", folder / "photos.npz", out=folder / "photos", width=2, **tiny)
    points = sparring.train("gan", "ring", out=folder / "ring", G=(4,), D=(4,), **tiny)
    marker = markers.create(folder / "marks", "Example")
    models = {"photos": photos, "points": points}
    marks = {name: Mark.of(model, ["eu", "cn"], str(marker.folder)) for name, model in models.items()}
    with served(models, Limits(), marks=marks) as client:
        yield client


def ask(client, name, accept, n=2):
    answer = client.post(f"/models/{name}/samples", json={"n": n, "seed": 1}, headers={"Accept": accept})
    assert answer.status_code == 200
    return answer


def has_label(pixels):
    height, width = LABEL.shape
    corner = pixels[-height:, -width:, 0]
    return ((corner == 0) == LABEL).all()


def test_pictures(client):
    png = ask(client, "photos", "image/png", 1)
    assert HEADER not in png.headers
    assert manifests.read(png.content, "image/png").valid
    assert f"{{{packets.AIGC}}}AIGC" in packets.fields(png.content)
    assert has_label(np.asarray(Image.open(io.BytesIO(png.content))))
    assert manifests.read(ask(client, "photos", "image/png").content, "image/png").valid
    npz = ask(client, "photos", "application/x-npz")
    assert all(has_label(one) for one in np.load(io.BytesIO(npz.content))["images"])
    assert json.loads(npz.headers[HEADER])["statement"]["producer"] == "Example"
    answer = ask(client, "photos", "application/json")
    assert answer.json()["provenance"]["digitalSourceType"] == packets.GENERATED
    assert HEADER in answer.headers
    for one in answer.json()["images"]:
        assert has_label(np.asarray(Image.open(io.BytesIO(base64.b64decode(one)))))


def test_formats_without_a_place(client):
    answer = ask(client, "points", "text/csv")
    said = json.loads(answer.headers[HEADER])
    assert said["statement"]["sha256"] == hashlib.sha256(answer.content).hexdigest()
    assert "-----BEGIN CERTIFICATE-----" in said["certificate"]


def test_inverted_pictures(client):
    file = io.BytesIO()
    Image.fromarray(np.zeros((64, 64, 3), np.uint8)).save(file, "PNG")
    address = "/models/photos/invert?steps=4"
    headers = {"Content-Type": "image/png", "Accept": "image/png"}
    answer = client.post(address, content=file.getvalue(), headers=headers)
    assert answer.status_code == 200
    assert manifests.read(answer.content, "image/png").valid
    assert has_label(np.asarray(Image.open(io.BytesIO(answer.content))))
    answer = client.post(address, content=file.getvalue(), headers=headers | {"Accept": "application/x-npz"})
    assert all(has_label(one) for one in np.load(io.BytesIO(answer.content))["images"])
    assert HEADER in answer.headers
