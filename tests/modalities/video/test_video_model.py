"""A model of video as it is used: asked for lengths, rates, content and motion; served, exported and evaluated."""

import io

import numpy as np
import pytest
from PIL import Image
from test_cli import sparring as typed

import sparring
from sparring.errors import InputError
from sparring.evaluation import judge

av = pytest.importorskip("av")


def animations(folder, n=48, t=6, size=8):
    """Squares that turn around, of two classes."""
    random = np.random.default_rng(0)
    for i in range(n):
        clip = np.zeros((t, size, size, 3), np.uint8)
        color = random.integers(100, 255, 3)
        for k in range(t):
            clip[k, 2:5, [(k + i + j) % size for j in range(3)]] = color
        place = folder / "ab"[i % 2]
        place.mkdir(parents=True, exist_ok=True)
        first, *others = map(Image.fromarray, clip)
        first.save(place / f"{i}.webp", save_all=True, append_images=others, duration=100, lossless=True)
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Runs of both recipes; that of the default is a loop."""
    folder = tmp_path_factory.mktemp("video")
    data = animations(folder / "data")
    settings = {"steps": 2, "quiet": True, "device": "cpu", "width": 4, "batch": 4}
    sparring.train("video", data, out=folder / "video", loop=True, **settings)
    sparring.train("mocogan", data, out=folder / "mocogan", loop=False, **settings)
    return folder


@pytest.fixture(scope="module")
def model(trained):
    return sparring.load(trained / "video")


def test_longer_clips_of_loops_repeat(model):
    items = model.sample(2, seed=3, length=15).items
    assert items.shape == (2, 15, 8, 8, 3)
    assert np.abs(items[:, :6].astype(int) - items[:, 6:12]).max() <= 1
    assert np.abs(items[:, 1].astype(int) - items[:, 0]).max() > 1
    assert np.array_equal(items[:, :6], model.sample(2, seed=3).items)


def test_other_rates_show_the_same_motion(model):
    slow, fast = model.sample(2, seed=3), model.sample(2, seed=3, rate=20, length=12)
    assert np.abs(fast.items[:, ::2].astype(int) - slow.items).max() <= 1
    assert fast.modality.rate == 20


def test_seeds_of_content_and_motion(model):
    """One content moves in many ways, and one motion is shown by many contents."""
    z, _ = model.latents(3, model.request(content=5), seed=1)
    other, _ = model.latents(3, model.request(content=5, motion=2), seed=8)
    content, motion = (model.game.prior.place(name) for name in ("content", "motion"))
    assert (z[:, content] == z[:1, content]).all()
    assert (z[:, content] == other[:, content]).all()
    assert not (z[0, motion] == z[1, motion]).any()
    assert (other[:, motion] == other[:1, motion]).all()
    free, _ = model.latents(3, model.request(), seed=1)
    assert (free[:, motion] == z[:, motion]).all()


def test_a_rate_is_refused_where_frames_follow_one_another(trained):
    with pytest.raises(InputError, match="as far apart as in its training data; remove rate"):
        sparring.load(trained / "mocogan").sample(1, rate=20)


def test_commands(trained, tmp_path, monkeypatch, capsys):
    run = trained / "video"
    status, _, _ = typed(
        monkeypatch, capsys, "sample", run, "-n", 2, "-o", tmp_path / "s.mp4", "--length", 9, "--rate", 20,
        "--label", "a", "--content", 1, "--motion", 2,
    )  # fmt: skip
    assert status == 0
    with av.open(str(tmp_path / "s.mp4")) as file:
        assert file.streams.video[0].frames == 9
        assert file.streams.video[0].average_rate == 20
    status, _, error = typed(monkeypatch, capsys, "sample", run, "-n", 1, "-o", tmp_path / "t.mp4", "--length", 0)
    assert status == 2
    assert "length=0 is out of range" in error
    assert len(error.strip().splitlines()) == 1


def test_server(trained):
    testclient = pytest.importorskip("starlette.testclient")
    from sparring.deploy.serve.app import application
    from sparring.deploy.serve.limits import Limits

    models = {"video": sparring.load(trained / "video")}
    with testclient.TestClient(application(models, Limits()), base_url="http://127.0.0.1:8000") as client:
        body = {"n": 2, "seed": 1, "length": 9, "label": "a"}
        for media in ("video/mp4", "image/webp", "image/gif", "image/apng"):
            answer = client.post("/models/video/samples", json=body, headers={"Accept": media})
            assert answer.status_code == 200, answer.text
            assert answer.headers["content-type"] == media
            if media == "video/mp4":
                with av.open(io.BytesIO(answer.content)) as file:
                    assert file.streams.video[0].frames == 9
            else:
                with Image.open(io.BytesIO(answer.content)) as image:
                    assert image.n_frames > 1
        assert client.post("/models/video/samples", json={"n": 1}).headers["content-type"] == "video/mp4"
        assert client.post("/models/video/samples", json={"n": 1, "length": 0}).status_code == 422


def test_export(trained, tmp_path, monkeypatch, capsys):
    """The command compares the file's clips with those of the model."""
    pytest.importorskip("onnxruntime")
    for name in ("video", "mocogan"):
        out = tmp_path / f"{name}.onnx"
        status, _, error = typed(monkeypatch, capsys, "export", trained / name, "--format", "onnx", "-o", out)
        assert status == 0, error
        assert out.exists()


def test_draw_is_exact_when_clips_are_long(model):
    """Frames that are generated some at a time are those that are generated together."""
    z, condition = model.latents(3, model.request(length=70), seed=1)
    whole = model.game.values(z, condition)
    parts = model.game.sample(z, condition)["values"]
    assert np.allclose(whole.detach(), parts.detach(), atol=1e-5)


def test_a_file_is_evaluated_without_a_model(tmp_path, monkeypatch):
    monkeypatch.setattr("sparring.modalities.video.clip_classifier.STEPS", 5)
    real = animations(tmp_path / "real")
    found = judge(real, real)
    assert (found.samples, set(found.baselines)) == (48, {"still", "shuffled", "cross-fade", "backwards"})
    assert found["near_copy_share"] > 0.8  # all but the held-out ones
    assert found.picture is not None
