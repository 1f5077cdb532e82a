"""What Prometheus is told of a run is what its log says, and telling it changes nothing."""

import json
import math
import re
import runpy
import socket
import sys
import urllib.request
from pathlib import Path

import pytest
import torch
from prometheus_client.parser import text_string_to_metric_families
from test_health import NAN, planted

import sparring
from sparring.cli import main
from sparring.errors import InputError
from sparring.runs.logbook import Logbook
from sparring.training import checkpoint, exporter, health
from sparring.training.exporter import Address, address
from sparring.training.health import PROBLEMS, Health

ROOT = Path(__file__).parents[2]
TOY = {"G": (16,), "D": (16,), "batch": 64}


@pytest.fixture
def port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def is_free(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0


def scrape(port):
    """Families by name, and each sample's value by its name and labels."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    samples = {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}
    assert len(samples) == sum(len(family.samples) for family in families)  # none twice, which Prometheus refuses
    return {family.name: family for family in families}, samples


@pytest.fixture
def scraped(monkeypatch, port):
    """Everything is looked at often, and scraped after each line of the log: (line, families, samples)."""
    monkeypatch.setattr("sparring.training.watch.MIN_SECONDS", 0.0)
    monkeypatch.setattr("sparring.training.watch.MAX_DIVERSITY_TIME", 1e9)
    monkeypatch.setattr("sparring.training.watch.MIN_STEPS_BETWEEN_DIVERSITY", 1)
    monkeypatch.setattr("sparring.training.score.MIN_SAMPLES_BETWEEN", 640)
    monkeypatch.setattr("sparring.training.clock.LOG_SECONDS", 0.0)
    found = []
    write = Logbook.write

    def then_scrape(book, step, numbers):
        write(book, step, numbers)
        if not is_free(port):
            found.append(({"step": step, **numbers}, *scrape(port)))

    monkeypatch.setattr(Logbook, "write", then_scrape)
    return found


OWN = {"run": "watched", "recipe": "gan"}
COUNTERS = ("sparring_trained_seconds", "sparring_rollbacks", "process_cpu_seconds")


def test_metrics_are_the_log(tmp_path, port, scraped):
    options = {"steps": 30, "time": "5m", "quiet": True, "device": "cpu", "augment": "ada", **TOY}
    model = sparring.train("gan", "digits", out=tmp_path / "watched", metrics=port, **options)
    assert is_free(port)
    logged = (tmp_path / "watched" / "log.jsonl").read_text().splitlines()
    assert [line for line, *_ in scraped] == [json.loads(line) for line in logged]
    for line, families, samples in scraped:
        assert_as_logged(line, lambda name, /, s=samples, **labels: s[name, frozenset((OWN | labels).items())])
        assert families["process_resident_memory_bytes"].samples[0].value > 1e7
        for name, family in families.items():
            assert family.documentation
            assert family.type == ("counter" if name in COUNTERS else "gauge"), name
    floor = samples["sparring_score_floor", frozenset((OWN | {"score": "fid[patches]"}).items())]
    assert floor == model.about["scores"]["floor"]
    assert {"ada_p", "D_real", "D_held", "gradient_G", "fid[patches]", "diversity"} <= {
        name for line, *_ in scraped for name in line
    }
    labels = {sample.name: set(sample.labels) - OWN.keys() for family in families.values() for sample in family.samples}
    ours = {name: found for name, found in labels.items() if name.startswith("sparring_")}
    assert ours | {"sparring_device_memory_bytes": {"amount"}} == documented()


def documented():
    """The labels of each metric in docs/watching.md."""
    page = (ROOT / "docs" / "watching.md").read_text()
    rows = re.findall(r"^\|( `sparring_.*?)\|(.*?)\|", page, flags=re.MULTILINE)
    coded = [(re.findall(r"`(\w+)`", names), set(re.findall(r"`(\w+)`", labels))) for names, labels in rows]
    return {name: labels for names, labels in coded for name in names}


def assert_as_logged(line, value):
    """What is exported after a line of the log, of 30 steps of 64 items, is what it says."""
    step, speed = line["step"], line["speed"]
    assert value("sparring_step") == step
    assert value("sparring_items") == step * 64 == line["kimg"] * 1000
    assert value("sparring_trained_seconds_total") == pytest.approx(line["seconds"], abs=0.01)
    assert value("sparring_items_per_second") == speed
    assert value("sparring_left_seconds") == pytest.approx((30 - step) * 64 / speed)
    assert (value("sparring_bound_steps"), value("sparring_bound_seconds")) == (30, 300)
    assert value("sparring_rollbacks_total") == 0
    assert {value("sparring_problem", problem=name) for name in PROBLEMS} == {0}
    assert value("sparring_learning_rate", player="G", phase="1") == 0.0002
    about = {"data": "digits", "kind": "images", "device": "cpu", "precision": "fp32"}
    assert value("sparring_run_info", **about, version=sparring.__version__) == 1
    for name in line.keys() - {"step", "kimg", "seconds", "speed"}:
        player, slash, term = name.partition("/")
        if slash:
            assert value("sparring_loss", player=player, term=term) == line[name]
        elif name in ("fid[patches]", "diversity"):
            assert value("sparring_score", score=name) == line[name]
        else:
            assert value("sparring_observed", name=name) == line[name]


def test_watching_changes_nothing_of_the_weights(tmp_path, port, scraped):
    options = {"steps": 8, "quiet": True, **TOY}
    for name, more in (("watched", {"metrics": port}), ("alone", {})):
        sparring.train("gan", "digits", out=tmp_path / name, **more, **options)
    assert scraped
    one, two = (checkpoint.latest(tmp_path / name / "checkpoints", dict)[0] for name in ("watched", "alone"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_times_are_those_of_the_files(tmp_path, port, scraped):
    sparring.train("gan", "digits", out=tmp_path, steps=20, quiet=True, metrics=port, save_every=0.0, **TOY)
    _, families, _ = scraped[-1]
    times = {s.labels["file"]: s.value for s in families["sparring_written_timestamp_seconds"].samples}
    assert set(times) == {"checkpoint", "samples", "log"}
    assert times["log"] == (tmp_path / "log.jsonl").stat().st_mtime
    for name, before in times.items():
        assert before - families["process_start_time_seconds"].samples[0].value > 0, name
        assert before <= (tmp_path / "model" / "model.json").stat().st_mtime


def test_a_rollback_is_told(tmp_path, port, scraped):
    """And before it, the number that is not finite as what it is."""
    flag = str(tmp_path / "seen")
    code = NAN.format(stopped=f"__import__('os').path.exists({flag!r})", flag=flag)
    planted(tmp_path, code, steps=100, metrics=port, save_every=0.0, **TOY)
    told = []
    for line, families, _ in scraped:
        broken = any(math.isnan(value) for value in line.values())
        assert broken == any(math.isnan(s.value) for s in families["sparring_loss"].samples)
        (back,) = families["sparring_rollbacks"].samples
        told.append(
            (broken, back.value, {s.labels["problem"] for s in families["sparring_problem"].samples if s.value})
        )
    assert [state for i, state in enumerate(told) if i == 0 or state != told[i - 1]] == [
        (False, 0, set()), (True, 0, set()), (False, 1, {"not finite"}),
    ]  # fmt: skip
    assert [s.value for s in families["sparring_learning_rate"].samples] == pytest.approx([0.3 * 0.0002] * 2)


def test_health_says_what_holds_now():
    """A problem is reported once, but is present for as long as it lasts."""
    steady = {"D/adversarial": 0.6, "D_accuracy": 0.7, "D_real": 1.0, "D_held": 0.8, "D_fake": 0.0, "gradient_G": 0.1}
    watched = Health()
    for step in range(0, 400, 20):
        watched.note(step, steady)
    assert watched.present == set()
    seen = [watched.note(step, steady | {"gradient_G": 1e-9}) for step in range(400, 800, 20)]
    assert [problem.name for problems in seen for problem in problems] == ["vanishing gradients"]
    assert watched.present == {"vanishing gradients"}
    watched.note(800, steady)
    assert watched.present == set()


def test_every_problem_has_a_gauge():
    source = Path(health.__file__).read_text()
    reported = re.findall(r"Finding\(\s*(?:\"([^\"]+)\"|NOT_FINITE)", source)
    assert {name or health.NOT_FINITE for name in reported} == set(PROBLEMS)
    table = (ROOT / "docs" / "health.md").read_text().partition("## Problems")[2].partition("\n## ")[0]
    assert re.findall(r"^\| ([^|]+?) \|", table, flags=re.MULTILINE)[1:] == list(PROBLEMS)


def test_device_memory(monkeypatch):
    amounts = {"memory_allocated": 1, "memory_reserved": 2, "max_memory_allocated": 3}
    for name, amount in amounts.items():
        monkeypatch.setattr(torch.cuda, name, lambda device, amount=amount: amount * (device.index + 1))
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: type("", (), {"total_memory": 9}))
    found = {labels["amount"]: value for labels, value in exporter._memory(torch.device("cuda:1"))}
    assert found == {"used": 2, "reserved": 4, "peak": 6, "total": 9}
    assert exporter._memory(torch.device("cpu")) == []


def test_addresses(port):
    assert address(port) == address(str(port)) == Address("127.0.0.1", port)
    assert address(f"0.0.0.0:{port}") == Address("0.0.0.0", port)
    assert str(address(f"localhost:{port}")) == f"localhost:{port}"
    assert str(Address("::1", 9101)) == "[::1]:9101"


@pytest.mark.parametrize(
    "text", ["", "0", "65536", "-1", "9101x", "http://here:9101", "here", ":9101", "::1", "::1:9101", "a b:9101"]
)
def test_what_is_no_address(text):
    with pytest.raises(InputError, match=re.escape(f"metrics {text!r} is not an address; give a port")):
        address(text)


@pytest.mark.parametrize("host", ["nowhere.invalid", "192.0.2.1", "a" * 70])
def test_hosts_that_are_not_here(host, port):
    with pytest.raises(InputError, match=rf"metrics cannot be served at {host}:{port}: .*; give another"):
        address(f"{host}:{port}")


def test_without_the_library(monkeypatch, port, tmp_path):
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(InputError, match=re.escape("prometheus_client exports metrics and is not installed; pip")):
        sparring.train("gan", "digits", out=tmp_path, metrics=port, steps=2)
    runpy.run_path(exporter.__file__)
    sparring.train("gan", "digits", out=tmp_path, steps=2, quiet=True, **TOY)  # neither of which needs it


def test_a_port_that_is_taken(tmp_path, monkeypatch, capsys):
    """Refused before a run is begun, or one that is there is lost to --force."""
    (tmp_path / "kept" / "recipe.json").parent.mkdir()
    (tmp_path / "kept" / "recipe.json").write_text("{}")
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        for out in ("new", "kept"):
            words = ["train", "digits", "--recipe", "gan", "--steps", "2", "--out", str(tmp_path / out), "--force"]
            monkeypatch.setattr(sys, "argv", ["sparring", *words, "--metrics", str(taken)])
            with pytest.raises(SystemExit) as end:
                main()
            said = f"sparring: metrics cannot be served at 127.0.0.1:{taken}: address already in use; give another port"
            assert end.value.code == 2
            assert capsys.readouterr().err == f"{said} or host\n"
    assert not (tmp_path / "new").exists()
    assert (tmp_path / "kept" / "recipe.json").read_text() == "{}"
