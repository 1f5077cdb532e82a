"""The log of a run arrives at trackers: whole, once, and while it grows."""

import json
import shutil
import threading

import numpy as np
import pandas as pd
import pytest
from commands import command
from filelock import FileLock

import sparring
from sparring.errors import InputError
from sparring.runs import loggers
from sparring.runs.folder import LOCK, RunFolder
from sparring.runs.logbook import as_line, read_log

TINY = {"steps": 2, "G": (8,), "D": (8,), "device": "cpu", "seed": 3}
LINES = [
    {"step": step, "kimg": step / 10, "seconds": step / 4, "speed": 90.0, "D/loss": 1.0 / step, "fid[coordinates]": 2.5}
    for step in (10, 20, 30)
]


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("logged") / "ring"
    np.save(folder.parent / "points.npy", np.random.default_rng(0).normal(size=(60, 2)))
    sparring.train("r3gan_mlp", folder.parent / "points.npy", out=folder, **TINY)
    numbers = {name: {"value": 0.5, "best": "low"} for name in ("fid[coordinates]", "copies", "copies[coordinates]")}
    (folder / "evaluation.json").write_text(json.dumps({"numbers": numbers}))
    return folder


@pytest.fixture
def run(original, tmp_path):
    copy = shutil.copytree(original, tmp_path / "ring")
    (copy / "log.jsonl").write_text("".join(map(as_line, LINES)))
    return copy


@pytest.fixture
def mlflow(monkeypatch, tmp_path):
    library = pytest.importorskip("mlflow")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", (tmp_path / "mlruns").as_uri())
    return library


def history(mlflow, name):
    (found,) = mlflow.MlflowClient().search_runs([mlflow.get_experiment_by_name("sparring").experiment_id])
    return found, [(m.step, m.value) for m in mlflow.MlflowClient().get_metric_history(found.info.run_id, name)]


def test_mlflow_gets_everything_once(run, mlflow):
    sent = loggers.send(run, "mlflow")
    assert (sent.lines, sent.sheets, sent.finished) == (3, len(RunFolder(run).sheets()), True)
    found, losses = history(mlflow, "D/loss")
    assert losses == [(10, 0.1), (20, 0.05), (30, pytest.approx(1 / 30))]
    assert history(mlflow, "fid.coordinates")[1] == [(10, 2.5), (20, 2.5), (30, 2.5)]
    assert found.data.params["recipe"] == "r3gan_mlp"
    assert found.data.params["seed"] == "3"
    assert found.info.status == "FINISHED"
    assert found.data.metrics["evaluation/fid.coordinates"] == 0.5

    with (run / "log.jsonl").open("a") as log:
        log.write(as_line({**LINES[-1], "step": 40}))
    assert loggers.send(run, "mlflow").lines == 1
    assert [step for step, _ in history(mlflow, "D/loss")[1]] == [10, 20, 30, 40]


def test_mlflow_loads_the_model_without_pickles(run, mlflow, tmp_path):
    loggers.send(run, "mlflow")
    found, _ = history(mlflow, "D/loss")
    artifacts = mlflow.MlflowClient().download_artifacts(found.info.run_id, "model", str(tmp_path))
    assert not list(tmp_path.glob("model/**/*.pkl"))
    model = mlflow.pyfunc.load_model(artifacts)
    samples = model.predict(pd.DataFrame({"n": [5], "seed": [1]}))
    assert np.array_equal(samples, sparring.load(run).sample(5, seed=1).items)


def test_a_run_is_followed_until_it_ends(run, mlflow, monkeypatch):
    monkeypatch.setattr("sparring.runs.loggers.sending.POLLING_INTERVAL", 0.01)
    (run / "log.jsonl").write_text(as_line(LINES[0]) + '{"step": 20, "ki')  # a line that is being written
    lock = FileLock(run / LOCK, thread_local=False)
    lock.acquire()
    looks, seen = loggers.follow(run, "mlflow"), []
    seen.append(next(looks))
    (run / "log.jsonl").write_text("".join(map(as_line, LINES[:2])))
    seen.append(next(looks))
    assert [(look.lines, look.finished) for look in seen] == [(1, False), (1, False)]
    threading.Timer(0.05, lock.release).start()
    (run / "log.jsonl").write_text("".join(map(as_line, LINES)))
    seen += looks
    assert seen[-1].finished
    assert sum(look.lines for look in seen) == 3
    assert [step for step, _ in history(mlflow, "D/loss")[1]] == [10, 20, 30]


def test_two_trackers_are_followed_at_once(run, mlflow, monkeypatch):  # noqa: ARG001
    monkeypatch.setattr("sparring.runs.loggers.sending.POLLING_INTERVAL", 0.01)
    lock = FileLock(run / LOCK, thread_local=False)
    lock.acquire()
    looks = loggers.follow(run, "mlflow")
    next(looks)
    shutil.rmtree(run / "tensorboard")
    loggers.send(run, "tensorboard")
    lock.release()
    list(looks)
    assert json.loads((run / "logged.json").read_text()).keys() == {"mlflow", "tensorboard"}


def test_an_interrupted_first_look_does_not_make_a_second_run(run, mlflow, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr("sparring.runs.loggers.mlflow.TRACKER.lines", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            loggers.send(run, "mlflow")
    loggers.send(run, "mlflow")
    assert [step for step, _ in history(mlflow, "D/loss")[1]] == [10, 20, 30]


def test_no_path_of_this_machine_is_sent(run, mlflow, tmp_path):
    loggers.send(run, "mlflow")
    found, _ = history(mlflow, "D/loss")
    files = tmp_path / "artifacts"
    files.mkdir()
    mlflow.MlflowClient().download_artifacts(found.info.run_id, "", str(files))
    sent = {path.name: path.read_bytes() for path in files.rglob("*") if path.is_file()}
    assert {"README.md", "model.json", "weights.safetensors"} <= sent.keys()
    private = str(tmp_path.parent).encode()  # of the data and the run
    assert not [name for name, content in sent.items() if private in content]
    assert not [value for value in found.data.params.values() if "/" in value]


def test_steps_that_a_rollback_repeats_are_not_sent_again(run, mlflow):
    loggers.send(run, "mlflow")
    (run / "log.jsonl").write_text(
        "".join(map(as_line, [LINES[0], {**LINES[1], "step": 25}, {**LINES[2], "step": 45}]))
    )
    assert loggers.send(run, "mlflow").lines == 1
    assert [step for step, _ in history(mlflow, "D/loss")[1]] == [10, 20, 30, 45]


def test_tensorboard_files_are_written_again(run, monkeypatch, capsys):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    before = sorted((run / "tensorboard").iterdir())
    assert command(monkeypatch, capsys, f"log {run} --to tensorboard")[0] == 0
    assert sorted((run / "tensorboard").iterdir()) == before, "the run has written them"
    assert not (run / "logged.json").exists(), "nothing was written"
    shutil.rmtree(run / "tensorboard")
    loggers.send(run, "tensorboard")
    shutil.rmtree(run / "tensorboard")
    loggers.send(run, "tensorboard")
    events = EventAccumulator(str(run / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("D/loss")] == [
        (line["step"], pytest.approx(line["D/loss"])) for line in read_log(run / "log.jsonl")
    ]
    assert len(events.Images("samples")) == len(RunFolder(run).sheets())


@pytest.mark.slow
def test_wandb_offline(run, monkeypatch, tmp_path):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    sent = loggers.send(run, "wandb")
    assert (sent.lines, sent.finished) == (3, True)
    (file,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    content = file.read_bytes()
    for line in LINES:
        assert json.dumps(line["D/loss"]).encode() in content
    for name in (b"D/loss", b"evaluation/fid[coordinates]", b"r3gan_mlp", b"weights.safetensors"):
        assert name in content


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("log {run} --to mlfow", "--to mlfow is unknown; did you mean 'mlflow'?"),
        ("log {run}/none --to mlflow", "is no run; give the folder of one that sparring train wrote"),
    ],
)
def test_bad_input(run, monkeypatch, capsys, line, expected):
    code, (error,) = command(monkeypatch, capsys, line.format(run=run))
    assert code == 2
    assert expected in error


def test_a_tracker_that_is_not_installed_is_named(run, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "wandb", None)
    with pytest.raises(
        InputError, match=r"^wandb tracks experiments and is not installed; pip install 'sparring\[wandb\]'"
    ):
        loggers.send(run, "wandb")


def test_a_run_that_begins_again_is_another_one(run, original):
    shutil.rmtree(run / "tensorboard")
    loggers.send(run, "tensorboard")
    assert (run / "logged.json").is_file()
    sparring.train("r3gan_mlp", original.parent / "points.npy", out=run, force=True, **TINY)
    assert not (run / "logged.json").exists()


def test_equal_settings_give_equal_outputs(original, tmp_path):
    """What DVC needs: it compares outputs by their bytes."""
    again = tmp_path / "again"
    sparring.train("r3gan_mlp", original.parent / "points.npy", out=again, **TINY)
    for name in ("model/weights.safetensors", "recipe.json"):
        assert (again / name).read_bytes() == (original / name).read_bytes(), name
    one, other = (json.loads((folder / "model" / "model.json").read_text()) for folder in (original, again))
    assert one["about"].pop("seconds") >= 0 <= other["about"].pop("seconds")
    assert one == other
