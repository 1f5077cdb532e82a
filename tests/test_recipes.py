"""The contract of every recipe, at toy size, and the values that its fields accept."""

import inspect
import json
import shutil
from dataclasses import fields, replace

import numpy as np
import pytest
import soundfile
import torch
from benzenes import write_benzenes
from captions import captions, write_captions, write_labeled
from PIL import Image
from songs import chorales
from things import write_stems, write_two_pictures

import sparring
from sparring import recipes
from sparring.data import Items
from sparring.data.tensors import VALUES
from sparring.errors import InputError
from sparring.nets import efficientnet_lite
from sparring.nets.packed import logits, score
from sparring.recipes.base import (
    AudioTranslationRecipe,
    PerceptualRecipe,
    PointsOrImages,
    PrivateRecipe,
    RestorationRecipe,
    TranslationRecipe,
    VideoCompletionRecipe,
    parse,
)
from sparring.seeds import Seeds, reseed
from sparring.training import checkpoint

COLUMNS = ("column", "smiles", "target")  # fields of text whose value is the name of a column, not a path
SMALL = {
    "z": 8, "width": 8, "G": 8, "D": 8, "hidden": (16, 16), "depth": 1, "group": 4, "growth": 4, "most": 8,
    "kernels": 4, "unroll": 2, "batch": 4, "noise": 0.1, "pack": 2, "resolution": 32, "inner": 16, "codes": 8,
    "coder": 32, "D_width": 16,
}  # fmt: skip
# D's last bias shifts all logits. Losses of differences of logits do not depend on it, and the hinge loss does not as
# long as all logits are within its margins.
LOGIT_BIASES = {f"D.nets.{i}.convs.5.bias" for i in range(8)}
JOINT_BIASES = {"D.joint.3.bias", "D.judges.0.head.linear.bias", "D.judges.1.D.head.bias"}
WITHOUT_GRADIENT = {
    "audio": {"D.head.linear.bias"},
    "audio_denoise": LOGIT_BIASES,
    "audio_pairs": LOGIT_BIASES,
    "between": {"D.head.linear.bias"},
    "ctgan": {"D.head.bias"},
    "chorale": {"D.local.bias", "D.whole.2.bias"},
    "densegan": {"D.head.linear.bias"},
    "inpaint": {"D.head.bias"},
    "joint": JOINT_BIASES,
    "joint_chain": JOINT_BIASES,
    "latent": {"D.head.linear.bias", "P.head.bias"},
    "latentgan": {"D.head.bias"},
    "molgan": {"D.head.bias"},
    "musegan": {"D.head.bias"},
    "predict": {"D.head.linear.bias"},
    "r3gan_mlp": {"D.head.bias"},
    "r3gan_strided": {"D.head.linear.bias"},
    "specgan": {"D.head.linear.bias"},
    "relgan": {"D.head.linear.bias", "D.narrow.bias"},
    "sngan": {"D.head.linear.bias"},
    "series": {"D.head.3.bias"},
    "table": {"D.head.bias"},
    "tilgan": {"D.whole.head.bias", *(f"D.local.{i}.2.bias" for i in range(3))},
    "vocoder": LOGIT_BIASES,
    "wavegan": {"D.head.linear.bias"},
    "wgan": {"D.head.linear.bias"},
    "wgan_gp": {"D.head.linear.bias"},
}


@pytest.mark.parametrize("name", recipes.names())
def test_a_portable_recipe_has_no_path(name):
    recipe = recipes.find(name)
    texts = [f.name for f in fields(recipe) if f.type in ("str", str)]
    private = replace(recipe, **{text: f"/private/{text}.py:function" for text in texts})
    kept = {text: getattr(private.portable(), text) for text in texts if text not in COLUMNS}
    assert not [value for value in kept.values() if "/" in value]


def small(recipe, points=False):
    names = {f.name for f in fields(recipe)}
    if recipe.name == "vae" or isinstance(recipe, TranslationRecipe | AudioTranslationRecipe | VideoCompletionRecipe):
        names -= {"noise"}
    if isinstance(recipe, PrivateRecipe):  # noise in D's gradient instead; enough budget for a few rows
        return recipe.set(
            {**{n: v for n, v in SMALL.items() if n in names - {"noise"}}, "privacy": 100.0, "G_batch": 8}
        )
    if isinstance(recipe, PointsOrImages):  # refuses fields of nets that it does not build
        names -= {"width", "norm"} if points else {"hidden"}
    return recipe.set({name: value for name, value in SMALL.items() if name in names})


def initial(recipe, modality, seed):
    with torch.random.fork_rng():
        reseed(Seeds(seed).key("initial weights"), torch.device("cpu"))
        return dict(recipe.game(modality).named_parameters())


def kinds(name):
    return [modality.kind for modality in recipes.find(name).takes]


@pytest.mark.parametrize(
    ("channels", "labels"), [(1, False), (3, True), (4, False)], ids=["1-plain", "3-labels", "4-plain"]
)
@pytest.mark.parametrize("name", [n for n in recipes.names() if "images" in kinds(n)])
def test_contract_for_images(name, channels, labels, pictures, tmp_path):
    samples = contract(name, pictures(channels), tmp_path, labels=labels)
    assert samples.items.shape == (5, 8, 8, channels)
    assert samples.items.dtype == np.uint8
    assert (samples.labels is not None) == labels


@pytest.mark.parametrize("name", [n for n in recipes.names() if "images" in kinds(n)])
def test_contract_with_held_out_images_and_micro_batches(name, tmp_path):
    contract(name, "digits", tmp_path, batch=8, shards=2)


OFF = [
    ("acgan", {"labels": False}),
    ("fastgan", {"redrawn": 0.0}),
    ("improved_gan", {"kernels": 0, "matching": 0.0, "history": 0.0}),
    ("infogan", {"categories": 0}),
    ("infogan", {"continuous": 0, "invariance": 0.0, "tilted": False}),
    ("lightweight", {"redrawn": 0.0, "attention": (4,)}),
    ("pacgan", {"pack": 3, "batch": 66}),
    ("stylegan2", {"path_length": 0.0, "R1_every": 1}),
    ("unrolled", {"unroll": 0}),
]


@pytest.mark.parametrize(("name", "fields"), OFF, ids=[f"{name} {','.join(fields)}" for name, fields in OFF])
def test_contract_with_parts_turned_off(name, fields, tmp_path):
    contract(name, "digits", tmp_path, **fields)


def test_refused_combinations():
    for name, given, message in [
        ("dragan", {"norm": "batch"}, "norm=batch does not go with a gradient penalty"),
        ("wgan_gp", {"norm": "batch"}, "norm=batch does not go with a gradient penalty"),
        ("vae", {"augment": "ada"}, "a vae has no D"),
        ("acgan", {"classify": 0.0}, "classify=0 trains nothing on the labels"),
        ("pacgan", {"pack": 3}, "must be a multiple of shards=1 x pack=3"),
        ("fastgan", {"loss": "minimax"}, "has no field 'loss'"),
        ("molecules", {"adversarial": 0.0}, "adversarial=0 trains no D, which candidates=6 need; give candidates=1"),
        ("projected", {"resolution": 100}, "resolution=100 is no multiple of 32"),
    ]:
        with pytest.raises(InputError, match=message):
            recipes.find(name).set(given)


def test_averaged_vectors_of_spectral_norms_have_length_one(tmp_path):
    """A mean of unit vectors is shorter than 1, and would make the net's outputs too large."""
    settings = {"out": tmp_path / "run", "steps": 60, "quiet": True, "device": "cpu", "lr": 5e-3, "batch": 8}
    model = sparring.train(small(recipes.find("fastgan")), "digits", **settings)
    vectors = [b for name, b in model.game.G.named_buffers() if name.endswith(("_u", "_v"))]
    assert vectors
    assert all(v.norm().item() == pytest.approx(1, abs=1e-3) for v in vectors)


@pytest.mark.parametrize("augment", ["places", "diffaugment", "ada"])
@pytest.mark.parametrize("name", ["dcgan", "r3gan_strided", "wgan_gp"])
def test_contract_with_augmentation(name, augment, pictures, tmp_path):
    data = "digits" if augment == "ada" else pictures(4)  # ada needs held-out images
    contract(name, data, tmp_path, augment=augment, size=12, flip=True, crop=0.3)


@pytest.mark.parametrize(
    ("count", "device", "augment", "batch"),
    [
        (12, "cpu", "places", 16),
        (999, "cpu", "places", 16),
        (999, "cuda", "places", 64),
        (1000, "cpu", "ada", 64),
        (20_000, "cpu", "none", 64),
    ],
)
def test_choice_for_few_images(count, device, augment, batch):
    chosen, why = recipes.choose(Items("p", "images", np.zeros((count, 20, 20, 3), np.uint8)), device)
    assert (chosen.augment, chosen.batch) == (augment, batch)
    assert (f"only {count:,}" in why) == (augment != "none")
    assert ("in small batches" in why) == (batch == 16)


@pytest.mark.parametrize("dimensions", [1, 3])
@pytest.mark.parametrize("name", [n for n in recipes.names() if "points" in kinds(n)])
def test_contract_for_points(name, dimensions, tmp_path):
    scale, shift = [1, 10, 100][-dimensions:], [0, 5, -500][-dimensions:]
    np.save(tmp_path / "p.npy", np.random.default_rng(0).normal(size=(50, dimensions)) * scale + shift)
    samples = contract(name, tmp_path / "p.npy", tmp_path)
    assert samples.items.shape == (5, dimensions)
    assert abs(samples.items[:, -1] + 500).max() < 1000  # in the data's units


@pytest.mark.parametrize("name", [n for n in recipes.names() if "rows" in kinds(n)])
def test_contract_for_rows(name, tmp_path):
    random = np.random.default_rng(0)
    lines = [f"{random.integers(9)},{random.normal():.2f},{'xyz'[random.integers(3)]}" for _ in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,c", *lines]))
    samples = contract(name, tmp_path / "t.csv", tmp_path)
    assert samples.items.dtypes.map(str).tolist() == ["Int64", "Float64", "string"]
    conditional = sparring.load(tmp_path / "run").sample(20, seed=2, where={"c": "z"}).items
    assert (conditional["c"] == "z").all()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", [n for n in recipes.names() if "series" in kinds(n)])
def test_contract_for_series(name, channels, tmp_path):
    steps = np.random.default_rng(0).normal(0, 0.01, (400, channels)).cumsum(0)
    lines = [",".join(f"{100 * np.exp(v):.2f}" for v in row) for row in steps]
    (tmp_path / "s.csv").write_text("\n".join([",".join("abc"[:channels]), *lines]))
    window = recipes.find(name).window
    samples = contract(name, tmp_path / "s.csv", tmp_path, **({"window": 60} if window > 200 else {}))
    assert samples.items.shape == (5, 60 if window > 200 else window, channels)
    longer = sparring.load(tmp_path / "run").sample(3, seed=1, length=500).items
    assert longer.shape == (3, 500, channels)
    assert np.isfinite(longer).all()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("name", [n for n in recipes.names() if "audio" in kinds(n)])
def test_contract_for_sounds(name, channels, tmp_path):
    random = np.random.default_rng(0)
    rate = 8000 if channels == 1 else 44_100
    for i in range(24):
        (tmp_path / "sounds" / "ab"[i % 2]).mkdir(parents=True, exist_ok=True)
        sound = random.normal(0, 0.1, (int(rate * random.uniform(0.08, 0.1)), channels))
        soundfile.write(tmp_path / "sounds" / "ab"[i % 2] / f"{i:02}.wav", sound, rate)
    samples = contract(name, tmp_path / "sounds", tmp_path, labels=channels == 1)
    assert samples.items.shape == (5, samples.modality.length, channels)
    assert samples.modality.rate == rate
    assert 0 < np.abs(samples.items).max() <= 1
    assert (samples.labels is not None) == (channels == 1)


@pytest.mark.parametrize("name", [n for n in recipes.names() if {"molecules", "molecule graphs"} & set(kinds(n))])
def test_contract_for_molecules(name, tmp_path):
    samples = contract(name, write_benzenes(tmp_path / "b.smi"), tmp_path, output_of=written)
    assert samples.shape == (5,)


def every_phase(name):
    """Shares of the steps that give each phase one of three."""
    shares = {"judging": 0.34, "adversarial": 0.34}
    return {field: share for field, share in shares.items() if hasattr(recipes.find(name), field)}


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("name", [n for n in recipes.names() if "text" in kinds(n)])
def test_contract_for_text(name, labels, tmp_path):
    write = write_labeled if labels else write_captions
    data = write(tmp_path / f"c.{'csv' if labels else 'txt'}", 60)
    samples = contract(name, data, tmp_path, labels=labels, **every_phase(name))
    assert all(isinstance(text, str) for text in samples.items)
    assert (samples.labels is not None) == labels
    if name == "tilgan":
        with pytest.raises(InputError, match="a prompt was given, but this recipe generates whole texts"):
            sparring.load(tmp_path / "run").sample(3, prompt="a black")
        return
    prompted = sparring.load(tmp_path / "run").sample(3, seed=1, prompt="a black")
    assert all(text.startswith("a black") for text in prompted.items)


@pytest.mark.parametrize("name", [n for n in recipes.names() if "text" in kinds(n)])
def test_contract_for_a_long_text(name, tmp_path):
    (tmp_path / "long.txt").write_text(" ".join(text for text, _ in captions(200)))
    samples = contract(name, tmp_path / "long.txt", tmp_path, window=12, **every_phase(name))
    if name == "tilgan":
        with pytest.raises(InputError, match="a length was given, but this recipe generates texts of its own length"):
            sparring.load(tmp_path / "run").sample(3, length=30)
        return
    assert [len(text) for text in samples.items] == [12] * 5
    longer = sparring.load(tmp_path / "run").sample(3, seed=1, length=30).items
    assert [len(text) for text in longer] == [30] * 3


def test_molecules_by_likelihood_alone(tmp_path):
    fields = {"width": 8, "batch": 8, "adversarial": 0.0, "candidates": 1}
    settings = {"out": tmp_path / "run", "steps": 3, "quiet": True, "device": "cpu"}
    model = sparring.train("molecules", write_benzenes(tmp_path / "b.smi"), **settings, **fields)
    assert written(model).shape == (5,)


def written(model):
    """SMILES as they are generated. Those of a net that has hardly been trained are invalid."""
    (batch, _) = next(model.stream(5, seed=1))
    return model.modality.decode(batch)


@pytest.mark.parametrize("name", [n for n in recipes.names() if {"music", "rolls"} & set(kinds(n))])
def test_contract_for_music(name, tmp_path):
    chorales(tmp_path / "songs", 24)
    fields = {"alone": 0.5} if name == "chorale" else {}  # D moves in few steps, too
    samples = contract(name, tmp_path / "songs", tmp_path, bars=2, **fields)
    longer = sparring.load(tmp_path / "run").sample(3, seed=1, length=5)
    assert all(score.length > 3 * 4 * score.resolution for score in longer.items)
    assert all(len(score.tracks) == 4 for score in samples.items)


@pytest.mark.parametrize("name", [n for n in recipes.names() if "video" in kinds(n)])
@pytest.mark.parametrize(("labels", "loop"), [(True, False), (False, True)], ids=["labels", "loops"])
def test_contract_for_video(name, labels, loop, tmp_path):
    data = films(tmp_path / "data", classes=2 if labels else 1)
    fields = {"motion": 4} if labels else {"augment": "places"}
    fields |= {"still": True} if name == "video" and labels else {}
    samples = contract(name, data, tmp_path, loop=loop, **fields)
    assert samples.items.shape == (5, 6, 8, 8, 3)
    assert (samples.labels is not None) == labels
    assert sparring.load(tmp_path / "run").sample(2, seed=1, length=11).items.shape == (2, 11, 8, 8, 3)


@pytest.mark.parametrize("name", [n for n in recipes.names() if "completed video" in kinds(n)])
def test_contract_for_completed_video(name, tmp_path):
    clip = np.random.default_rng(0).integers(0, 255, (4, 8, 8, 3), dtype=np.uint8)
    output = contract(name, films(tmp_path / "data"), tmp_path, output_of=lambda model: model.apply(clip), made=2)
    assert len(output) == {"predict": 4 + 2, "between": 4 + 3 * 2}[name]
    assert np.array_equal(output[:4] if name == "predict" else output[::3], clip)


@pytest.mark.parametrize("name", [n for n in recipes.names() if "degraded video" in kinds(n)])
@pytest.mark.parametrize("degrade", ["noise20", "x2"])
def test_contract_for_degraded_video(name, degrade, tmp_path):
    clip = np.random.default_rng(0).integers(0, 255, (7, 10, 12, 3), dtype=np.uint8)
    data = films(tmp_path / "data", size=16)
    output = contract(name, data, tmp_path, output_of=lambda model: model.apply(clip), degrade=degrade)
    times = 2 if degrade == "x2" else 1
    assert output.shape == (7, 10 * times, 12 * times, 3)


def films(folder, classes=1, count=24, frames=6, size=8):
    """Animations of squares that move, in a folder for each class."""
    random = np.random.default_rng(0)
    for i in range(count):
        path = folder / "ab"[i % classes]
        path.mkdir(parents=True, exist_ok=True)
        clip = np.zeros((frames, size, size, 3), np.uint8)
        for t in range(frames):
            clip[t, 2:5, (t + i) % (size - 2) : (t + i) % (size - 2) + 3] = random.integers(100, 255, 3)
        first, *others = map(Image.fromarray, clip)
        first.save(path / f"{i:02}.webp", save_all=True, append_images=others, duration=100, lossless=True)
    return folder


def test_passes_bound_the_training_on_a_table(tmp_path):
    lines = ["a,b", *(f"{i % 7},{'xy'[i % 2]}" for i in range(100))]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    settings = {"out": tmp_path / "run", "quiet": True, "device": "cpu", "batch": 50, "width": 8, "D": 8, "passes": 3}
    assert sparring.train("table", tmp_path / "t.csv", **settings).about["step"] == 3 * 90 // 50
    assert sparring.train("table", tmp_path / "t.csv", steps=9, force=True, **settings).about["step"] == 9
    timed = sparring.train("table", tmp_path / "t.csv", time=60, force=True, **settings)
    assert timed.about["step"] == 3 * 90 // 50


def paired(folder, given, target, side=16, missing=0):
    """Folders of 24 different images, some of them held out.

    Args:
        given, target: numbers of channels.
        missing: images that the second folder lacks.
    """
    random = np.random.default_rng(0)
    for kind, channels, count in (("input", given, 24), ("target", target, 24 - missing)):
        for i in range(count):
            path = folder / ("test" if i < 4 else "train") / kind
            path.mkdir(parents=True, exist_ok=True)
            pixels = random.integers(0, 255, (side, side, channels), dtype=np.uint8).squeeze()
            Image.fromarray(pixels).save(path / f"{i:02}.png")
    return folder


def applied(model):
    channels = model.modality.given - model.modality.masked
    random = np.random.default_rng(1)
    image = random.integers(0, 255, (19, 21, channels), dtype=np.uint8)
    if model.modality.masked:
        hole = np.where(random.random((19, 21, 1)) < 0.3, 255, 0).astype(np.uint8)
        image = np.concatenate([image, hole], -1)
    return model.apply(image)


@pytest.mark.parametrize(("given", "target"), [(1, 1), (1, 3), (3, 1), (3, 4)])
@pytest.mark.parametrize("name", [n for n in recipes.names() if {"pairs", "unpaired"} & set(kinds(n))])
def test_contract_for_translation(name, given, target, tmp_path):
    data = paired(tmp_path / "data", given, target, missing=0 if "pairs" in kinds(name) else 3)
    output = contract(name, data, tmp_path, output_of=applied, batch=4)
    assert output.shape == (19, 21, target if "pairs" in kinds(name) else max(given, target))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", [n for n in recipes.names() if "degraded" in kinds(n)])
def test_contract_for_restoration(name, channels, tmp_path):
    if name == "colorize" and channels == 1:
        with pytest.raises(InputError, match="no colors"):
            contract(name, paired(tmp_path / "data", 1, 1), tmp_path)
        return
    data = paired(tmp_path / "data", channels, channels)
    output = contract(name, data, tmp_path, output_of=applied, batch=4)
    times = 4 if "sr" in name else 1
    assert output.shape == (19 * times, 21 * times, channels)


FRAMES = {"restore_video"}  # refuse the distance, which is for single images
PERCEPTUAL = [n for n in recipes.names() if isinstance(recipes.find(n), PerceptualRecipe) and n not in FRAMES]


@pytest.mark.parametrize("name", PERCEPTUAL)
def test_contract_with_the_perceptual_distance(name, pictures, tmp_path):
    skip_without_weights()
    needs_given = recipes.find(name).modality(kinds(name)[0]).source is not None
    data = paired(tmp_path / "data", 3, 3, side=24) if needs_given else pictures(3)
    output_of = {"output_of": applied} if needs_given else {}
    contract(name, data, tmp_path, batch=4, perceptual=0.5, **output_of)
    last = json.loads((tmp_path / "run" / "log.jsonl").read_text().splitlines()[-1])
    assert any(term.endswith("redrawn" if hasattr(recipes.find(name), "redrawn") else "perceptual") for term in last)


@pytest.mark.parametrize("name", [n for n in recipes.names() if "joint" in kinds(n)])
def test_contract_for_joint_items(name, tmp_path):
    if name == "cogan":
        data = write_two_pictures(tmp_path / "things")
    else:
        data = write_stems(tmp_path / "things", lacking=[(1, "json")])
    samples = contract(name, data, tmp_path)
    assert [len(part) for part in samples.items.parts.values()] == [5, 5]
    assert next(iter(samples.items.parts.values())).shape == (5, 8, 8, 3)
    if name == "cogan":
        with pytest.raises(InputError, match="joins two sets of pictures of one size, not picture"):
            contract(name, write_stems(tmp_path / "others"), tmp_path / "other")


def recorded(folder):
    """Folders of 24 pairs of sounds, some of them held out."""
    soundfile = pytest.importorskip("soundfile", reason="needs the extra 'audio'")
    random = np.random.default_rng(0)
    for i in range(24):
        for kind in ("input", "target"):
            path = folder / ("test" if i < 4 else "train") / kind
            path.mkdir(parents=True, exist_ok=True)
            soundfile.write(path / f"{i:02}.wav", random.normal(0, 0.1, 2000), 8000)
    return folder


@pytest.mark.parametrize(
    "name", [n for n in recipes.names() if {"vocoded", "degraded audio", "audio pairs"} & set(kinds(n))]
)
def test_contract_for_sounds_from_sounds(name, tmp_path):
    sound = np.random.default_rng(1).normal(0, 0.1, (1234, 2)).astype(np.float32)
    output = contract(
        name, recorded(tmp_path / "data"), tmp_path, output_of=lambda model: model.apply(sound), seconds=0.15
    )
    assert output.shape == (1234, 2)
    assert np.isfinite(output).all()


def skip_without_weights(name="projected"):
    if name == "projected" and not efficientnet_lite.installed():
        pytest.skip("the extra 'pretrained' is not installed")


def contract(name, data, tmp_path, output_of=lambda model: model.sample(5, seed=1), **fields):
    """Training leaves every number finite and changes every weight; saving, loading and resuming are exact. A private
    run is resumed with other noise.
    """
    skip_without_weights(name)
    recipe = small(recipes.find(name), points=str(data).endswith(".npy")).set(fields)
    run = tmp_path / "run"
    settings = {"out": run, "steps": 3, "quiet": True, "device": "cpu", "save_every": 0.0}
    model = sparring.train(recipe, data, **settings)

    weights = dict(model.game.named_parameters())
    before = initial(recipe, model.modality, seed=0)
    assert all(torch.isfinite(weight).all() for weight in weights.values())
    unchanged = [n for n, weight in weights.items() if torch.equal(weight, before[n])]
    assert not set(unchanged) - WITHOUT_GRADIENT.get(name, set())

    samples = output_of(model)
    model.save(tmp_path / "copy")
    assert equal(output_of(sparring.load(tmp_path / "copy")), samples)
    if model.modality.source is None:
        assert_D_judges_samples(model)

    if isinstance(recipe, PrivateRecipe):
        return samples
    last, end, _ = checkpoint.latest(run / "checkpoints", dict)
    shutil.rmtree(checkpoint.saved(run / "checkpoints")[-1])
    shutil.rmtree(run / "model")
    assert checkpoint.latest(run / "checkpoints", dict)[1]["step"] < end["step"]
    resumed = sparring.train(recipe, data, resume=True, **settings)
    tensors, _, _ = checkpoint.latest(run / "checkpoints", dict)
    assert tensors.keys() == last.keys()
    assert all(torch.equal(tensors[n], last[n]) for n in last)
    assert equal(output_of(resumed), samples)
    return samples


def assert_D_judges_samples(model):
    """Outside of the training, too: for audits, ranks and detectors."""
    D = model.game.discriminator()
    for batch, condition in model.stream(3, seed=1):
        if D is not None:
            judged = score(logits(D, batch[VALUES], condition))
            assert judged.shape == (3,)
            assert judged.isfinite().all()


def equal(one, other):
    return np.array_equal(getattr(one, "items", one), getattr(other, "items", other))


@pytest.mark.parametrize("name", recipes.names())
def test_docstring_names_paper_and_command(name):
    doc = type(recipes.find(name)).__doc__
    assert len(doc.split("\n\n")[0]) <= 66  # one line of the list
    assert "arXiv:" in doc or "no arXiv" in doc
    assert f"sparring train {'ring' if name == 'r3gan_mlp' else ''}" in doc


def test_every_field_is_described():
    for name in recipes.names():
        rows = [row for group in recipes.find(name).by_group().values() for row in group]
        assert {row[0] for row in rows} == {f.name for f in fields(recipes.find(name))}
        assert all(row[2] for row in rows)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lrr": 1}, "did you mean 'lr'"),
        ({"lr": "fast"}, "lr=fast is not a number"),
        ({"lr": 0}, "above 0"),
        ({"lr": float("nan")}, "not a finite number"),
        ({"lr": 10**400}, "not a finite number"),
        ({"batch": 0}, "at least 1"),
        ({"batch": 2.5}, "whole number"),
        ({"batch": True}, "whole number"),
        ({"labels": 1}, "true or false"),
        ({"smoothing": 1.5}, "at most 1"),
        ({"G": (256, 0)}, "out of range"),
        ({"loss": "hing"}, "choose from"),
        ({"shards": 3}, "must be a multiple of shards=3"),
    ],
)
def test_unusable_values(given, message):
    with pytest.raises(InputError, match=message):
        recipes.find("gan").set(given)


WITHOUT_MEANING = [
    ("points", "width", 8, "images"),
    ("points", "norm", "layer", "images"),
    ("images", "hidden", 8, "points"),
    ("points", "size", 16, "images"),
    ("points", "flip", True, "images"),
    ("points", "augment", "ada", "images"),
]


@pytest.mark.parametrize(("kind", "field", "value", "others"), WITHOUT_MEANING)
@pytest.mark.parametrize("name", ["mgan", "pacgan", "unrolled"])
def test_fields_without_meaning_for_the_data(name, kind, field, value, others):
    message = rf"^{field}=\(?{value}.* is for {others}, but the data are {kind}; remove {field}=$"
    with pytest.raises(InputError, match=message):
        recipes.find(name).set({field: value}).modality(kind)


def test_fields_set_the_modality():
    assert recipes.find("dcgan").set({"size": 16, "flip": True, "crop": 0.25}).modality("images").size == 16
    table = recipes.find("ctgan").set({"columns": "a=number"}).modality("rows")
    assert (table.told, table.numbers, table.asking) == (("a=number",), "mixture", "level")
    assert recipes.find("timegan").modality("series").window == 24
    with pytest.raises(InputError, match=r"recipe 'dcgan' is for images, but the data are rows; .* --recipe"):
        recipes.find("dcgan").modality("rows")


def originals():
    """Recipes that are not variants of another recipe."""
    base = recipes.base.__name__
    return [
        name for name in recipes.names() if all(
            parent.__module__.startswith(base)
            for parent in type(recipes.find(name)).__mro__[1:]
            if parent.__module__.startswith(recipes.__name__)
        )
    ]  # fmt: skip


def test_variants():
    variants = {"enhance", "gan_leaky", "gan_sigmoid", "joint_chain", "lightweight", "lsgan"}
    assert set(recipes.names()) - set(originals()) == variants


@pytest.mark.parametrize("name", originals())
def test_recipes_state_their_whole_table(name):
    """A reader of a recipe's file sees every value of its paper's table, without those of its base classes."""
    recipe = recipes.find(name)
    table = {row[0] for group, rows in recipe.by_group().items() if group != "Data" for row in rows}
    table = (table - {"shards", "recompute"}) | {"batch"}  # these change the memory, not the result
    table |= {"degrade"} if isinstance(recipe, RestorationRecipe) else set()
    assert not table - inspect.get_annotations(type(recipe)).keys()


def test_parse():
    values = parse(["batch=128", "lr=1e-3", "G=64,32", "labels=yes", "loss=minimax", "clip=none"])
    assert values == {"batch": 128, "lr": 1e-3, "G": (64, 32), "labels": True, "loss": "minimax", "clip": None}
    assert recipes.find("gan").set({"G": 64, "lr": 1}).G == (64,)
    assert recipes.find("fastgan").set(parse(["augment=none"])).augment == "none"
    with pytest.raises(InputError, match="FIELD=VALUE"):
        parse(["batch"])


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("zip=category,id=identifier", ("zip=category", "id=identifier")), ("day=%b %d, %Y", ("day=%b %d, %Y",)),
        ("Time, GMT+1=%d/%m/%Y, x=number", ("Time, GMT+1=%d/%m/%Y", "x=number")), ("", ()),
    ],
)  # fmt: skip
def test_names_and_patterns_of_columns_may_contain_commas(text, columns):
    assert recipes.find("table").set({"columns": text}).columns == columns


def test_own_recipe_from_a_file(tmp_path, pictures):
    """A user's own file works in place of a recipe's name, also when a model is loaded."""
    (tmp_path / "mine.py").write_text(
        "from dataclasses import dataclass\n"
        "from sparring.recipes.gan import Gan\n\n"
        "@dataclass(frozen=True)\n"
        "class Mine(Gan):\n"
        "    z: int = 3\n"
    )
    path = str(tmp_path / "mine.py")
    model = sparring.train(path, pictures(1), out=tmp_path / "run", steps=1, quiet=True, G=(8,), D=(8,))
    assert model.recipe.name == "mine"
    assert sparring.load(tmp_path / "run", trust=True).game.prior.width == 3
