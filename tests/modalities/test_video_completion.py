"""Clips from given frames: how films are continued and filled in, and how that is evaluated."""

import shutil
import time
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from test_cli import sparring as typed

import sparring
from sparring.data.tensors import CONDITION, VALUES
from sparring.errors import InputError
from sparring.evaluation.evaluate import evaluate
from sparring.modalities import VideoCompletion, find
from sparring.modalities.video import clip_classifier
from sparring.modalities.video.real_clips import Clips
from sparring.modalities.video_completion.apply import completed
from sparring.modalities.video_completion.judge import MAX_PSNR, MEAN, CompletionJudge
from sparring.nets.tiles import Mapper
from sparring.use.apply import apply

av = pytest.importorskip("av")

SIZE, RATE = 16, 10
TOY = {"steps": 4, "quiet": True, "device": "cpu", "width": 4, "D": 4, "batch": 4, "z": 2}


def crossing(frames, start, size=SIZE):
    """A bright square that crosses the picture, (frames, size, size, 3)."""
    clip = np.full((frames, size, size, 3), 20, np.uint8)
    for t in range(frames):
        clip[t, 4:9, [(start + t + i) % size for i in range(5)]] = (240, 200, 60)
    return clip


def write_mp4(path, frames, rate=RATE):
    with av.open(str(path), "w", options={"movflags": "faststart"}) as file:
        stream = file.add_stream("libx264", rate=rate, options={"crf": "1"})
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv444p"
        for pixels in frames:
            file.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        file.mux(stream.encode())
    return path


def shown(path):
    """Frames, and frames per second."""
    with av.open(str(path)) as file:
        frames = np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(video=0)])
        return frames, float(file.streams.video[0].average_rate)


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    for i in range(24):
        place = folder / "ab"[i % 2]
        place.mkdir(exist_ok=True)
        first, *others = map(Image.fromarray, crossing(10, i))
        first.save(place / f"{i:02}.webp", save_all=True, append_images=others, duration=100, lossless=True)
    return folder


@pytest.fixture(scope="module")
def models(films, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    sparring.train("predict", films, out=out / "predict", given=3, made=4, **TOY)
    sparring.train("between", films, out=out / "between", made=2, **TOY)
    return {name: out / name for name in ("predict", "between")}


def counting(known, step=10):
    """A model whose generated frames are brighter than the last given one, by 10 levels each."""

    def net(x):
        last = x[:, 3 * (sum(known) - 1) : 3 * sum(known), None]
        added = torch.arange(1, known.count(False) + 1)[:, None, None] * step / 127.5
        made = last + added
        clips = torch.zeros(len(x), 3, len(known), *x.shape[2:])
        clips[:, :, torch.tensor(known)] = x[:, : 3 * sum(known)].unflatten(1, (-1, 3)).transpose(1, 2)
        clips[:, :, ~torch.tensor(known)] = made
        return clips

    return Mapper(net, 3 * sum(known) + 1, 3)


# The data.


def test_clips_and_what_they_are_generated_from(films):
    items = find(films, (VideoCompletion,))
    modality = VideoCompletion(given=3, made=4, z=2).fit(items)
    assert modality.shape == (3, 7, SIZE, SIZE)
    assert modality.source.shape == (3 * 3 + 2, SIZE, SIZE)
    batch = modality.batch({VALUES: modality.encode(items).values.map()[1][:2]})
    given = batch[CONDITION][:, :9].unflatten(1, (3, 3)).transpose(1, 2)
    assert torch.equal(given, batch[VALUES][:, :, :3])
    noise = batch[CONDITION][:, 9:]
    assert (noise == noise[:, :, :1, :1]).all()
    assert not torch.equal(noise[0], noise[1])


def test_films_that_are_too_short_to_train_on(films):
    with pytest.raises(InputError, match=r"clips have 4 given ones and 20 generated ones; made=N changes that"):
        sparring.train("predict", films, steps=1, quiet=True, made=20)


def test_labels_are_not_used(models):
    assert not sparring.load(models["predict"]).modality.classes


# Applying.


def test_a_film_is_continued_from_its_last_frames(models, tmp_path):
    film, out = write_mp4(tmp_path / "film.mp4", crossing(9, 0)), tmp_path / "longer.mp4"
    apply(models["predict"], film, out)
    frames, rate = shown(out)
    assert (len(frames), rate) == (9 + 4, RATE)
    assert np.abs(frames[:9, ::16, ::16].astype(int) - crossing(9, 0)).mean() < 8  # enlarged 16 times


def test_progress_is_told_in_frames_of_a_film_and_in_films_of_a_folder(models, films, tmp_path):
    model, told = sparring.load(models["predict"]), []

    @contextmanager
    def progress(_what):
        yield lambda done, total: told.append((done, total))

    console = SimpleNamespace(say=told.append, progress=progress)
    film = write_mp4(tmp_path / "film.mp4", crossing(9, 0))
    model.modality.transform(model.mapper(), film, tmp_path / "longer.mp4", console, asked={"length": 6})
    assert told == [(done, 15) for done in range(1, 16)]
    told.clear()
    model.modality.transform(model.mapper(), films / "a", tmp_path / "longer", console)
    assert told == [(done, 12) for done in range(1, 13)]


def test_an_archive_of_films_is_refused(models, films, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "films"), "zip", films)
    with pytest.raises(InputError, match=r"films\.zip holds 24 films; unpack it"):
        apply(models["predict"], archive, tmp_path / "longer.mp4")
    assert not (tmp_path / "longer.mp4").exists()


def test_chunks_are_generated_from_those_before_them():
    modality = VideoCompletion(size=4, channels=3, frames=4, given=2, made=2, z=1, rate=10)
    film = [np.full((4, 4, 3), level, np.uint8) for level in (50, 60, 70)]
    frames = list(completed(modality, counting((True, True, False, False)), iter(film), {"length": 5}))
    assert [int(frame[0, 0, 0]) for frame in frames] == [50, 60, 70, 80, 90, 100, 110, 120]


def test_frames_between_keep_the_duration(models, tmp_path):
    film, out = write_mp4(tmp_path / "film.mp4", crossing(5, 0)), tmp_path / "smooth.mp4"
    apply(models["between"], film, out)
    frames, rate = shown(out)
    assert (len(frames), rate) == (4 * 3 + 1, 3 * RATE)
    assert np.abs(frames[::3, ::16, ::16].astype(int) - crossing(5, 0)).mean() < 8


def test_variants_differ_in_what_is_generated(models, tmp_path):
    film = write_mp4(tmp_path / "film.mp4", crossing(6, 0))
    for i, variant in enumerate((1, 1, 2)):
        apply(models["predict"], film, tmp_path / f"{i}.webp", variant=variant)
    contents = [(tmp_path / f"{i}.webp").read_bytes() for i in range(3)]
    assert contents[0] == contents[1] != contents[2]


def test_folders_and_a_net_without_D(models, films, tmp_path):
    applied = apply(models["predict"], films / "a", tmp_path / "longer", sharpness=0.0, length=6)
    assert applied.count == 12
    assert {len(shown(path)[0]) for path in (tmp_path / "longer").iterdir()} == {16}


def test_bad_films_are_refused_in_one_line(models, tmp_path, monkeypatch, capsys):
    good = write_mp4(tmp_path / "good.mp4", crossing(60, 0, 64))
    (tmp_path / "cut.mp4").write_bytes(good.read_bytes()[: len(good.read_bytes()) // 2])
    write_mp4(tmp_path / "one.mp4", crossing(1, 0))
    write_mp4(tmp_path / "short.mp4", crossing(2, 0))
    (tmp_path / "text.mp4").write_text("no film")
    for folder in ("empty", "unequal/a"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "empty" / "readme.txt").write_text("no film")
    for i, side in enumerate((16, 16, 12, 16)):
        Image.fromarray(crossing(1, i, side)[0]).save(tmp_path / "unequal" / "a" / f"{i}.png")
    for run, given, out, options, message in [
        ("predict", "empty", "out", (), "holds no films"),
        ("predict", "one.mp4", "o.mp4", (), "has 1 frame at 10 a second, and this model needs 3; give a longer film"),
        ("between", "one.mp4", "o.mp4", (), "it has one frame only"),
        ("predict", "short.mp4", "o.mp4", (), "has 2 frames at 10 a second, and this model needs 3"),
        ("predict", "cut.mp4", "o.mp4", (), "cannot be used: cut.mp4"),
        ("predict", "text.mp4", "o.mp4", (), "cannot be read as a video"),
        ("predict", "unequal", "out", (), "frames of unequal size: 16 x 16 and 12 x 12 pixels"),
        ("predict", "good.mp4", "o.mp4", ("--length", 0), "length=0 is out of range"),
        ("between", "good.mp4", "o.mp4", ("--length", 5), "does not apply it; it supports variant"),
        ("predict", "good.mp4", "o.png", (), "give a name that ends in .mp4"),
        ("predict", "good.mp4", "o.mp4", ("--lenght", 5), "--lenght is not an option of sparring apply"),
        ("predict", "good.mp4", "o.mp4", ("--reverse",), "it has learned one direction only"),
    ]:
        status, _, error = typed(
            monkeypatch, capsys, "apply", models[run], tmp_path / given, "-o", tmp_path / out, *options
        )
        assert status == 2, given
        assert message in error
        assert len(error.strip().splitlines()) == 1
        assert not (tmp_path / out).is_file()


def test_arrays(models):
    model = sparring.load(models["predict"])
    clip = crossing(5, 0)
    longer = model.apply(clip)
    assert longer.shape == (9, SIZE, SIZE, 3)
    assert np.array_equal(longer[:5], clip)
    with pytest.raises(InputError, match="a clip of 2 frames was given, and this model needs 3"):
        model.apply(clip[:2])
    with pytest.raises(InputError, match=r"give \(frames, 16, 16, 3\)"):
        model.apply(clip[:, :8])


# Judging.


@pytest.fixture(scope="module")
def judge():
    patch = pytest.MonkeyPatch()
    patch.setattr(clip_classifier, "STEPS", 20)
    modality = VideoCompletion(size=SIZE, channels=3, frames=6, rate=10.0, loop=False, stride=1, given=2, made=4, z=1)
    real = [modality.scale(torch.from_numpy(np.stack([crossing(6, i) for i in r]))).permute(0, 4, 1, 2, 3)
            for r in (range(12), range(12, 16))]  # fmt: skip
    yield CompletionJudge(modality, Clips(real[0]), Clips(real[1]), lambda _: None, "squares")
    patch.undo()


def test_copy_last_and_its_error(judge):
    true = judge.held.values
    copied = judge.background(true)
    assert all(torch.equal(copied[:, :, t], true[:, :, max(0, min(t, 1))]) for t in range(6))
    # Frame 1 + k differs from frame 1 by 2 k columns of 5 pixels (at most 10 columns) in three colors.
    wrong = ((220**2 + 180**2 + 40**2) / 3) * np.array([2, 4, 6, 8]) * 5 / SIZE**2
    assert judge.psnr(copied, true)[0].item() == pytest.approx(np.mean(10 * np.log10(255**2 / wrong)), abs=1e-3)
    assert judge.psnr(true, true).tolist() == [MAX_PSNR] * 4


def test_a_perfect_model_and_one_that_copies(judge):
    """Only the best variant of the third model is right."""
    true = judge.held.values
    models = {
        "true": lambda clips, _: clips,
        "copies": lambda clips, _: judge.background(clips),
        "sometimes": lambda clips, variant: clips if variant == 7 else judge.background(clips),
    }
    D = SimpleNamespace(logits=lambda clips, _: -(clips[:, :, 1:] - clips[:, :, :-1]).abs().mean((1, 2, 3, 4)))
    numbers = {}
    for name, method in models.items():
        found, _ = judge._evaluated(D, method, Clips(true), 10)
        numbers[name] = {number.name: number.value for number in found}
    assert numbers["true"]["psnr"] == MAX_PSNR > numbers["copies"]["psnr[best of 10]"]
    assert numbers["sometimes"]["psnr"] == numbers["copies"]["psnr"]
    assert numbers["sometimes"]["psnr[best of 10]"] == MAX_PSNR
    assert (numbers["true"]["D_preferred"], numbers["copies"]["D_preferred"]) == (0, 1)  # this D likes still clips
    assert numbers["true"]["motion_amount"] > numbers["copies"]["motion_amount"]


def test_evaluation(models, monkeypatch):
    monkeypatch.setattr(clip_classifier, "STEPS", 2)
    result = evaluate(models["predict"], device="cpu")
    assert result.head == ["metric", "samples", "real", MEAN, "copy-last"]
    names = [number.name for number, _ in result.rows()]
    assert names[:3] == ["psnr", "psnr[best of 10]", "D_preferred"]
    assert "conditional_accuracy" in names  # of the classes of the data, which the model does not know
    assert result.picture is not None
    assert "cross-fade" in evaluate(models["between"], device="cpu").baselines


def test_export(models, tmp_path, monkeypatch, capsys):
    """The command compares the file's clips with those of the model."""
    pytest.importorskip("onnxruntime")
    for name, run in models.items():
        out = tmp_path / f"{name}.onnx"
        status, _, error = typed(monkeypatch, capsys, "export", run, "--format", "onnx", "-o", out)
        assert status == 0, error
        assert out.exists()


def test_server(models, tmp_path):
    testclient = pytest.importorskip("starlette.testclient")
    from sparring.deploy.serve.app import application
    from sparring.deploy.serve.limits import Limits

    film = write_mp4(tmp_path / "film.mp4", crossing(6, 0)).read_bytes()
    served = {"predict": sparring.load(models["predict"])}
    with testclient.TestClient(application(served, Limits()), base_url="http://127.0.0.1:8000") as client:
        answer = client.post("/models/predict/apply", content=film, headers={"Content-Type": "video/mp4"})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "video/mp4"
        (tmp_path / "answer.mp4").write_bytes(answer.content)
        assert len(shown(tmp_path / "answer.mp4")[0]) == 10
        assert set(client.get("/models/predict").json()["asks"]) == {"length", "variant"}
        made = []
        for query in ("length=3&variant=1", "length=3&variant=2"):
            answer = client.post(f"/models/predict/apply?{query}", content=film, headers={"Content-Type": "video/mp4"})
            (tmp_path / "answer.mp4").write_bytes(answer.content)
            made.append(shown(tmp_path / "answer.mp4")[0])
        assert [len(frames) for frames in made] == [9, 9]
        assert not np.array_equal(made[0][6:], made[1][6:])
        for query, message in (
            ("length=0", "length=0 is out of range"),
            ("length=x", "length=x is not a whole number"),
            ("length=2&length=3", '"length was given 2 times; give it once'),
            ("lenght=9", "lenght=9 was given, but apply has no parameter 'lenght'; did you mean 'length'?"),
        ):
            answer = client.post(f"/models/predict/apply?{query}", content=film, headers={"Content-Type": "video/mp4"})
            assert answer.status_code == 422
            assert message in answer.text
        bad = client.post("/models/predict/apply", content=b"no film", headers={"Content-Type": "video/mp4"})
        assert bad.status_code == 422
        assert "/tmp" not in bad.text


def test_a_request_that_is_not_done_in_time_does_not_block_the_next_one(models, tmp_path, monkeypatch):
    testclient = pytest.importorskip("starlette.testclient")
    from sparring.deploy.serve.app import application
    from sparring.deploy.serve.limits import Limits

    film = write_mp4(tmp_path / "film.mp4", crossing(6, 0)).read_bytes()
    model = sparring.load(models["predict"])
    mapper = model.mapper()

    def slow(x):
        time.sleep(0.02)
        return mapper.net(x)

    monkeypatch.setattr(model, "mapper", lambda *_: replace(mapper, net=slow))
    app, sent = application({"predict": model}, Limits(seconds=2)), {"Content-Type": "video/mp4"}
    with testclient.TestClient(app, base_url="http://127.0.0.1:8000") as client:
        for length, status in ((4096, 504), (4, 200)):  # at least 20 seconds, and a fraction of one
            answer = client.post(f"/models/predict/apply?length={length}", content=film, headers=sent)
            assert answer.status_code == status, answer.text
