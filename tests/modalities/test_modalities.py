"""File to tensor to file."""

from dataclasses import asdict

import numpy as np
import pytest
import torch
from PIL import Image

from sparring.data import Items
from sparring.errors import InputError
from sparring.modalities import Images, Points, Samples, find
from sparring.modalities.samples import columns_for


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_images_round_trip(pictures, tmp_path, channels):
    """Images of the right size are restored exactly, in folders by class."""
    items = find(pictures(channels))
    modality = Images().fit(items)
    assert modality.shape == (channels, 8, 8)
    modality = modality.with_classes(items.classes, items.labels)
    assert modality.counts == (8, 8)
    pixels = pixels_of(modality, items)
    real = modality.batch({"values": pixels})["values"]
    assert -1 <= real.min() < real.max() <= 1
    Samples(modality.decode({"values": real}), items.labels, modality).save(tmp_path / "out")
    again = find(tmp_path / "out")
    assert torch.equal(pixels_of(modality, again), pixels)
    assert np.array_equal(again.labels, items.labels)


def pixels_of(modality, items):
    return modality.encode(items).values.load()


def test_size_is_chosen_from_the_data(tmp_path):
    for i, size in enumerate([(100, 50), (90, 90), (40, 70)]):
        Image.new("RGB", size, (99 + 50 * i, 0, 0)).save(tmp_path / f"{i}.png")
    items = find(tmp_path)
    assert Images().fit(items).shape == (3, 32, 32)  # a power of two below the median side
    assert pixels_of(Images(size=20, channels=1).fit(items), items).shape == (3, 1, 20, 20)
    for i in range(3):
        Image.new("RGB", (48, 48), (99 + i, 0, 0)).save(tmp_path / f"{i}.png")
    assert Images().fit(find(tmp_path)).shape == (3, 48, 48)  # all have the same small size
    for i in range(3):
        Image.new("RGBA", (48, 48), (9 + i, 9, 9, 255)).save(tmp_path / f"{i}.png")
    assert Images().fit(find(tmp_path)).shape == (1, 48, 48)  # neither color nor transparency
    for i in range(2):
        Image.new("RGBA", (48, 48), (9, 9, 9, 100 + i)).save(tmp_path / f"{i}.png")
    assert Images().fit(find(tmp_path)).shape == (4, 48, 48)


def test_identical_images_are_refused(tmp_path):
    for i in range(5):
        Image.new("RGB", (8, 8), (9, 90, 9)).save(tmp_path / f"{i}.png")
    items = find(tmp_path)
    with pytest.raises(InputError, match=r"all 5 images of .* are identical"):
        Images().fit(items).encode(items)


def test_flips_and_crops():
    """Half of the images are mirrored, crops come from every place, and each is contiguous."""
    torch.manual_seed(0)
    places = torch.arange(36, dtype=torch.uint8).view(1, 1, 6, 6).expand(400, 1, 6, 6)
    modality = Images(size=4, channels=1, flip=True, crop=0.5)
    assert (modality.kept, modality.shape) == (6, (1, 4, 4))
    made = ((modality.batch({"values": places})["values"] + 1) * 127.5).round().int()
    assert made.shape == (400, 1, 4, 4)
    mirrored = made[:, 0, 0, 0] > made[:, 0, 0, 1]
    assert 150 < mirrored.sum() < 250
    upright = torch.where(mirrored[:, None, None, None], made.flip(-1), made)
    corners = upright[:, 0, 0, 0]
    assert sorted(corners.unique().tolist()) == [r * 6 + c for r in range(3) for c in range(3)]
    window = torch.tensor([[r * 6 + c for c in range(4)] for r in range(4)])
    assert torch.equal(upright[:, 0], corners[:, None, None] + window)


def test_decode_clips():
    pixels = Images(size=1, channels=1).decode({"values": torch.tensor([-3.0, -1.0, 0.0, 1.0, 9.0]).view(5, 1, 1, 1)})
    assert pixels.flatten().tolist() == [0, 0, 128, 255, 255]


def test_points_round_trip(tmp_path):
    points = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32) * [1, 100, 0] + [0, 5, 7]
    modality = Points().fit(Items("p", "points", points, columns=("a", "b", "c")))
    encoded = modality.encode(Items("p", "points", points)).values
    assert encoded.mean(0).abs().max() < 1e-5
    assert np.allclose(encoded.std(0, unbiased=False), [1, 1, 0], atol=1e-5)  # a constant stays one
    samples = Samples(modality.decode({"values": encoded}), None, modality)
    samples.save(tmp_path / "p.npy")
    assert np.allclose(find(tmp_path / "p.npy").items, points, rtol=1e-4, atol=1e-3)
    samples.save(tmp_path / "p.csv")
    written = np.loadtxt(tmp_path / "p.csv", delimiter=",", skiprows=1)
    assert np.allclose(written, points, rtol=1e-4, atol=1e-3)
    assert (tmp_path / "p.csv").read_text().splitlines()[0] == "a,b,c"
    assert samples.preview().size == (480, 480)


def test_the_fitted_state_is_primitives(pictures):
    import json

    for modality in (Images().fit(find(pictures(4))), Points().fit(find("ring"))):
        assert json.loads(json.dumps(asdict(modality)))


@pytest.mark.parametrize(("classes", "n", "columns"), [(10, 60, 10), (2, 64, 8), (3, 63, 9), (43, 64, 8), (0, 50, 8)])
def test_a_sheet_is_near_square_and_classes_keep_to_their_columns(classes, n, columns):
    names = tuple(map(str, range(classes)))
    labels = np.arange(n) % classes if classes else None
    assert columns_for(Samples(np.zeros((n, 4, 4, 1), np.uint8), labels, Images(classes=names))) == columns
