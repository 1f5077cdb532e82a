"""Files that commands write are marked as generated, and the marks are read again by other libraries."""

import hashlib
import importlib
import io
import json
import re
import shutil
import wave
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commands import command
from PIL import Image

import sparring
from sparring.errors import InputError
from sparring.provenance import Mark, whose
from sparring.provenance import marker as markers
from sparring.provenance.containers import CONTAINERS, container
from sparring.provenance.label import LABEL, labeled
from sparring.provenance.manifests import read, sign
from sparring.provenance.packets import AIGC, Origin, fields, origin, packet, says_generated

c2pa = pytest.importorskip("c2pa")
ORIGIN = Origin("Bäcker & <Söhne>", "recipe gan on digits", "ab" * 32)
PACKET = packet(ORIGIN, "cd" * 32, True)


@pytest.fixture(scope="module")
def marker(tmp_path_factory):
    return markers.create(tmp_path_factory.mktemp("marks") / "marks", ORIGIN.producer)


def pixels(side=64, channels=3):
    return np.random.default_rng(0).integers(0, 255, (side, side, channels), np.uint8)


def encoded(format, channels=3, **settings):
    file = io.BytesIO()
    Image.fromarray(pixels(channels=channels)).save(file, format, **settings)
    return file.getvalue()


def sound():
    file = io.BytesIO()
    with wave.open(file, "wb") as opened:
        opened.setnchannels(1)
        opened.setsampwidth(1)
        opened.setframerate(8000)
        opened.writeframes(bytes(1001))  # an odd number of bytes is padded
    return file.getvalue()


def film():
    av = pytest.importorskip("av")
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as opened:
        stream = opened.add_stream("libx264", rate=10, width=64, height=64, pix_fmt="yuv420p")
        for frame in (av.VideoFrame.from_ndarray(pixels(), format="rgb24"), None):
            opened.mux(stream.encode(frame))
    return file.getvalue()


FILES = {
    "png": lambda: encoded("PNG"),
    "jpeg": lambda: encoded("JPEG"),
    "jpeg with Exif": lambda: encoded("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0"),
    "webp": lambda: encoded("WEBP"),
    "webp with alpha": lambda: encoded("WEBP", 4, lossless=True),
    "gif": lambda: encoded("GIF"),
    "wav": sound,
    "mp4": film,
}


def shown(content, media):
    """What a reader gets from a file."""
    if media.startswith("image"):
        with Image.open(io.BytesIO(content)) as image:
            return np.asarray(image.convert("RGBA")).tobytes()
    if media == "audio/wav":
        with wave.open(io.BytesIO(content)) as opened:
            return opened.readframes(opened.getnframes())
    import av

    with av.open(io.BytesIO(content)) as opened:
        return b"".join(frame.to_ndarray(format="rgb24").tobytes() for frame in opened.decode(video=0))


@pytest.mark.parametrize("name", FILES)
def test_every_format_carries_packet_and_manifest_and_shows_the_same(name, marker):
    content = FILES[name]()
    known = container(content)
    with_packet = known.with_packet(content, PACKET)
    found = fields(with_packet)
    assert origin(found) == ORIGIN
    assert json.loads(found[f"{{{AIGC}}}AIGC"])["Label"] == "1"
    signed = sign(with_packet, known.media, ORIGIN, marker.chain, marker.key)
    assert shown(signed, known.media) == shown(content, known.media)
    manifest = read(signed, known.media)
    assert (manifest.valid, manifest.trusted, manifest.generated) == (True, False, True)
    assert manifest.origin == ORIGIN
    assert read(signed, known.media, marker.chain).trusted
    assert origin(fields(signed)) == ORIGIN
    assert read(content, known.media) is None


def test_pillow_finds_the_packet_where_the_format_has_it():
    for format in ("PNG", "JPEG", "WEBP"):
        content = container(encoded(format)).with_packet(encoded(format), PACKET)
        with Image.open(io.BytesIO(content)) as image:
            image.load()
            found = image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()
        assert found == PACKET


@pytest.mark.parametrize("name", ["png", "jpeg", "wav"])
def test_every_kind_of_tampering_is_found(name, marker):
    content = FILES[name]()
    known = container(content)
    signed = sign(content, known.media, ORIGIN, marker.chain, marker.key)
    for place in (len(signed) - 30, signed.find(b"Sparring") + 2):
        changed = bytearray(signed)
        changed[place] ^= 1
        manifest = read(bytes(changed), known.media)
        assert manifest is None or not manifest.valid
    assert not read(known.with_packet(signed, PACKET), known.media).valid


def test_a_packet_with_entities_is_refused():
    hostile = PACKET.replace(b"<rdf:RDF", b"<!ENTITY a 'b'><rdf:RDF")
    with pytest.raises(InputError, match="damaged"):
        fields(CONTAINERS[0].with_packet(encoded("PNG"), hostile))
    with pytest.raises(InputError, match="damaged"):
        fields(b"<x:xmpmeta <</x:xmpmeta>")
    assert fields(b"no packet") is None
    assert not says_generated({"{urn:other}field": "value"})


def test_the_label_is_large_enough_and_opaque():
    for side in (64, 512):
        items = np.zeros((2, side, side, 4), np.uint8)
        marked = labeled(items)
        changed = (marked != items).any((0, 3))
        rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
        assert rows[0] > side / 2
        assert (rows[-1], columns[-1]) == (side - 1, side - 1)
        high = (rows[-1] - rows[0] + 1) * (LABEL.shape[0] - 2) / LABEL.shape[0]
        assert high >= 0.05 * side
        assert (marked[..., -1][:, changed] == 255).all()
        assert not items.any()
    page = (Path(__file__).parents[2] / "docs" / "provenance.md").read_text()
    assert f"smaller than {LABEL.shape[1]} x {LABEL.shape[0]} pixels are refused" in page
    with pytest.raises(InputError, match="28 x 28 pixels are too small"):
        labeled(np.zeros((1, 28, 28, 1), np.uint8))


@pytest.fixture(scope="module")
def ring(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "ring"
    return sparring.train("gan", "ring", out=folder, steps=1, quiet=True, device="cpu", batch=8, G=(4,), D=(4,)), folder


def test_tables_get_a_signed_sidecar_which_notices_changes(ring, marker, tmp_path):
    model, folder = ring
    mark = Mark.of(model, ["eu", "cn"], str(marker.folder))
    samples, out = model.sample(4, seed=0), tmp_path / "ring.csv"
    samples.save(out, mark=mark)
    beside = tmp_path / "ring.csv.provenance.json"
    assert json.loads(json.loads(beside.read_text())["statement"]["AIGC"])["ContentProducer"] == ORIGIN.producer
    mine, stranger = whose(out, marker), whose(out)
    assert mine.model.startswith("recipe gan on ring of Bäcker")
    assert stranger.model == ""
    assert "nothing proves it" in stranger.words
    (tmp_path / "ring.csv").unlink()
    with pytest.raises(InputError, match=r"provenance\.json exists already"):
        samples.save(out, mark=mark)
    samples.save(out, force=True, mark=mark)
    out.write_text(out.read_text() + "0,0\n")
    assert whose(out, marker).model == ""
    assert "the file was changed" in whose(out, marker).evidence[0].says
    content = json.loads(beside.read_text())
    content["statement"]["model"] = "another"
    beside.write_text(json.dumps(content))
    assert "its signature is wrong" in whose(out, marker).evidence[0].says
    assert mark.origin.identity == hashlib.sha256((folder / "model" / "weights.safetensors").read_bytes()).hexdigest()
    assert marker.models() == {mark.origin.identity: {"model": "recipe gan on ring"}}


def test_files_that_say_it_themselves(ring, marker, tmp_path):
    model, _ = ring
    mark, out = Mark.of(model, ["eu"], str(marker.folder)), tmp_path / "ring.png"
    model.sample(4, seed=0).save(out, mark=mark)
    assert [path.name for path in tmp_path.iterdir()] == ["ring.png"]
    assert [one.kind for one in whose(out, marker).evidence] == ["manifest", "metadata"]
    assert whose(out, marker).model
    assert not whose(out).model
    with Image.open(out) as image:
        image.save(tmp_path / "again.png")
    assert "no marks, which does not mean that it is real" in whose(tmp_path / "again.png", marker).words
    other = markers.create(tmp_path / "other", "Another")
    assert not whose(out, other).model


def test_nothing_is_written_if_marks_are_not_possible(ring, marker, tmp_path):
    model, _ = ring
    with pytest.raises(InputError, match="--mark us is unknown"):
        Mark.of(model, ["us"], str(marker.folder))
    with pytest.raises(InputError, match="is not a folder of marks"):
        Mark.of(model, ["eu"], str(tmp_path))
    broken = tmp_path / "broken"
    shutil.copytree(marker.folder, broken)
    (broken / "key.pem").write_text("no key")
    mark = replace(Mark.of(model, ["eu"], str(broken)), cn=False)
    for name in ("ring.png", "ring.csv"):
        with pytest.raises(InputError, match="certificate"):
            model.sample(4, seed=0).save(tmp_path / name, mark=mark)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken"]


def test_a_key_is_readable_by_its_owner_only(marker):
    assert (marker.folder / "key.pem").stat().st_mode & 0o777 == 0o600
    with pytest.raises(InputError, match="exists already"):
        markers.create(marker.folder, "Another")
    with pytest.raises(InputError, match="needs its key"):
        markers.create(marker.folder, "Another", b"chain", force=True)
    with pytest.raises(InputError, match="--producer is empty"):
        markers.create(marker.folder, " ", force=True)


def test_the_page(ring, tmp_path, monkeypatch, capsys):
    """Its commands and its Python, with a model of points in place of photographs."""
    shutil.copytree(ring[1], tmp_path / "runs" / "photos")
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "provenance.md").read_text()
    typed = [line.removeprefix("sparring ") for line in page.splitlines() if line.startswith("sparring ")]
    (python,) = re.findall(r"^```python\n(.*?)^```", page, flags=re.MULTILINE | re.DOTALL)
    for line in typed[:3]:
        assert command(monkeypatch, capsys, line) == (0, [])
    (tmp_path / "sheet.png").unlink()
    exec(python, {})
    assert capsys.readouterr().out.startswith("made by recipe gan on ring of Example Ltd")
    for line, name in (
        (typed[1] + " --force", "sheet.png"),
        ("export runs/photos -o points.onnx --mark eu", "points.onnx"),
    ):
        assert command(monkeypatch, capsys, f"{line} --marks marks")[0] == 0
        assert whose(Path(name), markers.find("marks")).model


def test_what_cannot_be_marked_is_known_before_the_work(ring, marker, tmp_path, monkeypatch, capsys):
    """Nothing is trained, exported or served first."""
    studio = importlib.import_module("sparring.studio.launch")

    def too_early(*_, **__):
        raise AssertionError("the work was begun")

    monkeypatch.setattr("sparring.provenance.training.trained", too_early)
    monkeypatch.setattr("sparring.deploy.export.export", too_early)
    monkeypatch.setattr(studio, "_serve", too_early)
    (tmp_path / "points.onnx.provenance.json").write_text("kept")
    export = f"export {ring[1]} -o {tmp_path / 'points.onnx'} --marks {marker.folder}"
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for line, error in (
        (f"marks {tmp_path / 'full'} --producer A --watermark {ring[1]}", "full"),
        (f"marks {tmp_path / 'new'} --producer ' ' --watermark {ring[1]}", "--producer is empty"),
        (f"marks {tmp_path / 'new'} --producer {'A' * 70_000}", "--producer has 70,000 characters"),
        (f"marks {tmp_path / 'new'} --producer A --certificate {tmp_path / 'none'} --key a", "cannot read"),
        (export + " --mark us", "--mark us is unknown"),
        (export + " --mark eu", r"points.onnx.provenance.json exists already"),
    ):
        status, errors = command(monkeypatch, capsys, line)
        assert (status, error in errors[-1]) == (2, True), errors
    with pytest.raises(InputError, match="--mark us is unknown"):
        studio.launch([tmp_path], mark=["us"], marks=str(marker.folder))


def test_what_gets_no_label_is_said_or_refused(ring, marker, tmp_path, monkeypatch, capsys):
    line = f"sample {ring[1]} -n 4 -o {tmp_path / 'ring.png'} --device cpu --marks {marker.folder}"
    monkeypatch.setattr("sparring.cli.train_and_sample.say", print)
    monkeypatch.setattr("sys.argv", ["sparring", *(line + " --mark cn").split()])
    with pytest.raises(SystemExit):
        sparring.cli.main()
    assert "--mark cn draws no label on points" in capsys.readouterr().out
    mark = Mark(False, True, ORIGIN, marker)
    deep, colors = io.BytesIO(), io.BytesIO()
    Image.fromarray(np.zeros((64, 64), np.uint16)).save(deep, "PNG")
    with pytest.raises(InputError, match="more than eight bits"):
        mark.result(deep.getvalue())
    assert replace(mark, cn=False).result(deep.getvalue()).startswith(b"\x89PNG")
    Image.fromarray(np.zeros((64, 64), np.uint8)).convert("P").save(colors, "PNG")
    with Image.open(io.BytesIO(mark.result(colors.getvalue()))) as image:
        assert np.asarray(image).any()


def test_names_that_do_not_fit_into_a_jpeg():
    content = encoded("JPEG")
    with pytest.raises(InputError, match="do not fit into a JPEG"):
        container(content).with_packet(content, bytes(70_000))
