"""Shared by the tests of the server: its client, and the contents of responses."""

import io
import time

import numpy as np
from PIL import Image
from starlette.testclient import TestClient

from sparring.deploy.serve.app import application
from sparring.deploy.serve.limits import Limits


def served(models, limits=Limits(), **settings):
    return TestClient(application(models, limits, **settings), base_url="http://127.0.0.1:8000")


def warmed(client):
    until = time.monotonic() + 20
    while client.get("/readyz").status_code != 200:
        assert time.monotonic() < until
        time.sleep(0.02)


def picture(height=16, width=16, channels=3, format="PNG"):
    pixels = np.random.default_rng(height).integers(0, 255, (height, width, channels), dtype=np.uint8).squeeze()
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format)
    return file.getvalue()


def counted(client, name, **labels):
    """A number of /metrics, 0 if it is missing."""
    return client.app.state.metrics.registry.get_sample_value(name, labels) or 0


def pixels(png):
    with Image.open(io.BytesIO(png)) as opened:
        return np.asarray(opened)


def nearly(one, other):
    """Equal except for rounding, which depends on the batch size: rarely one level of 255."""
    apart = np.abs(np.asarray(one, int) - np.asarray(other, int))
    return apart.max() <= 1 and (apart > 0).mean() < 0.01
