"""Damaged checkpoints are noticed, whichever bit is wrong, and other folders beside them are the user's."""

import hashlib
import json
import shutil
from functools import partial

import pytest
import safetensors.torch
import torch

import sparring
from sparring.errors import InputError
from sparring.training import checkpoint
from sparring.training.run import State

STATE = {"seconds": 1.5, "salt": 0, "plan": {"step": 0, "progress": 0.0, "total": 100}, "scored": 2}
TOY = {"G": (8,), "D": (8,), "batch": 8, "quiet": True, "device": "cpu"}


@pytest.fixture
def folder(tmp_path):
    for step in (1, 2):
        checkpoint.save(tmp_path, step, {"w": torch.full((4,), float(step))}, STATE)
    return tmp_path


@pytest.mark.parametrize("file", checkpoint.FILES)
def test_each_flipped_bit_is_noticed(folder, file):
    path = folder / "000000002" / file
    content = path.read_bytes()
    for bit in range(0, 8 * len(content), 1 if file == "state.json" else 3):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        tensors, state, problems = checkpoint.latest(folder, State)
        if problems:
            assert (state["step"], tensors["w"][0]) == (1, 1.0)
        else:  # another way to write the same number
            assert (state, tensors["w"].tolist()) == ({"step": 2, **STATE}, [2.0] * 4)


DAMAGES = {
    "empty": b"", "no JSON": b"{", "no object": b"[]", "no text": b"\xff\xfe", "deep": b"[" * 100_000,
    "no keys": b"{}", "large": b'{"step": 1' + b"0" * 5000 + b"}",
}  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_any_damage_falls_back_to_the_older_one(folder, damage):
    (folder / "000000002" / "state.json").write_bytes(DAMAGES[damage])
    tensors, state, problems = checkpoint.latest(folder, State)
    assert (state["step"], tensors["w"][0], len(problems)) == (1, 1.0, 1)
    (folder / "000000001" / "state.safetensors").unlink()
    with pytest.raises(InputError, match=r"all checkpoints in .* are damaged; start again with --force"):
        checkpoint.latest(folder, State)


@pytest.mark.parametrize("key", ["seconds", "salt", "plan", "scored"])
@pytest.mark.parametrize("value", ["1", [], None, {}])
def test_values_of_other_types_are_noticed(folder, key, value):
    """Even with a checksum that fits."""
    checkpoint.save(folder, 3, {"w": torch.zeros(4)}, STATE | {key: value})
    assert checkpoint.latest(folder, State)[1]["step"] == 2


def test_checkpoints_of_0_1_load(folder):
    """Their checksum is that of the tensors."""
    place = folder / "000000002"
    content = safetensors.torch.save({"w": torch.full((4,), 5.0)})
    (place / "state.safetensors").write_bytes(content)
    state = {"step": 2, "checksum": hashlib.blake2b(content).hexdigest(), **STATE}
    (place / "state.json").write_text(json.dumps(state))
    tensors, read, problems = checkpoint.latest(folder, State)
    assert (tensors["w"][0], read, problems) == (5.0, {"step": 2, **STATE}, [])


def test_folders_of_the_user_beside_checkpoints_stay(folder):
    names = ("000000001 good", "000000001-copy", "1", "000000001.bak")
    for name in names:
        shutil.copytree(folder / "000000001", folder / name)
    (folder / "000000001" / "why.txt").touch()
    for step in (3, 4, 5):
        checkpoint.save(folder, step, {"w": torch.zeros(4)}, STATE)
    checkpoint.forget(folder, 3)
    assert [path.name for path in checkpoint.saved(folder)] == []
    assert all((folder / name / "state.json").is_file() for name in names)
    assert [path.name for path in (folder / "000000001").iterdir()] == ["why.txt"]


@pytest.mark.parametrize(("name", "value"), [("salt", 10**12), ("seconds", float("nan")), ("step", 2**63)])
def test_a_state_of_no_run_is_refused(once, tmp_path, name, value):
    """The salt counts rollbacks, each of which is repeated."""
    run = shutil.copytree(once, tmp_path / "run")
    tensors, state, _ = checkpoint.latest(run / "checkpoints", State)
    step = state.pop("step")
    shutil.rmtree(run / "checkpoints")
    checkpoint.save(run / "checkpoints", step, tensors, {**state, name: value})
    with pytest.raises(InputError, match=f"is damaged: its {name} is {value}; --force starts anew"):
        sparring.train("gan", "digits", out=run, steps=3, resume=True, **TOY)


def test_resuming_without_checkpoints_is_refused(tmp_path):
    run = tmp_path / "run"
    sparring.train("gan", "digits", out=run, steps=2, **TOY)
    log, weights = (run / "log.jsonl").read_bytes(), (run / "model" / "weights.safetensors").read_bytes()
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(InputError, match="has no checkpoint left to resume from; --force starts it anew"):
        sparring.train("gan", "digits", out=run, steps=4, resume=True, **TOY)
    assert ((run / "log.jsonl").read_bytes(), (run / "model" / "weights.safetensors").read_bytes()) == (log, weights)
    for name in ("log.jsonl", "model"):  # as a run that was killed before its first checkpoint
        shutil.rmtree(run / name) if name == "model" else (run / name).unlink()
    assert sparring.train("gan", "digits", out=run, steps=2, resume=True, **TOY).about["step"] == 2


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", ["recipe.json", "log.jsonl", "health.jsonl", "model/model.json"])
def test_damaged_files_of_a_run_are_named_in_one_line(once, tmp_path, file, damage):
    run = shutil.copytree(once, tmp_path / "run")
    (run / file).write_bytes(DAMAGES[damage] + b"\n")
    load = partial(sparring.load, run)
    resume = partial(sparring.train, "gan", "digits", out=run, steps=3, resume=True, **TOY)
    with pytest.raises(InputError, match=file.rpartition("/")[2]) as error:
        (load if file == "model/model.json" else resume)()
    assert "\n" not in str(error.value)


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    run = tmp_path_factory.mktemp("once") / "run"
    sparring.train("gan", "digits", out=run, steps=1, **TOY)
    return run
