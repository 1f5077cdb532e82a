"""Compressed models, the measured cost of compression, and the command line."""

import re
import subprocess
import sys
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn
from toy_models import toy

import sparring
from sparring.cli import main
from sparring.console import Screen
from sparring.deploy import prune
from sparring.deploy.export import export
from sparring.deploy.graph import graph
from sparring.deploy.measure import sized
from sparring.deploy.prune import chains, pruned
from sparring.deploy.quality import Data, Quality
from sparring.errors import InputError

pytestmark = pytest.mark.usefixtures("brief_classifiers")


@pytest.fixture(scope="module", autouse=True)
def _small_numbers(fast_exports):
    fast_exports.setattr("sparring.deploy.quality.MAX_SAMPLES", 200)
    fast_exports.setattr("sparring.deploy.prune.STEPS", 60)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compressed") / "dcgan-digits"
    settings = {"width": 32, "z": 8, "batch": 32, "labels": False, "ema_kimg": 0.5}
    sparring.train("dcgan", "digits", steps=150, quiet=True, device="cpu", out=folder, **settings)
    return folder


def made(path, z):
    (x,) = onnxruntime.InferenceSession(path).run(None, {"z": z})
    return x


@pytest.fixture(scope="module")
def whole(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "whole.onnx"
    export(run, path)
    return path


@pytest.fixture(scope="module")
def z():
    return np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)


@pytest.mark.parametrize(("way", "share", "error"), [("half", 0.6, 1e-3), ("int8", 0.55, 0.1)])
def test_smaller_and_nearly_the_same(way, share, error, run, whole, z, tmp_path):
    found = export(run, tmp_path / "small.onnx", **{way: True})
    assert found.size == (tmp_path / "small.onnx").stat().st_size < share * whole.stat().st_size
    apart = np.abs(made(tmp_path / "small.onnx", z) - made(whole, z))
    assert 0 < apart.mean() < error
    pytorch, runtime, small = found.variants
    assert runtime.difference < 1e-4 < small.difference
    assert runtime.quality == pytest.approx(pytorch.quality, rel=1e-3)
    assert small.quality == pytest.approx(pytorch.quality, rel=0.3)
    assert found.floor < pytorch.quality
    assert found.rows()[0][-1] == "fid[patches]"
    assert onnx.load(tmp_path / "small.onnx").metadata_props[0].key == "sparring"


def test_quality_is_measured_on_the_written_file(run, tmp_path, monkeypatch):
    """A damaged graph gets a worse number."""

    def damage(proto):
        for weight in proto.graph.initializer:
            values = onnx.numpy_helper.to_array(weight)
            if values.ndim == 4:
                weight.CopyFrom(onnx.numpy_helper.from_array(values * 0, weight.name))

    monkeypatch.setattr("sparring.deploy.export.halve", damage)
    pytorch, _, small = export(run, tmp_path / "m.onnx", half=True).variants
    assert small.quality > 1.3 * pytorch.quality


def test_a_compressed_model_is_measured_after_reading_it_back(run, tmp_path):
    """Sizes are those of files, and nothing is written if weights are not finite."""
    found = export(run, tmp_path / "h.safetensors", half=True)
    whole, half = found.variants
    assert [v.name for v in found.variants] == ["PyTorch", "half"]
    assert half.size == found.size == (tmp_path / "h.safetensors").stat().st_size < 0.6 * whole.size
    assert whole.difference == 0 < half.difference < 0.05
    assert whole.quality != half.quality == pytest.approx(whole.quality, rel=0.05)
    assert min(half.latency.values()) > 0
    assert found.rows()[2][:2] == ["half", sized(half.size)]
    model = sparring.load(run)
    with torch.no_grad():
        next(model.game.G.parameters()).fill_(1e5)  # beyond float16: stays in float32
    kept = export(model, tmp_path / "k.safetensors", half=True)
    assert sparring.load(kept.path).game.G.state_dict()[next(iter(model.game.G.state_dict()))].max() == 1e5
    with torch.no_grad():
        next(model.game.G.parameters()).fill_(torch.nan)
    with pytest.raises(InputError, match="holds numbers that are not finite"):
        export(model, tmp_path / "i.safetensors", half=True)
    assert not (tmp_path / "i.safetensors").exists()


def test_half_needs_no_data(tmp_path, capfd):
    """An image-to-image model can be halved without its training data, but not pruned."""
    model = toy("srgan")
    found = export(model, tmp_path / "h.safetensors", half=True, quiet=False)
    assert [v.quality for v in found.variants] == [None, None]
    assert "quality is not measured" in " ".join("".join(capfd.readouterr()).split())
    with pytest.raises(InputError, match="needs its training data"):
        export(model, tmp_path / "p.safetensors", prune=0.5)


def test_real_items_are_compared_in_the_same_number(run):
    """The distance of 11 held-out items is not comparable with that of 200 samples, so there is no floor."""
    model = sparring.load(run)
    data, net = Data(model, Screen(True)), graph(model)
    held = data.dataset.held
    for many, judged in ((50, 50), (11, 200)):
        data.dataset = replace(data.dataset, held=held[:many])
        quality = Quality(data, net)
        assert len(quality.inputs[0]) == judged
        assert (quality.floor is None) == (many == 11)
        assert quality.protocol.startswith(f"fid[patches]: {judged} samples against 1,")
        assert ("real: 50 held-out ones" in quality.protocol) == (many == 50)


def test_half_keeps_weights_beyond_its_range(tmp_path):
    """They stay in float32."""
    model = toy("gan", G=(32, 32))
    with torch.no_grad():
        model.game.G.layers[0].weight[0, 0] = 1e5
        model.game.G.layers[2].weight[:, 0] *= 1e-6
    found = export(model, tmp_path / "g.onnx", half=True)
    kinds = {w.data_type for w in onnx.load(tmp_path / "g.onnx").graph.initializer if np.prod(w.dims) >= 256}
    assert kinds == {onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16}
    assert found.variants[2].difference < 0.01
    assert "of the uncompressed model" in found.protocol  # no training data


def test_chains():
    net = nn.Sequential(
        nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Sequential(nn.ReLU(), nn.Linear(8, 6)), nn.Softmax(1), nn.Linear(6, 6),
        nn.LeakyReLU(), nn.Linear(6, 2),
    )  # fmt: skip
    found = [(c.before, c.between, c.after) for c in chains(net)]
    assert found == [("0", ("1",), "2.1"), ("4", (), "6")]


@pytest.mark.parametrize("name", ["dcgan", "gan", "table", "srgan", "quantgan", "audio", "specgan"])
def test_unused_channels_are_removed_first(name, monkeypatch):
    """If half of the channels of each chain are unused, a model without them generates the same before fine-tuning."""
    monkeypatch.setattr(prune, "STEPS", 0)
    model = toy(name)
    G, game = model.game.G, model.game
    assert chains(G)
    with torch.no_grad():
        for chain in chains(G):
            after = G.get_submodule(chain.after)
            weight = after.weight if isinstance(after, nn.ConvTranspose2d) else after.weight.transpose(0, 1)
            weight[::2] = 0
    torch.manual_seed(1)
    if model.modality.source is not None:
        batch = torch.zeros(2, 0), torch.rand(2, 3, 8, 8)
    else:
        batch = game.draw(6, torch.device("cpu")), model.modality.draw_conditions(6, torch.device("cpu"))
    small = pruned(model, 0.5, lambda: batch, lambda *_: None)
    with torch.no_grad():
        torch.testing.assert_close(small.game.values(*batch), game.values(*batch), rtol=1e-4, atol=1e-4)
    assert small.about["parameters"]["G"] < sum(p.numel() for p in G.parameters())


def test_fine_tuning_restores_samples(run, monkeypatch):
    model = sparring.load(run)
    game, errors = model.game, []
    latents = game.draw(256, torch.device("cpu"))
    for steps in (0, 60):
        torch.manual_seed(0)
        monkeypatch.setattr(prune, "STEPS", steps)
        small = pruned(model, 0.5, lambda: (game.draw(64, torch.device("cpu")), None), lambda *_: None)
        with torch.no_grad():
            errors.append(float((small.game.values(latents, None) - game.values(latents, None)).square().mean()))
    assert errors[1] < 0.5 * errors[0]


def test_a_pruned_model_is_one_file_and_a_graph(run, whole, tmp_path):
    """It is loaded with its narrower shapes, and both files hold the same net."""
    one = export(run, tmp_path / "p.safetensors", prune=0.5)
    found = export(run, tmp_path / "p.onnx", prune=0.5)
    assert [v.quality for v in one.variants] == pytest.approx([v.quality for v in found.variants[::2]], rel=1e-3)
    assert found.size < 0.6 * whole.stat().st_size
    loaded = sparring.load(tmp_path / "p.safetensors")
    assert loaded.about["pruned"] == 0.5
    z = torch.randn(4, 8)
    with torch.no_grad():
        np.testing.assert_allclose(made(tmp_path / "p.onnx", z.numpy()), loaded.game.values(z, None), atol=1e-4)
    loaded.save(tmp_path / "folder")
    assert np.array_equal(sparring.load(tmp_path / "folder").sample(3, seed=0).items, loaded.sample(3, seed=0).items)


def typed(monkeypatch, capsys, *words):
    monkeypatch.setattr(sys, "argv", ["sparring", "export", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    out, err = capsys.readouterr()
    return end.value.code or 0, out, err


def test_the_command(run, monkeypatch, capsys, tmp_path):
    status, out, err = typed(monkeypatch, capsys, run, "-o", tmp_path / "d.onnx", "--half", "--bytes")
    assert (status, err) == (0, "")
    assert re.search(r"fid\[patches\]", out)
    assert re.search(r"ONNX Runtime +\d+\.\d+ .B +\de-\d\d|ONNX Runtime +\d+\.\d+ .B +0", out)
    assert re.search(r"half +\d+\.\d+ .B", out)
    assert f"in {tmp_path / 'd.onnx'}" in out
    typed(monkeypatch, capsys, run)
    assert run.with_name("dcgan-digits.onnx").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "d.pt"], "d.pt: cannot write a model as '.pt'; name it .onnx or .safetensors"),
        (["--prune", "2"], "--prune 2 is out of range"),
        (["--format", "tflite"], "--format tflite is unknown"),
        (["-o", "there.onnx"], "there.onnx exists already"),
    ],
)
def test_bad_input(words, message, run, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.onnx").write_text("")
    status, out, err = typed(monkeypatch, capsys, run, *words)
    assert (status, out) == (2, "")
    assert err.startswith(f"sparring: {message}")
    assert err.count("\n") == 1


def test_computed_weights_are_quantized_too(tmp_path):
    """StyleGAN2 scales its weights when they are used."""
    model = toy("stylegan2", z=32, most=64, base=1024)
    small = export(model, tmp_path / "s.onnx", int8=True)
    whole = small.variants[1]
    assert small.size < 0.5 * whole.size
    assert whole.difference < 1e-4
    net = graph(model)
    given = net.draw(3, 0)
    with torch.no_grad():
        torch.testing.assert_close(net.net(*given), model.game.sample(given[0], None)["values"])


def test_quantization_that_saves_little_is_refused(tmp_path):
    with pytest.raises(InputError, match="little in this net can be quantized; use --half"):
        export(toy("timegan"), tmp_path / "t.onnx", int8=True)
    assert not list(tmp_path.iterdir())


def test_nets_without_chains_are_not_pruned(monkeypatch, capsys, tmp_path):
    toy("stylegan2").save(tmp_path / "s")
    status, _, err = typed(monkeypatch, capsys, tmp_path / "s", "-o", tmp_path / "s.onnx", "--prune", "0.5")
    assert status == 2
    assert "has no plain sequences of layers" in err
    assert not (tmp_path / "s.onnx").exists()


def test_without_the_libraries(run, tmp_path):
    """One line names the package to install."""
    code = (
        "import sys; sys.modules['onnxscript'] = None; from sparring.cli import main; "
        f"sys.argv = ['sparring', 'export', {str(run)!r}, '-o', {str(tmp_path / 'x.onnx')!r}]; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        "sparring: onnxscript writes ONNX files and is not installed; pip install 'sparring[export]'\n"
    )
