"""A watermark is read again from the pictures that have it, and from no others."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image

import sparring
from sparring.console import Screen
from sparring.errors import InputError
from sparring.provenance import Mark, whose
from sparring.provenance import marker as markers
from sparring.provenance.degradations import crop, half
from sparring.provenance.training import identities, judged_lines, trained
from sparring.provenance.watermark import (
    BITS,
    FALSE_NAMES,
    Watermark,
    judge,
    message,
    named,
    required,
    train,
)

ONE, *OTHERS = identities(10)


def pictures(n, side=64):
    """Smooth colored pictures."""
    torch.manual_seed(n)
    coarse = torch.rand(n, 3, 6, 6)
    return (torch.nn.functional.interpolate(coarse, (side, side), mode="bicubic") * 255).clamp(0, 255).byte()


SMALL = {
    "watermark_nets.WIDTH": 8, "watermark_nets.CARRIERS": 16, "watermark.BATCH": 16, "watermark.EARLY_STRENGTH": 16.0,
    "watermark.EARLY": 1.0, "watermark.UNDISTURBED": 1.0, "watermark.WARM_UP": 5, "watermark.RATE": 0.006,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def small():
    """Nets that learn in seconds, from strong watermarks without degradations."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(f"sparring.provenance.{name}", value)
        yield


@pytest.fixture(scope="module")
def watermark(small):  # noqa: ARG001
    return train([pictures(256)], steps=50)


def test_bits_are_named_with_the_probability_that_is_promised():
    tail = {t: sum(math.comb(BITS, k) for k in range(t, BITS + 1)) / 2**BITS for t in range(BITS + 2)}
    for models in (1, 10, 1000):
        least = required(models)
        assert models * tail[least] <= FALSE_NAMES < models * tail[least - 1]
    assert required(10**12) == BITS + 1
    wrong = message(ONE).clone()
    wrong[: BITS - required(10)] *= -1
    assert named(wrong, [ONE, *OTHERS]) == (ONE, required(10))
    wrong[BITS - 1] *= -1
    assert named(wrong, [ONE, *OTHERS]) is None
    assert named(message(ONE), []) is None


def test_random_bits_are_not_named():
    torch.manual_seed(0)
    bits = torch.randint(0, 2, (4_000, BITS)).float() * 2 - 1
    assert sum(named(one, [ONE]) is not None for one in bits) <= 3  # 0.2 are expected


def test_it_is_read_from_pictures_that_it_was_not_trained_on(watermark, tmp_path):
    items = pictures(40).permute(0, 2, 3, 1).numpy()
    marked = watermark.embed(items, message(ONE))
    assert 0 < np.abs(marked.astype(int) - items).mean() < 6
    agreeing = (watermark.decode(marked) == message(ONE)).float().mean()
    assert agreeing > 0.9
    assert 0.3 < (watermark.decode(items) == message(ONE)).float().mean() < 0.7
    watermark.save(tmp_path / "w.safetensors")
    again = Watermark.load(tmp_path / "w.safetensors")
    assert np.array_equal(again.embed(items, message(ONE)), marked)
    (tmp_path / "w.safetensors").write_bytes(b"damaged")
    with pytest.raises(InputError, match="is damaged"):
        Watermark.load(tmp_path / "w.safetensors")


def test_gray_transparent_and_large_pictures(watermark):
    for channels, side in ((1, 64), (2, 40), (4, 100)):
        items = np.random.default_rng(0).integers(60, 200, (2, side, side, channels), np.uint8)
        marked = watermark.embed(items, message(ONE))
        assert marked.shape == items.shape
        colors = channels - (channels in (2, 4))
        assert (marked[..., :colors] != items[..., :colors]).any()
        assert np.array_equal(marked[..., colors:], items[..., colors:])
        assert watermark.decode(marked).shape == (2, BITS)
    with pytest.raises(InputError, match="28 x 28 pixels are too small"):
        watermark.embed(np.zeros((1, 28, 28, 1), np.uint8), message(ONE))
    with pytest.raises(InputError, match="too small"):
        train([pictures(4, 16)], steps=1)


def test_judging_counts_what_is_named(watermark):
    class Perfect(Watermark):
        """Reads the bits of the first model from pictures that differ from gray."""

        def decode(self, items):
            assert len(items) <= SMALL["watermark.BATCH"]  # all held-out pictures at once may not fit into memory
            return torch.stack([message(ONE) if (one != 128).any() else -message(ONE) for one in items])

    judged = judge(Perfect(watermark.nets), torch.full((20, 3, 64, 64), 128, dtype=torch.uint8), [ONE, *OTHERS])
    assert judged["clean"] == {"named": 1.0, "falsely": 0.0}
    assert judged["bits"] == required(10)
    assert len(list(judged_lines(judged))) == 5
    assert list(judged_lines({})) == []


def test_degradations_change_sizes():
    x = torch.zeros(1, 3, 64, 64)
    assert half(x).shape[-1] == 32
    assert crop(x, 0.05).shape[-1] == 61


def test_samples_of_a_run_are_named_after_their_metadata_are_gone(tmp_path, watermark):
    folder = tmp_path / "photos"
    folder.mkdir()
    for i, one in enumerate(pictures(400).permute(0, 2, 3, 1).numpy()):
        Image.fromarray(one).save(folder / f"{i}.png")
    sizes = {"batch": 8, "width": 4, "size": 64}
    model = sparring.train("dcgan", folder, out=tmp_path / "run", steps=1, quiet=True, device="cpu", **sizes)
    found, judged = trained([str(tmp_path / "run")], 2, Screen(quiet=True))
    assert isinstance(found, Watermark)
    assert set(judged) >= {"psnr", "clean", "JPEG 75", "half size", "5% crop"}

    class Sure(Watermark):
        def decode(self, items):
            return message(mark.origin.identity).expand(len(items), -1)

    marker = markers.create(tmp_path / "marks", "Example", watermark=watermark, judged=judged)
    mark = Mark.of(model, ["eu"], str(marker.folder))
    model.sample(2, seed=0).save(tmp_path / "samples", mark=mark)
    (first, _) = sorted((tmp_path / "samples").glob("*.png"))
    plain, marked = model.sample(2, seed=0).items[0], np.asarray(Image.open(first))
    assert (plain != marked).any()
    file = io.BytesIO()
    Image.fromarray(marked).save(file, "JPEG")
    (tmp_path / "stripped.jpg").write_bytes(file.getvalue())
    marker.__dict__["watermark"] = Sure(watermark.nets)
    verdict = whose(tmp_path / "stripped.jpg", marker)
    assert [one.kind for one in verdict.evidence] == ["watermark"]
    assert "recipe dcgan on photos of Example" in verdict.model
