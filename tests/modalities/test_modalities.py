"""File to tensor to file."""

from dataclasses import asdict

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.data import Items, find
from sparring.modalities import Images, Points, Samples


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures_round_trip(pictures, tmp_path, channels):
    """Pictures of the right size come back to the byte, in folders by class."""
    items = find(pictures(channels))
    modality = Images().fit(items)
    assert modality.shape == (channels, 8, 8)
    assert modality.counts == (8, 8)
    tensors = modality.batch(modality.tensors(items))
    assert -1 <= tensors["real"].min() < tensors["real"].max() <= 1
    samples = Samples(modality.decode(tensors["real"]), tensors["label"].numpy(), modality)
    samples.save(tmp_path / "out")
    again = modality.tensors(find(tmp_path / "out"))
    assert torch.equal(again["real"], modality.encode(items))
    assert torch.equal(again["label"], tensors["label"])


def test_size_is_chosen_from_the_data(tmp_path):
    for i, size in enumerate([(100, 50), (90, 90), (40, 70)]):
        Image.new("RGB", size, (i, 0, 0)).save(tmp_path / f"{i}.png")
    items = find(tmp_path)
    assert Images().fit(items).shape == (3, 32, 32)  # a power of two that the median side holds
    assert Images(size=20, channels=1).fit(items).encode(items).shape == (3, 1, 20, 20)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
def test_modes_of_pictures(tmp_path, mode):
    for i in range(2):
        suffix = "jpg" if mode == "CMYK" else "png"
        Image.new(mode, (8, 8)).save(tmp_path / f"{i}.{suffix}")
    items = find(tmp_path)
    assert Images().fit(items).encode(items).dtype == torch.uint8


def test_exif_rotation_is_obeyed(tmp_path):
    picture = Image.new("L", (8, 8))
    picture.putpixel((0, 0), 255)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned right by a quarter
    for i in range(2):
        picture.save(tmp_path / f"{i}.png", exif=exif)
    pixels = Images().fit(find(tmp_path)).encode(find(tmp_path))
    assert pixels[0, 0, 0].tolist() == [0] * 7 + [255]


def test_decode_clips():
    pixels = Images(size=1, channels=1).decode(torch.tensor([-3.0, -1.0, 0.0, 1.0, 9.0]).view(5, 1, 1, 1))
    assert pixels.flatten().tolist() == [0, 0, 128, 255, 255]


def test_points_round_trip(tmp_path):
    points = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32) * [1, 100, 0] + [0, 5, 7]
    modality = Points().fit(Items("p", "points", points, columns=("a", "b", "c")))
    encoded = modality.encode(Items("p", "points", points))
    assert encoded.mean(0).abs().max() < 1e-5
    assert np.allclose(encoded.std(0, unbiased=False), [1, 1, 0], atol=1e-5)  # a constant stays one
    samples = Samples(modality.decode(encoded), None, modality)
    for suffix in (".csv", ".npy"):
        samples.save(tmp_path / f"p{suffix}")
        assert np.allclose(find(tmp_path / f"p{suffix}").items, points, rtol=1e-4, atol=1e-3)
    assert find(tmp_path / "p.csv").columns == ("a", "b", "c")
    assert samples.preview().size == (480, 480)


def test_the_fitted_state_is_primitives(pictures):
    import json

    for modality in (Images().fit(find(pictures(4))), Points().fit(find("ring"))):
        assert json.loads(json.dumps(asdict(modality)))
