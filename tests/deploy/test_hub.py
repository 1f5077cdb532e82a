"""Models are pushed to a Hub on loopback, and come back bit for bit."""

import errno
import json
import os
import re
import shutil
import socket
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from commands import command
from hub_stub import TOKEN, running

import sparring
from sparring.deploy.push import push
from sparring.errors import InputError
from sparring.evaluation.audited import audited
from sparring.evaluation.report import record
from sparring.files import write_json
from sparring.metrics.results import read_numbers
from sparring.model import hub as addresses
from sparring.model import stored
from sparring.use.verify import verify

constants = pytest.importorskip("huggingface_hub.constants")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose data have an absolute path, with an evaluation."""
    folder = tmp_path_factory.mktemp("private")
    np.save(folder / "points.npy", np.random.default_rng(0).normal(size=(60, 2)))
    sparring.train("r3gan_mlp", folder / "points.npy", out=folder / "run", steps=2, G=(8,), D=(8,), device="cpu")
    record(folder / "run", sparring.evaluate(folder / "run", samples=20))
    return folder / "run"


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with running() as found:
        monkeypatch.setenv("HF_ENDPOINT", found.url)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        for name, value in {"HF_HUB_CACHE": str(tmp_path / "cache"), "HF_HUB_DISABLE_XET": True,
                            "HF_HUB_OFFLINE": False}.items():  # fmt: skip
            monkeypatch.setattr(constants, name, value)
        monkeypatch.chdir(tmp_path)
        yield found


def test_round_trip(hub, run, monkeypatch, capsys):
    assert command(monkeypatch, capsys, f"push {run} me/points --data-license CC-BY-4.0")[0] == 0
    (repository,) = hub.repositories.values()
    assert repository.private
    there = repository.files()
    assert set(there) == {
        ".gitattributes", "README.md", "evaluation.json", "model/model.json", "model/weights.safetensors",
        "samples/samples.csv", "samples/sheet.png",
    }  # fmt: skip
    assert repository.large == {"model/weights.safetensors"}
    assert not any(str(run.parent).encode() in content for content in there.values()), "no path of this machine"

    here, loaded = sparring.load(run), sparring.load("hf://me/points")
    assert np.array_equal(here.sample(20, seed=3).items, loaded.sample(20, seed=3).items)
    assert all(torch.equal(a, b) for a, b in zip(here.game.parameters(), loaded.game.parameters(), strict=True))
    assert command(monkeypatch, capsys, "sample hf://me/points -n 5 --seed 1 -o five.csv")[0] == 0
    assert np.allclose(np.loadtxt("five.csv", delimiter=",", skiprows=1), here.sample(5, seed=1).items, atol=1e-3)


def test_the_card_has_what_the_hub_reads(hub, run):
    push(run, "me/points", license="mit", data_license="CC BY 4.0", use="Only for tests.", public=True)
    text = hub.repositories["me/points"].files()["README.md"].decode()
    _, front, body = text.split("---\n", 2)
    metadata = yaml.safe_load(front)
    assert metadata["library_name"] == "sparring"
    assert metadata["license"] == "mit"
    assert "pipeline_tag" not in metadata  # the Hub has no task for points
    (index,) = metadata["model-index"]
    numbers = read_numbers(run / "evaluation.json")
    measured = {metric["type"]: metric["value"] for metric in index["results"][0]["metrics"]}
    assert measured == {name: pytest.approx(number["value"], abs=1e-5) for name, number in numbers.items()}
    parts = (
        "Only for tests.",
        "CC BY 4.0",
        "sparring sample hf://me/points",
        "samples/sheet.png",
        "| fid[coordinates] |",
    )
    for part in parts:
        assert part in body
    assert "curves.png" not in body
    assert "evaluation.png" not in body


def test_a_downloaded_card_can_be_verified(hub, run):
    push(run, "me/points")
    with pytest.raises(InputError, match=r"points\.npy"):
        verify("hf://me/points")
    assert verify("hf://me/points", data=run.parent / "points.npy").same
    files = hub.repositories["me/points"].files()
    hub.repositories["me/points"].commit(
        {"README.md": re.sub(rb"(\| fid\S+ \| )\S+", rb"\g<1>0.001", files["README.md"])}
    )
    assert not verify("hf://me/points", data=run.parent / "points.npy").same


@pytest.mark.usefixtures("hub")
def test_the_page_on_sharing(run, monkeypatch, capsys):
    """Its commands, on a smaller run than the page is about."""
    monkeypatch.setenv("COLUMNS", "200")
    shutil.copytree(run, "runs/digits")
    page = (Path(__file__).parents[2] / "docs" / "sharing.md").read_text()
    lines = [line for line in page.splitlines() if line.startswith("sparring ")]
    assert len(lines) == 4
    lines[-1] += f" --data {run.parent / 'points.npy'}"  # not a set that has a name, as digits is
    for line in lines:
        code, errors = command(monkeypatch, capsys, line.removeprefix("sparring "))
        assert (code, errors) == (0, []), line


def test_revisions(hub, run):
    push(run, "me/points")
    first = hub.repositories["me/points"].resolved("main")
    hub.repositories["me/points"].commit({"model/model.json": b"{}"})
    assert sparring.load(f"hf://me/points@{first}").sample(2, seed=0)
    with pytest.raises(InputError, match=r"^hf://me/points@v9: there is no revision v9"):
        sparring.load("hf://me/points@v9")
    with pytest.raises(InputError, match=r"model\.json has format None"):
        sparring.load("hf://me/points")


@pytest.mark.usefixtures("hub")
def test_without_the_hub_a_downloaded_model_is_still_there(run, monkeypatch):
    push(run, "me/points")
    sparring.load("hf://me/points")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{unused.getsockname()[1]}")
        assert sparring.load("hf://me/points").sample(2, seed=0)
        with pytest.raises(InputError, match=r"^hf://me/other: the Hub cannot be reached .*HF_ENDPOINT"):
            sparring.load("hf://me/other")


@pytest.mark.usefixtures("hub")
def test_another_model_is_not_overwritten(run, tmp_path):
    push(run, "me/points")
    push(run, "me/points")  # the same once more
    model = sparring.load(run)
    with torch.no_grad():
        next(model.game.parameters()).add_(1)
    model.save(tmp_path / "other")
    with pytest.raises(InputError, match=r"^hf://me/points holds another model; .*--force$"):
        push(tmp_path / "other", "me/points")
    push(tmp_path / "other", "me/points", force=True)
    assert torch.equal(next(sparring.load("hf://me/points").game.parameters()), next(model.game.parameters()))


def test_nothing_of_another_model_stays(hub, run, tmp_path):
    push(run, "me/points")
    hub.repositories["me/points"].commit({"samples/old.png": b"", "notes.txt": b"mine"})
    sparring.load(run).save(tmp_path / "alone")  # without an evaluation
    push(tmp_path / "alone", "me/points", force=True)
    there = set(hub.repositories["me/points"].files())
    assert "evaluation.json" not in there
    assert "samples/old.png" not in there
    assert {"notes.txt", "samples/sheet.png"} <= there


def test_the_same_weights_are_the_same_model_whichever_version_wrote_them(hub, run):
    push(run, "me/points")
    described = json.loads(hub.repositories["me/points"].files()["model/model.json"])
    hub.repositories["me/points"].commit({"model/model.json": json.dumps(described | {"sparring": "0.0"}).encode()})
    push(run, "me/points")
    assert b'"sparring": "0.0"' not in hub.repositories["me/points"].files()["model/model.json"]


def test_other_files_are_not_written_beside(hub, run):
    push(run, "me/points")
    hub.repositories["me/points"].commits = {"0": {"data.zip": b"x"}}
    with pytest.raises(InputError, match=r"^hf://me/points holds other files \(data\.zip\)"):
        push(run, "me/points")
    assert hub.repositories["me/points"].files() == {"data.zip": b"x"}


def test_nothing_becomes_public_by_accident(hub, run):
    push(run, "me/points", public=True)
    assert not hub.repositories["me/points"].private
    with pytest.raises(InputError, match=r"^hf://me/points is a public repository; add --public"):
        push(run, "me/points")


def test_pickles_are_refused(hub, run, monkeypatch, capsys):
    push(run, "me/points")
    hub.repositories["me/points"].commits = {"0": {"pytorch_model.bin": b"pickled"}}
    code, (line,) = command(monkeypatch, capsys, "sample hf://me/points -o a.csv")
    assert code == 2
    assert "pytorch_model.bin, which may run code" in line
    assert not any("resolve" in request for request in hub.requests)
    hub.repositories["me/points"].commits = {"0": {"README.md": b""}}
    with pytest.raises(InputError, match=r"it has no model/model\.json"):
        sparring.load("hf://me/points")


@pytest.mark.usefixtures("hub")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sample hf://me/nothing -o a.csv", "there is no such repository, or your token may not read it"),
        ("sample hf://nothing -o a.csv", "hf://nothing is no model of the Hub"),
        ("push {run} nothing", "nothing is no repository of the Hub"),
        ("push {run} me/points --license nonsense", '"license" must be one of the known ones'),
        ("push {run}/none me/points", "there is no model in"),
    ],
)
def test_bad_input(run, monkeypatch, capsys, line, expected):
    code, errors = command(monkeypatch, capsys, line.format(run=run))
    assert (code, len(errors)) == (2, 1)
    assert expected in errors[0]


def test_tokens(hub, run, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(InputError, match="your token is not valid for this"):
        push(run, "me/points")
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", "none")
    with pytest.raises(InputError, match="no token of the Hub is found"):
        push(run, "me/points")
    assert not hub.repositories


def test_code_is_not_published(hub, run, tmp_path):
    copy = tmp_path / "copy"
    sparring.load(run).save(copy)
    content = json.loads((copy / "model.json").read_text())
    write_json(copy / "model.json", content | {"recipe": "mine.py"})
    with pytest.raises(InputError, match=r"recipe file mine\.py"):
        push(copy, "me/points")
    assert not hub.requests


def test_a_full_disk_is_no_matter_of_the_network():
    where, refused = addresses.address("hf://me/points"), r"^hf://me/points cannot be stored: .*space"
    with pytest.raises(InputError, match=refused), addresses.explained(where):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.usefixtures("hub")
def test_an_audit_of_a_model_of_the_hub_is_found(run):
    push(run, "me/points")
    weights = sparring.load("hf://me/points").game.state_dict()
    finding = {"name": "copies", "evidence": "it has some", "advice": "train less"}
    audit = {"identity": stored.identity(weights), "findings": [finding]}
    write_json(addresses.beside("hf://me/points") / "audit.json", audit)
    assert [found.name for found in audited("hf://me/points")] == ["copies"]


def test_addresses():
    assert str(addresses.address(Path("hf://me/points@v1"))) == "hf://me/points@v1"
    assert addresses.address("runs/hf") is None
    assert addresses.beside("hf://me/points@v1") == Path("runs/hub/me/points@v1")
    assert addresses.beside("hf://me/points@refs/pr/1") == Path("runs/hub/me/points@refs%2Fpr%2F1")
    assert addresses.beside("hf://me/points") == Path("runs/hub/me/points")
    for wrong in ("hf://", "hf://me", "hf://me/../points", "hf://me/points/model", "hf://me/points@"):
        with pytest.raises(InputError, match="is no model of the Hub"):
            addresses.address(wrong)
