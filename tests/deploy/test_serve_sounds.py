"""A model of sounds as its users meet it: trained, sampled, evaluated, explored, exported, served, in the studio."""

import io
import json
import sys

import gradio as gr
import numpy as np
import pytest
import soundfile
from serving import served, warmed

import sparring
from sparring.cli import main
from sparring.deploy.export import export
from sparring.explore import explore
from sparring.studio.studio import Studio
from sparring.studio.tabs import sample

RATE = 8000


def command(monkeypatch, capsys, *words):
    """Exit status and errors of a command."""
    monkeypatch.setattr(sys, "argv", ["sparring", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    return end.value.code or 0, capsys.readouterr().err


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """48 sounds in two classes, and a run of each recipe."""
    folder, random = tmp_path_factory.mktemp("sounding"), np.random.default_rng(0)
    t = np.arange(1600) / RATE
    for i in range(48):
        name = ("treble", "bass")[i % 2]
        (folder / "sounds" / name).mkdir(parents=True, exist_ok=True)
        sound = np.sin(2 * np.pi * (1200 if i % 2 else 300) * random.uniform(0.9, 1.1) * t) * np.exp(-20 * t)
        soundfile.write(folder / "sounds" / name / f"{i:02}.wav", 0.4 * sound, RATE)
    for name in ("audio", "specgan", "wavegan"):
        sparring.train(
            name, folder / "sounds", out=folder / name, steps=2, quiet=True, device="cpu", batch=4, width=8, z=8
        )
    return folder


@pytest.fixture(scope="module")
def client(folder):
    models = {name: sparring.load(folder / name) for name in ("audio", "specgan")}
    with served(models) as client:
        warmed(client)
        yield client


def test_samples_are_sent_as_sounds(client):
    answer = client.post("/models/audio/samples", json={"n": 2, "seed": 1, "label": "bass"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    x, rate = soundfile.read(io.BytesIO(answer.content))
    assert (rate, len(x)) == (RATE, 2 * 1664 + 2000)
    for media in ("audio/flac", "audio/ogg"):
        answer = client.post("/models/specgan/samples", json={"n": 1, "seed": 1}, headers={"Accept": media})
        assert answer.headers["content-type"] == media
        assert len(soundfile.read(io.BytesIO(answer.content))[0]) == 1664
    answer = client.post("/models/audio/samples", json={"n": 2, "seed": 1}, headers={"Accept": "application/json"})
    assert (answer.json()["rate"], len(answer.json()["sounds"])) == (RATE, 2)
    answer = client.post("/models/audio/samples", json={"n": 1, "length": 9}, headers={"Accept": "application/json"})
    assert answer.status_code == 422


def test_samples_of_a_seed_do_not_depend_on_the_format(folder, tmp_path):
    model = sparring.load(folder / "audio")
    samples = model.sample(3, seed=5)
    samples.save(tmp_path / "s.wav")
    samples.save(tmp_path / "s.flac")
    one, other = (soundfile.read(tmp_path / f"s{suffix}")[0] for suffix in (".wav", ".flac"))
    assert np.abs(one - other).max() < 1e-4


def test_the_page_of_explore_plays_walks(folder, tmp_path):
    explore(folder / "audio", tmp_path / "page", only=("samples", "interpolation", "neighbors"))
    html = (tmp_path / "page" / "index.html").read_text()
    for name, count in (("samples", 24), ("interpolation", 24), ("neighbors", 30)):
        assert f'<audio controls preload="none" src="{name}.wav"' in html
        x, rate = soundfile.read(tmp_path / "page" / f"{name}.wav")
        assert (rate, len(x)) == (RATE, count * 1664 + (count - 1) * 2000)
        assert (tmp_path / "page" / f"{name}.png").is_file()


@pytest.mark.parametrize("name", ["audio", "specgan", "wavegan"])
def test_the_generator_is_exported_and_verified(name, folder, tmp_path, fast_exports):  # noqa: ARG001
    import onnxruntime

    export(folder / name, tmp_path / "g.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "g.onnx", providers=["CPUExecutionProvider"])
    inputs = {i.name: i for i in session.get_inputs()}
    given = {
        name: np.zeros([2 if not isinstance(d, int) else d for d in i.shape], np.int64 if "int" in i.type else "f4")
        for name, i in inputs.items()
    }
    (values,) = session.run(None, given)
    assert values.shape == ((2, 1, 32, 32) if name == "specgan" else (2, 1, 1664))


def test_evaluation_has_floors_and_baselines(folder, monkeypatch, capsys):
    monkeypatch.setattr("sparring.modalities.audio.classifier.STEPS", 20)
    monkeypatch.setattr("sparring.modalities.audio.judge.MIN_SAMPLES", 24)
    assert command(monkeypatch, capsys, "evaluate", folder / "audio")[0] == 0
    result = json.loads((folder / "audio" / "evaluation.json").read_text())
    assert set(result["numbers"]["fid[classifier]"]) >= {"value", "real", "other_gain", "spliced", "shaped_noise"}
    assert (folder / "audio" / "evaluation.png").is_file()


def test_the_studio_has_a_player(folder, tmp_path):
    (tmp_path / "files").mkdir()
    studio = Studio([folder], "cpu", tmp_path / "files")
    with gr.Blocks():
        form, output = sample._form(), sample._output(gr.File())
    sample._fit(studio, form, output, studio.stamp("audio"))
    drawn = sample._draw(studio, output, "audio", [], "audio", 4, 0, 0)
    assert drawn[output.audio].visible
    assert drawn[output.audio].value["orig_name"] == "audio-4.wav"
    assert drawn[output.gallery].visible
    names = [written["orig_name"] for written in drawn[output.files].value]
    assert names == ["audio-4.wav", "audio-4.flac", "audio-4.ogg", "audio-4.zip", "audio-4.png", "audio-4.npz"]


BAD = [
    (["train", "empty"], "not recognized as data"),
    (["train", "short.wav"], "single sound"),
    (["train", "cut"], "truncated: its header promises"),
    (["train", "nothing"], "length of 0 seconds"),
    (["train", "seven"], "it has 7 channels"),
    (["train", "sounds", "seconds=1000"], "which models cannot generate"),
    (["train", "sounds", "channels=3"], "sounds are mono or stereo"),
    (["train", "sounds", "--recipe", "dcgan"], "is for images, but the data are audio"),
    (["sample", "audio", "-n", "2", "-o", "s.mp5"], "cannot write sounds as '.mp5'"),
    (["sample", "audio", "-n", "2", "-o", "s.wav", "--length", "99"], "does not support length"),
    (["sample", "audio", "-n", "2", "-o", "s.wav", "--label", "trelbe"], "did you mean 'treble'?"),
]


@pytest.mark.parametrize(("words", "message"), BAD, ids=[message for _, message in BAD])
def test_bad_input_is_one_line(words, message, folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    for name, sound in (("cut", np.ones(900) / 2), ("nothing", np.zeros(0)), ("seven", np.ones((90, 7)) / 2)):
        (folder / name).mkdir(exist_ok=True)
        for i in range(2):
            soundfile.write(folder / name / f"{i}.wav", sound, RATE)
            if name == "cut":
                path = folder / name / f"{i}.wav"
                path.write_bytes(path.read_bytes()[:500])
    (folder / "empty").mkdir(exist_ok=True)
    soundfile.write(folder / "short.wav", np.ones(90) / 2, RATE)
    status, errors = command(monkeypatch, capsys, *words)
    assert status == 2
    assert message in errors
    assert len(errors.strip().splitlines()) == 1
