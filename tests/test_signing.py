"""Models are only loaded as their makers signed them, where the user asks for that."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import safetensors.torch
from commands import command
from test_own_kind import PAGE, code_of_page

import sparring
from sparring import signing
from sparring.errors import InputError
from sparring.model import stored

pytest.importorskip("model_signing")


def keys(folder: Path, name: str) -> tuple[Path, Path]:
    from cryptography.hazmat.primitives import serialization as to
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / f"{name}.pem", folder / f"{name}-public.pem"
    private.write_bytes(key.private_bytes(to.Encoding.PEM, to.PrivateFormat.PKCS8, to.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(to.Encoding.PEM, to.PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained") / "run"
    sparring.train("gan", "ring", out=folder, steps=1, quiet=True, device="cpu", batch=8, G=(4,), D=(4,))
    return folder


@pytest.fixture
def signed(trained, tmp_path, monkeypatch):
    """A signed run, whose signature is asked for."""
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    private, public = keys(tmp_path, "key")
    assert signing.sign(run / "model", private) == run / "model.sig"
    monkeypatch.setenv(signing.VARIABLE, str(public))
    return run


def test_a_signed_model_is_loaded_and_an_unsigned_one_is_not(signed, trained, tmp_path, monkeypatch):
    assert len(sparring.load(signed).sample(2).items) == 2
    with pytest.raises(InputError, match="is not signed"):
        sparring.load(trained)
    monkeypatch.setenv(signing.VARIABLE, str(keys(tmp_path, "other")[1]))
    with pytest.raises(InputError, match=r"is not what was signed with the key of .*other-public\.pem"):
        sparring.load(signed)
    monkeypatch.setenv(signing.VARIABLE, str(tmp_path / "missing.pem"))
    with pytest.raises(InputError, match="there is no public key"):
        sparring.load(signed)
    monkeypatch.setenv(signing.VARIABLE, "")
    with pytest.raises(InputError, match="SPARRING_VERIFY_KEY is empty"):
        sparring.load(signed)
    monkeypatch.delenv(signing.VARIABLE)
    sparring.load(trained)


def flip(path):
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


TAMPERING = {
    "weights": lambda run: flip(run / "model" / "weights.safetensors"),
    "description": lambda run: flip(run / "model" / "model.json"),
    "a further file": lambda run: (run / "model" / "more.py").write_text(""),
    "a removed file": lambda run: (run / "model" / ".sparring.json").unlink(),
    "a link": lambda run: (run / "model" / "link").symlink_to(run / "recipe.json"),
    "the signature": lambda run: flip(run / "model.sig"),
    "an empty signature": lambda run: (run / "model.sig").write_text("{}"),
    "no signature at all": lambda run: (run / "model.sig").unlink(),
}


@pytest.mark.parametrize("what", TAMPERING)
def test_every_change_is_found(signed, what):
    TAMPERING[what](signed)
    with pytest.raises(InputError, match=r"is not (what was )?signed"):
        sparring.load(signed)


def test_a_signature_of_another_model_does_not_count(signed, trained, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(trained, other)
    (other / "model" / "model.json").write_text((trained / "model" / "model.json").read_text() + "\n")
    shutil.copy(signed / "model.sig", other / "model.sig")
    with pytest.raises(InputError, match="is not what was signed"):
        sparring.load(other)


def test_one_file(signed, tmp_path):
    file = tmp_path / "one.safetensors"
    sparring.load(signed).save(file)
    with pytest.raises(InputError, match="is not signed"):
        sparring.load(file)
    signing.sign(file, tmp_path / "key.pem")
    sparring.load(file)


def test_commands(signed, trained, tmp_path, monkeypatch, capsys):
    public = tmp_path / "key-public.pem"
    monkeypatch.delenv(signing.VARIABLE)  # restored afterwards, whatever the command sets
    line = f"--verify-key {public} sample {trained} -n 2 -o {tmp_path / 'out.csv'} --device cpu"
    status, errors = command(monkeypatch, capsys, line)
    assert status == 2
    assert "is not signed" in errors[-1]
    assert command(monkeypatch, capsys, line.replace(str(trained), str(signed)))[0] == 0
    assert command(monkeypatch, capsys, f"sign {signed} --key {tmp_path / 'key.pem'}")[0] == 0
    status, errors = command(monkeypatch, capsys, line.replace(str(public), "''"))
    assert (status, errors[-1].partition(";")[0]) == (2, "sparring: --verify-key is empty")
    status, errors = command(monkeypatch, capsys, f"sign {signed} --key {tmp_path / 'none.pem'}")
    assert status == 2
    assert "openssl" in errors[-1]
    status, errors = command(monkeypatch, capsys, f"sign {signed} --key {public}")
    assert status == 2
    assert "cannot sign" in errors[-1]
    assert command(monkeypatch, capsys, f"sign {tmp_path / 'nothing'} --key {tmp_path / 'key.pem'}")[0] == 2


def test_code_beside_a_signed_model_is_not_run(signed, tmp_path):
    """A recipe file is code: it has to be signed, too."""
    (signed / "strips.py").write_text(code_of_page(PAGE) + "\nraise SystemExit('ran')\n")
    described = signed / "model" / "model.json"
    described.write_text(json.dumps(json.loads(described.read_text()) | {"recipe": "strips.py"}))
    signing.sign(signed / "model", tmp_path / "key.pem")
    with pytest.raises(InputError, match="is no part of the signed model"):
        sparring.load(signed, trust=True)
    (signed / "strips.py").rename(signed / "model" / "strips.py")
    with pytest.raises(InputError, match="is not what was signed"):
        sparring.load(signed, trust=True)
    file = tmp_path / "downloads" / "one.safetensors"
    file.parent.mkdir()
    content = json.loads(described.read_text())
    stored.write(file, content, safetensors.torch.load_file(signed / "model" / "weights.safetensors"), half=False)
    shutil.copy(signed / "model" / "strips.py", file.parent)
    signing.sign(file, tmp_path / "key.pem")
    with pytest.raises(InputError, match="the signature of a model in one file does not cover"):
        sparring.load(file, trust=True)


def test_a_signed_recipe_file_is_loaded_again_and_again(trained, tmp_path, monkeypatch):
    """Importing it, and what it imports, leaves no file in the signed folder."""
    folder = tmp_path / "model"
    shutil.copytree(trained / "model", folder)
    recipe = "from beside import Base\n\n\nclass Own(Base):\n    pass\n"
    (folder / "own.py").write_text(recipe)
    (folder / "beside.py").write_text("from sparring.recipes.gan import Gan as Base\n")
    described = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(described | {"recipe": "own.py"}))
    private, public = keys(tmp_path, "key")
    signing.sign(folder, private)
    monkeypatch.setenv(signing.VARIABLE, str(public))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for _ in range(2):
        assert sparring.load(folder, trust=True).recipe.own_file
    assert not sys.dont_write_bytecode
