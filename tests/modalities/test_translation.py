"""Images that are generated from images: how they are read, cropped and shown."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from sparring import recipes
from sparring.errors import InputError
from sparring.modalities import Degraded, Paired, Unpaired, find
from sparring.modalities.translation.crops import crops_of


def saved(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8).squeeze()).save(path)


@pytest.fixture
def random():
    return np.random.default_rng(0)


@settings(deadline=None)
@given(st.integers(4, 60), st.integers(4, 60), st.integers(4, 12), st.integers(0, 12), st.integers(1, 500))
def test_crops_cover_an_image(height, width, size, more, most):
    """Every pixel is in a crop, and so is every square of `size` pixels, unless their number is limited."""
    side = size + more
    picture = np.arange(height * width).reshape(1, height, width)
    found = crops_of(picture, side, size, most)
    assert (found.height, found.width) == (height, width)
    assert found.pixels.shape[1:] == (1, side, side)
    assert len(found.pixels) <= most
    if most == 500 and more and min(height, width) >= side:
        corners = {(int(s[0, 0, 0]) // width, int(s[0, 0, 0]) % width) for s in found.pixels}
        for top in range(height - size + 1):
            for left in range(width - size + 1):
                assert any(t <= top <= t + more and b <= left <= b + more for t, b in corners)


def test_a_small_image_is_mirrored():
    found = crops_of(np.array([[[1, 2], [3, 4]]]), 4, 4, 9).pixels
    assert found.tolist() == [[[[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]]]


def pairs(tmp_path, random, n=24, side=(40, 50)):
    """The target is the inverted input, so that cropped pairs can be recognized."""
    for i in range(n):
        pixels = random.integers(0, 255, (*side, 3))
        saved(tmp_path / "input" / f"{i:02}.png", pixels)
        saved(tmp_path / "target" / f"{i:02}.png", 255 - pixels[..., :1])
    return find(tmp_path)


@pytest.mark.parametrize("turn", [False, True])
def test_pairs_are_cropped_and_rotated_together(turn, tmp_path, random):
    items = pairs(tmp_path, random)
    modality = Paired(size=16, flip=True, turn=turn).fit(items)
    assert (modality.given, modality.channels, modality.wide) == (3, 1, 32)
    encoded = modality.encode(items)
    assert encoded.values.shape[1:] == (4, 32, 32)
    trained, held = modality.split(items, encoded.readable).samples(encoded.items)
    assert not set(encoded.items[trained]) & set(encoded.items[held])  # whole images are held out
    assert len(held) > 0
    torch.manual_seed(0)
    batch = modality.batch({"values": encoded.values[:20]})
    assert batch["condition"].shape == (20, 3, 16, 16)
    assert torch.allclose(batch["values"], -batch["condition"][:, :1], atol=1e-5)
    again = modality.batch({"values": encoded.values[:20]})
    assert not torch.equal(batch["values"], again["values"])


def test_the_opposite_direction(tmp_path, random):
    items = pairs(tmp_path, random)
    modality = Paired(size=16, reverse=True).fit(items)
    assert (modality.given, modality.channels, modality.folders) == (1, 3, ("target", "input"))
    batch = modality.batch({"values": modality.encode(items).values[:4]})
    assert torch.allclose(batch["values"][:, :1], -batch["condition"], atol=1e-5)
    ahead, back = (
        list(m.examples(items, True)) for m in (replace(modality, reverse=False, given=3, channels=1), modality)
    )
    assert len(ahead) == len(back) == 2
    assert torch.equal(ahead[0][0], back[0][1])
    assert back[0][0].shape == (1, 1, 40, 50)


def test_halves_of_a_file(tmp_path, random):
    for i in range(4):
        left = random.integers(0, 255, (20, 20))
        saved(tmp_path / f"{i}.png", np.concatenate([left, 255 - left], 1))
    items = find(tmp_path)
    for reverse in (False, True):
        modality = Paired(reverse=reverse).fit(items)
        assert modality.size == 20
        batch = modality.batch({"values": modality.encode(items).values})
        assert torch.allclose(batch["values"], -batch["condition"], atol=1e-5)
        [(one, other), *_] = modality.examples(items, False)
        with Image.open(tmp_path / "0.png") as opened:
            first = torch.from_numpy(np.asarray(opened)[:, slice(20, 40) if reverse else slice(20)].copy())
        assert torch.equal(modality.unscale(one)[0, 0], first)
        assert torch.allclose(one, -other, atol=1e-5)


def test_images_that_are_not_pairs(tmp_path, random):
    items = pairs(tmp_path / "a", random, 3)
    saved(tmp_path / "a" / "target" / "01.png", random.integers(0, 255, (40, 49)))
    items = find(tmp_path / "a")
    with pytest.raises(InputError, match=r"input/01.png has 50 x 40 pixels and its partner target/01.png 49 x 40"):
        Paired(size=16).fit(items).encode(items)
    (tmp_path / "a" / "target" / "01.png").unlink()
    with pytest.raises(InputError, match="1 image in input/ without a partner of the same name in target/: 01;"):
        Paired().fit(find(tmp_path / "a"))
    for i in range(3):
        saved(tmp_path / "b" / f"{i}.png", random.integers(0, 255, (20, 30)))
    with pytest.raises(InputError, match=r"holds no pairs: .* \(one has 30 x 20\)"):
        Paired().fit(find(tmp_path / "b"))


def test_a_broken_image_removes_only_its_pair(tmp_path, random):
    pairs(tmp_path, random)
    (tmp_path / "input" / "03.png").write_bytes(b"not an image")
    items = find(tmp_path)
    encoded = Paired(size=16).fit(items).encode(items)
    assert [name for name, _ in encoded.skipped] == ["input/03.png"]
    assert len(set(encoded.items.tolist())) == 23


def test_unpaired_domains_are_drawn_independently(tmp_path):
    for i in range(6):
        saved(tmp_path / "trainA" / f"{i}.png", np.full((20, 20), 10 * i))
        saved(tmp_path / "testA" / f"t{i}.png", np.full((20, 20), 5))
    for i in range(9):
        saved(tmp_path / "trainB" / f"{i}.png", np.stack([np.full((20, 30), 200 + i)] * 2 + [np.full((20, 30), 7)], -1))
        saved(tmp_path / "testB" / f"t{i}.png", np.full((20, 30), 5))
    items = find(tmp_path)
    modality = Unpaired().fit(items)
    assert (modality.given, modality.channels, modality.size) == (3, 3, 20)
    encoded = modality.encode(items)
    assert encoded.values.load().shape == (18, 3, 20, 20)
    assert encoded.beside.values.load().shape == (12, 3, 20, 20)
    split = modality.split(items, encoded.readable)
    assert len(split.samples(encoded.items)[0]) == 9
    assert len(split.samples(encoded.beside.items)[0]) == 6
    with pytest.raises(InputError, match="holds no two domains"):
        Unpaired().fit(find("digits"))


def test_degraded_images_keep_their_scale(tmp_path, random):
    for i in range(3):
        saved(tmp_path / f"{i}.png", random.integers(0, 255, (41, 70, 3)))
    items = find(tmp_path)
    modality = Degraded(size=18, degrade=("x4",)).fit(items)
    assert (modality.size, modality.wide, modality.source.shape) == (16, 32, (3, 4, 4))
    encoded = modality.encode(items)
    batch = modality.batch({"values": encoded.values})
    assert batch["condition"].shape[1:] == (3, 4, 4)
    assert torch.equal(batch["condition"], modality.chain(batch["values"]))
    given, true = next(iter(modality.examples(items, False)))
    assert (given.shape, true.shape) == ((1, 3, 10, 17), (1, 3, 40, 68))
    with pytest.raises(InputError, match="images of 4 pixels a side are too small"):
        Degraded(size=4, degrade=("x4",)).fit(items)


def test_examples_are_always_degraded_in_the_same_way():
    items = replace(find("digits"), items=find("digits").items[:40])
    modality = Degraded(degrade=("noise50",)).fit(items)
    one, other = ([given for given, _ in modality.examples(items, True)] for _ in range(2))
    torch.manual_seed(5)
    assert len(one) == 4
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_sheets_show_given_generated_and_target_images(tmp_path, random):
    items = pairs(tmp_path, random)
    modality = Paired(size=16).fit(items)
    batch = modality.batch({"values": modality.encode(items).values[:12]})
    page = np.asarray(modality.draw_batch({"values": torch.zeros_like(batch["values"])}, batch))
    times = page.shape[1] // (12 * 17 - 1)
    shown = [page[: 16 * times, i * 17 * times :][:, : 16 * times] for i in range(3)]
    assert (shown[1] == 128).all()
    assert np.abs(shown[0][..., 0].astype(int) + shown[2][..., 0] - 255).max() <= 1


def test_the_data_choose_the_recipe(tmp_path, random):
    items = pairs(tmp_path / "p", random, 3)
    assert recipes.choose(items, "cpu")[0].name == "pix2pix"
    for i in range(4):
        saved(tmp_path / "u" / "trainA" / f"{i}.png", random.integers(0, 255, (20, 20)))
        saved(tmp_path / "u" / "trainB" / f"{i}.png", random.integers(0, 255, (20, 20)))
        saved(tmp_path / "c" / "cats" / f"{i}.png", random.integers(0, 255, (20, 20)))
        saved(tmp_path / "c" / "dogs" / f"{i}.png", random.integers(0, 255, (20, 20)))
    assert recipes.choose(find(tmp_path / "u"), "cpu")[0].name == "cyclegan"
    assert recipes.choose(find(tmp_path / "c"), "cpu")[0].name == "r3gan_strided"  # two classes are not pairs


def test_a_broken_image_moves_no_other_across_the_split(tmp_path, random):
    """Training images are never used for evaluation: the split is that of all images, readable or not."""
    pairs(tmp_path / "p", random, 40)
    for i in range(40):
        saved(tmp_path / "d" / f"{i:02}.png", random.integers(0, 255, (40, 50)))
        saved(tmp_path / "u" / "trainA" / f"{i:02}.png", random.integers(0, 255, (20, 20)))
        saved(tmp_path / "u" / "trainB" / f"{i:02}.png", random.integers(0, 255, (20, 20)))
    for name in ("p/input/03.png", "d/03.png", "u/trainA/03.png", "u/trainB/07.png"):
        (tmp_path / name).write_bytes(b"broken")
    for folder, kind in (("p", Paired(size=16)), ("d", Degraded(size=16, degrade=("grey",))), ("u", Unpaired())):
        items = find(tmp_path / folder)
        modality = kind.fit(items)
        encoded = modality.encode(items)
        trained, apart = modality.split(items, encoded.readable).samples(encoded.items)
        asked = {float(true.double().sum()) for _, true in modality.examples(items, True)}
        whole = {float(true.double().sum()) for _, true in modality.examples(items, False)}
        assert len(asked) == len(set(encoded.items[apart].tolist())) < len(whole)
        if folder == "u":
            known = {round(float(modality.scale(x).double().sum()), 3) for x in encoded.values.load()[trained]}
            assert not {round(value, 3) for value in asked} & known


def test_class_indices_are_not_images(tmp_path, random):
    for i in range(4):
        saved(tmp_path / "image" / f"{i}.png", random.integers(0, 255, (20, 20)))
        saved(tmp_path / "mask" / f"{i}.png", random.integers(0, 2, (20, 20)))
    items = find(tmp_path)
    with pytest.raises(InputError, match=r"the target images of .* have values from 0 to 1 of 255, like class indices"):
        Paired().fit(items).encode(items)


def test_incomplete_pairs_are_still_pairs(tmp_path, random):
    pairs(tmp_path / "p", random, 4)
    (tmp_path / "p" / "target" / "01.png").unlink()
    chosen, _ = recipes.choose(find(tmp_path / "p"), "cpu")
    assert chosen.name == "pix2pix"
    for i in range(4):
        saved(tmp_path / "x" / "a" / f"{i}.png", random.integers(0, 255, (20, 20)))
        saved(tmp_path / "x" / "b" / f"{i}.png", random.integers(0, 255, (20, 20)))
        saved(tmp_path / "l" / "trainA" / f"{i}.png", random.integers(0, 255, (20, 20)))
        saved(tmp_path / "l" / "testA" / f"{i}.png", random.integers(0, 255, (20, 20)))
    assert recipes.choose(find(tmp_path / "x"), "cpu")[0].name == "r3gan_strided"  # letters are classes
    with pytest.raises(InputError, match="has no trainB/ next to the other domain"):
        recipes.choose(find(tmp_path / "l"), "cpu")


def test_ordinary_images_are_not_mirrored(random, tmp_path):
    for i in range(3):
        saved(tmp_path / f"{i}.png", random.integers(0, 255, (130, 110)))
    assert Degraded(degrade=("x4",)).fit(find(tmp_path)).wide == 110


def test_arrays_take_the_channels_of_the_model():
    colours = Degraded(size=8, channels=3, given=3, wide=8, degrade=("grey",))
    given, true = next(colours.examples(find("digits"), True))
    assert (given.shape[1], true.shape[1]) == (1, 3)
    assert torch.equal(true[:, 0], true[:, 2])


CANNOT = [
    ("inpaint", {"degrade": ("noise5", "freeform")}, "combines holes with other changes"),
    ("srgan", {"degrade": ("x4", "freeform")}, "combines holes with other changes"),
    ("inpaint", {"degrade": ("noise5",)}, "leaves no holes to fill"),
    ("colorize", {"degrade": ("noise5",)}, "cannot be colorized"),
    ("colorize", {"degrade": ("x2", "grey")}, "cannot be colorized"),
    ("denoise", {"degrade": ("nose5",)}, "did you mean 'noise'"),
    ("denoise", {"noise": 0.1}, "would hide from D"),
    ("cyclegan", {"pool": 2}, "pool=2 is smaller than batch=4"),
]


@pytest.mark.parametrize(("name", "fields", "said"), CANNOT, ids=[said for *_, said in CANNOT])
def test_fields_that_do_not_fit(name, fields, said):
    with pytest.raises(InputError, match=said):
        recipes.find(name).set(fields)
