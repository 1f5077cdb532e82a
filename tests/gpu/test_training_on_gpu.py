"""Training on a CUDA device: recorded steps against plain ones, resuming, waiting for the device, memory."""

import json
import subprocess
import sys

import pinned
import pytest
import torch

import sparring
from sparring.errors import InputError
from sparring.games.gan import GAN
from sparring.loop import take_turns
from sparring.training import checkpoint, graphs
from sparring.training.graphs import Graphs

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA device"),
]

STEPS = 40  # the third step with both R1 and held-out items, which is recorded, is number 33
ON_DEVICE = ("points", "images", "rows", "series")  # kinds whose batches are made on the device


@pytest.fixture(autouse=True)
def _exact(monkeypatch):
    """Equal kernels for equal work."""
    monkeypatch.setattr(torch.backends.cudnn, "deterministic", True)


@pytest.fixture
def train(tmp_path, monkeypatch):
    """Trains a case of tests/pinned.py: the last checkpoint, all records, and what was said about graphs."""

    def run(name, case, take=None, **settings):
        said, records = [], []
        monkeypatch.setattr("sparring.runs.logbook.Logbook.add", lambda _, step: records.append(step))

        def taker(_recipe, fabric, _say):
            return take or (Graphs(said.append) if fabric.device.type == "cuda" else take_turns)

        monkeypatch.setattr("sparring.training.run.taker", taker)
        (tmp_path / name).mkdir(exist_ok=True)
        pinned.trained(case, tmp_path / name, **{"device": "cuda", "steps": STEPS, **settings})
        return checkpoint.latest(tmp_path / name / "run" / "checkpoints", dict)[0], records, said

    return run


def furthest(one, other):
    """Largest relative difference of two sets of tensors, by name."""
    assert one.keys() == other.keys()
    apart = {
        name: float((one[name].double() - other[name].double()).norm() / (1e-6 + one[name].double().norm()))
        for name in one
    }
    name = max(apart, key=lambda n: apart[n])
    return apart[name], name


def losses(records):
    return [float(value) for step in records for terms in step.losses.values() for value in terms.values()]


PLAIN = {"images-dcgan": {"augment": "none"}, "images-fastgan": {"augment": "none"}}
MORE = [
    ("images-dcgan", {}),  # ADA: resampling adds its gradients in no fixed order
    ("images-dcgan", {"augment": "none", "precision": "bf16"}),
    ("images-r3gan", {"augment": "ada"}),
    ("images-r3gan", {"shards": 2}),
]
EVERY = [(case, PLAIN.get(case, {})) for case in pinned.NAMES] + MORE


@pytest.mark.parametrize(("case", "fields"), EVERY, ids=[f"{case} {json.dumps(fields)}" for case, fields in EVERY])
def test_recorded_steps_equal_plain_ones(case, fields, train):
    """Bit for bit where plain steps are repeatable, and otherwise as close as two plain runs are."""
    plain, plain_records, _ = train("plain", case, take_turns, **fields)
    again, _, _ = train("again", case, take_turns, **fields)
    recorded, records, said = train("graphs", case, **fields)
    assert not said
    spread, _ = furthest(plain, again)
    apart, name = furthest(plain, recorded)
    print(f"{case} {fields}: plain runs differ by {spread:.1e}, recorded by {apart:.1e} ({name})")
    assert apart <= 20 * spread, name
    if not spread:
        assert losses(records) == losses(plain_records)


def strict(whole):
    """Takes turns, and fails where the host waits for the device."""

    def take(turns, fabric):
        turns = turns if whole else list(turns)
        mode = torch.cuda.get_sync_debug_mode()
        torch.cuda.set_sync_debug_mode("error")
        try:
            return take_turns(turns, fabric)
        finally:
            torch.cuda.set_sync_debug_mode(mode)

    return take


@pytest.mark.parametrize("case", pinned.NAMES)
def test_a_step_never_waits_for_the_device(case, train):
    train("run", case, strict(case.split("-")[0] in ON_DEVICE), steps=17)


@pytest.mark.parametrize("case", ["images-dcgan", "images-stylegan2"])
def test_a_resumed_run_ends_the_same(case, train):
    """Bit for bit where a run is repeatable: some kernels of StyleGAN2 add in no fixed order."""
    fields = PLAIN.get(case, {})
    whole, _, _ = train("whole", case, **fields)
    spread, _ = furthest(whole, train("again", case, **fields)[0])
    train("parts", case, steps=STEPS // 2, **fields)
    resumed, _, said = train("parts", case, resume=True, **fields)
    assert not said
    assert furthest(whole, resumed)[0] <= 20 * spread


def test_data_read_from_files_while_steps_are_recorded(train):
    """Worker threads pin memory during the capture."""
    inside, _, _ = train("inside", "images-dcgan", augment="none")
    outside, _, said = train("outside", "images-dcgan", augment="none", memory="20k")
    assert not said
    assert furthest(inside, outside)[0] == 0


@pytest.mark.parametrize("foreseen", [True, False], ids=["seen in a plain step", "met while recording"])
def test_a_step_that_waits_is_played_plainly(foreseen, train, monkeypatch):
    fields = {"augment": "none"}
    plain, _, _ = train("plain", "images-dcgan", take_turns, **fields)
    confidence = GAN._confidence

    def waiting(self, on_real, on_fake, round):
        numbers = confidence(self, on_real, on_fake, round)
        assert float(numbers["D_real"]) < 1e9
        return numbers

    monkeypatch.setattr(GAN, "_confidence", waiting)
    if not foreseen:
        waits = graphs.waits
        monkeypatch.setattr(graphs, "waits", lambda _: waits(False))
    waited, _, said = train("waited", "images-dcgan", **fields)
    assert len(said) == 1
    assert said[0].startswith("the run does not use CUDA graphs: ")
    print(said[0])
    assert furthest(plain, waited)[0] == 0


def test_a_checkpoint_moves_to_the_cpu_and_back(tmp_path, train):
    train("run", "images-stylegan2", steps=20)
    train("run", "images-stylegan2", steps=24, device="cpu", resume=True)
    last, _, _ = train("run", "images-stylegan2", steps=30, resume=True)
    assert all(tensor.isfinite().all() for tensor in last.values())
    assert sparring.load(tmp_path / "run" / "run", "cpu").about["step"] == 30


@pytest.mark.parametrize("case", ["images-dcgan", "images-stylegan2", "series-quantgan"])
def test_samples_are_those_of_the_cpu(case, tmp_path, train, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    train("run", case, steps=5)
    made = []
    for device in ("cpu", "cuda"):
        model = sparring.load(tmp_path / "run" / "run", device)
        torch.manual_seed(0)
        z = model.game.draw(8, torch.device("cpu")).to(device)
        labels = torch.arange(8, device=device) % model.game.classes if model.game.classes else None
        with torch.no_grad():
            made.append(model.game.generate(z, labels)["values"].cpu())
    torch.testing.assert_close(*made, rtol=1e-3, atol=1e-3)


def test_too_little_memory_is_one_line(tmp_path):
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.01)
    try:
        with pytest.raises(InputError) as error:
            sparring.train(
                "dcgan",
                "digits",
                out=tmp_path / "run",
                steps=3,
                device="cuda",
                quiet=True,
                width=256,
                batch=1024,
                size=128,
            )
        assert "\n" not in str(error.value)
        assert "memory" in str(error.value)
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
        torch.cuda.empty_cache()


def test_the_command_as_typed(tmp_path):
    run = tmp_path / "run"
    words = ["train", "digits", "--device", "cuda", "--steps", "200", "--out", str(run)]
    done = subprocess.run([sys.executable, "-m", "sparring", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "does not use CUDA graphs" not in done.stdout + done.stderr
    assert "cuda" in done.stdout + done.stderr
    assert (run / "model" / "model.json").exists()
