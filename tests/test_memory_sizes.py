"""Sizes that no machine has memory for are one line that names what to reduce, and nothing is written."""

import json
import re
from functools import partial

import pytest
import torch
from test_cli import sparring

import sparring as sparring_library
from sparring import memory
from sparring.errors import InputError
from sparring.memory import Budget, check_size, is_shortage, within_memory
from sparring.memory import _numel as numel
from sparring.modalities import Points
from sparring.recipes.gan import Gan
from sparring.training import checkpoint, sizes

HUGE = [
    ("G=1000000000", "with G=1000000000 would take at least"),
    ("z=1000000000000", "with z=1000000000000 would take at least"),
    ("G=4,999999999999999", "with G=4,999999999999999 would take at least"),
    ("batch=1000000000000", "with batch=1000000000000 would take"),
    ("batch=10000000000", "with batch=10000000000 would take"),
]


@pytest.mark.parametrize(("field", "why"), HUGE)
def test_fields_of_recipes(tmp_path, monkeypatch, capsys, field, why):
    monkeypatch.chdir(tmp_path)
    toy = [one for one in ("G=4", "D=4", "batch=4", "z=2") if one[0] != field[0]]
    status, _, errors = sparring(monkeypatch, capsys, "train", "ring", "--recipe", "gan", *toy, field, "--steps", 1)
    assert (status, errors.count("\n")) == (2, 1)
    assert why in errors
    assert f"give smaller values of {field.partition('=')[0]}" in errors
    assert not list(tmp_path.rglob("recipe.json"))


def test_the_memory_of_weights_is_told_and_refused_with_the_numbers(tmp_path, monkeypatch, capsys):
    """What a training keeps from step to step, and the gradients, are what has been told, or less."""
    monkeypatch.chdir(tmp_path)
    train = ("train", "ring", "--recipe", "r3gan_mlp", "G=300", "D=200", "batch=4", "--steps", 5, "--out", "run")
    status, out, _ = sparring(monkeypatch, capsys, *train)
    assert status == 0
    told = re.search(r"weights: G ([\d,]+), D ([\d,]+); .* take at most ([\d.]+) MiB of memory\n", out)
    tensors, _, _ = checkpoint.latest(tmp_path / "run" / "checkpoints", dict)
    numbers = sum(int(count.replace(",", "")) for count in told.groups()[:2])
    kept = sum(t.nbytes for t in tensors.values()) + 4 * numbers
    assert kept <= 2**20 * (float(told[3]) + 0.1) <= 1.3 * kept
    there = int(float(told[3]) * 2**20 / 2)
    monkeypatch.setattr(memory, "memory", lambda *_: there)
    monkeypatch.setattr(sizes, "memory", lambda *_: there)
    status, _, errors = sparring(monkeypatch, capsys, *train, "--force")
    assert (status, errors.count("\n")) == (2, 1)
    least = re.search(
        r"would take at least ([\d.]+) MiB of memory, 5 times its weights, and there are ([\d.]+)", errors
    )
    assert float(least[2]) == pytest.approx(there / 2**20, abs=0.06)
    assert float(least[2]) < float(least[1]) <= float(told[3]) + 0.1
    assert (tmp_path / "run" / "model").is_dir()  # of the run that is not replaced


POINTS = Points(mean=(0.0, 0.0), deviation=(1.0, 1.0), low=(-1.0, -1.0), high=(1.0, 1.0))


@pytest.mark.parametrize(("device", "ranks", "fits"), [("cpu", 1, True), ("cpu", 2, False), ("cuda", 2, True)])
def test_ranks_share_the_memory_of_a_machine(monkeypatch, device, ranks, fits):
    recipe = Gan().set({"G": (100,), "D": (100,)})
    numbers = sum(p.numel() for p in recipe.build(POINTS, 1).parameters())
    monkeypatch.setattr(sizes, "memory", lambda _: int(1.5 * 5 * 4 * numbers))
    check = partial(sizes.check_sizes, recipe, POINTS, torch.device(device), ranks)
    if fits:
        check()
    else:
        with pytest.raises(InputError, match="5 times its weights"):
            check()


def test_the_memory_of_a_gpu_is_what_is_free_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (3 * 2**30, 8 * 2**30))
    assert memory.memory(torch.device("cuda")) == 3 * 2**30
    assert memory.memory(torch.device("cpu")) == memory.memory() != 3 * 2**30


def test_many_samples(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    train = ("train", "ring", "--recipe", "gan", "G=4", "D=4", "batch=4", "z=2", "--steps", 1, "--out", "run")
    assert sparring(monkeypatch, capsys, *train)[0] == 0
    status, _, errors = sparring(monkeypatch, capsys, "sample", "run", "-n", 10**15, "-o", "out.csv")
    assert (status, errors.count("\n")) == (2, 1)
    assert "1,000,000,000,000,000 points would take " in errors
    assert "ask for fewer at a time" in errors


def test_numbers_are_compared_with_the_memory(monkeypatch):
    monkeypatch.setattr(memory, "memory", lambda: 4000)
    check_size(1000, "these", "fewer")
    with pytest.raises(InputError, match=r"these would take 0.0 MiB of memory, and there are 0.0 MiB; fewer"):
        check_size(1001, "these", "fewer")
    with pytest.raises(InputError, match="far too many GiB"):
        check_size(10**400, "these", "fewer")


def test_a_budget_counts_tensors_before_they_are_created(monkeypatch):
    monkeypatch.setattr(memory, "memory", lambda: 40_000)
    with Budget("nets", "give less"):
        torch.nn.Linear(9, 100)
        torch.empty((10, 10), dtype=torch.float32)
        torch.zeros(size=(10,))
    with (
        pytest.raises(
            InputError, match=r"nets would take at least far too many GiB of memory, and there are 0.0 MiB; give less"
        ),
        Budget("nets", "give less"),
    ):
        torch.nn.Linear(10**15, 10**15)
    with pytest.raises(InputError), Budget("nets", "give less", copies=5):
        torch.nn.Linear(10, 300)


def test_many_small_layers_are_refused(monkeypatch):
    monkeypatch.setattr(memory, "MAX_TENSORS", 10)
    with pytest.raises(InputError, match="would take more than 10 tensors"), Budget("nets", "give less"):
        torch.nn.ModuleList(torch.nn.Linear(1, 1) for _ in range(6))


def fails(*sizes):
    with pytest.raises((RuntimeError, OverflowError, MemoryError)) as caught:
        torch.empty(*sizes).fill_(0)
    return caught.value


@pytest.mark.parametrize("sizes", [(2**50,), (2**62,), (2**40, 2**40)])
def test_shortages_that_pytorch_reports_are_recognized(sizes):
    assert is_shortage(fails(*sizes))


def test_other_errors_are_no_shortages():
    assert is_shortage(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate"))
    assert is_shortage(MemoryError())
    assert not is_shortage(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(InputError, match=r"^x would take more memory than there is; y$"), within_memory("x", "y"):
        torch.empty(2**50).fill_(0)
    with pytest.raises(RuntimeError), within_memory("x", "y"):
        torch.zeros(2, 3) @ torch.zeros(2, 3)


def test_a_shortage_during_a_training_names_the_fields(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sparring.training.run.Run._play", lambda *_: torch.empty(2**50).fill_(0))
    train = ("train", "ring", "--recipe", "gan", "G=4", "D=4", "batch=4", "z=2", "--steps", 1)
    status, _, errors = sparring(monkeypatch, capsys, *train)
    assert (status, errors.count("\n")) == (2, 1)
    assert "recipe 'gan' with batch=4, z=2, G=4, D=4 would take more memory than there is; give smaller" in errors


def test_the_fields_that_were_raised_are_named():
    assert Gan().set({"G": (4, 5000), "z": 7}).sizes() == (
        "recipe 'gan' with G=4,5000", "give smaller values of G",
    )  # fmt: skip
    with pytest.raises(InputError, match="with G=99999999999 would take at least"):
        Gan().set({"G": (99999999999,)}).build(Points(), 1)


@pytest.mark.parametrize("value", [10**400, -(10**400), float("inf"), float("nan")])
def test_numbers_that_are_not_finite(value):
    with pytest.raises(InputError, match=r"lr=(inf|nan) is not a finite number"):
        Gan().set({"lr": value})


def test_a_damaged_description_of_a_model_takes_no_memory(tmp_path, monkeypatch, capsys):
    """Three million channels fit into the memory of most machines, but the weights of the model have four."""
    monkeypatch.chdir(tmp_path)
    model = sparring_library.train("dcgan", "digits", out="run", steps=1, quiet=True, device="cpu", width=2, batch=4)
    model.save("saved")
    described = tmp_path / "saved" / "model.json"
    content = json.loads(described.read_text())
    content["modality"]["channels"] = 3_000_001
    described.write_text(json.dumps(content))
    largest = []
    monkeypatch.setattr(memory, "_numel", lambda args, kwargs: largest.append(numel(args, kwargs)) or largest[-1])
    status, _, errors = sparring(monkeypatch, capsys, "sample", "saved", "-n", 1, "-o", "out.png")
    assert (status, errors.count("\n")) == (2, 1)
    assert "would take more than 400 times the numbers in saved/weights.safetensors" in errors
    assert sum(largest[:-2]) < 10**6  # both budgets have counted the tensor that was refused
