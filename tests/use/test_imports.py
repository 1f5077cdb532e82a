"""Imported weights compute what nets in the published layouts compute, written from PyTorch's layers alone."""

import importlib.util
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from commands import command
from PIL import Image

import sparring
from sparring.deploy.export import export
from sparring.errors import InputError
from sparring.recipes.peers import PEERS
from sparring.use.apply import apply
from sparring.use.imports import REFUSED, _record, import_model

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("published", ROOT / "benchmarks" / "published.py")
published = importlib.util.module_from_spec(spec)
spec.loader.exec_module(published)


def saved(tmp_path, state, name="latest_net_G.pth"):
    torch.save(state, tmp_path / name)
    return tmp_path / name


def image(n=1, channels=3, size=64, seed=1):
    return torch.rand(n, channels, size, size, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def close(a, b):
    assert a.shape == b.shape
    assert a.std() > 0.05, "all values are alike, so that nothing is compared"
    assert torch.allclose(a, b, atol=1e-4), (a - b).abs().max()


@pytest.mark.parametrize("dropout", [False, True])
@torch.no_grad()
def test_residual_generators(tmp_path, dropout):
    nets = [published.randomize(published.Resnet(8, 3, dropout=dropout), seed) for seed in (0, 1)]
    files = [saved(tmp_path, net.state_dict(), f"{i}.pth") for i, net in enumerate(nets)]
    one = import_model("cyclegan", files[:1], tmp_path / "one")
    both = import_model("cyclegan", files, tmp_path / "both")
    close(one.mapper().net(image()), nets[0](image()))
    close(both.mapper().net(image()), nets[0](image()))
    close(both.mapper(reverse=True).net(image()), nets[1](image()))
    with pytest.raises(InputError):
        one.mapper(reverse=True)


@pytest.mark.parametrize("settings", [{}, {"norm": "instance"}, {"given": 1, "channels": 2}, {"depth": 3}])
@torch.no_grad()
def test_unets(tmp_path, settings):
    net = published.randomize(published.Unet(**{"depth": 5, "width": 8, **settings}))
    model = import_model("pix2pix", [saved(tmp_path, net.state_dict())], tmp_path / "model")
    given = image(channels=settings.get("given", 3))
    # The published net overwrites what its skip connections hold, which changes nothing.
    close(sparring.load(tmp_path / "model").mapper().net(given), net(given.clone()))
    assert model.modality.shape == (
        settings.get("channels", 3),
        2 ** settings.get("depth", 5),
        2 ** settings.get("depth", 5),
    )


@pytest.mark.parametrize("version", ["V2", "V3"])
@torch.no_grad()
def test_vocoders(tmp_path, version):
    config = published.HIFIGAN[version]
    config = config | {"upsample_initial_channel": 8 * 2 ** len(config["upsample_rates"])}
    net = published.randomize(published.Vocoder(config))
    (tmp_path / "config.json").write_text(json.dumps(config))
    file = saved(tmp_path, {"generator": net.published()}, "generator")
    model = import_model("hifigan", [file], tmp_path / "model", tmp_path / "config.json")
    mel = torch.randn(1, 80, 20, generator=torch.Generator().manual_seed(0))
    close(model.game.G(mel), net(mel))
    removed = {}  # the same without weight normalization, as some publish it
    for name, layer in net.named_modules():
        if hasattr(layer, "parametrizations"):
            removed |= {f"{name}.weight": layer.weight, f"{name}.bias": layer.bias}
    file = saved(tmp_path, {"generator": removed}, "plain")
    close(import_model("hifigan", [file], tmp_path / "plain-model", tmp_path / "config.json").game.G(mel), net(mel))


@torch.no_grad()
def test_a_vocoder_hears_the_published_spectrograms(tmp_path):
    config = published.HIFIGAN["V3"] | {"upsample_initial_channel": 64}  # an own one
    net = published.randomize(published.Vocoder(config))
    (tmp_path / "config.json").write_text(json.dumps(config))
    file = saved(tmp_path, {"generator": net.published()}, "generator")
    model = import_model("hifigan", [file], tmp_path / "model", tmp_path / "config.json")
    sound = torch.randn(1, 256 * 40, generator=torch.Generator().manual_seed(0)).mul(0.1)
    expected = published.spectrogram(sound, config)
    assert torch.allclose(model.modality.spectrogram(sound[:, None]), expected, atol=1e-3)
    soundfile.write(tmp_path / "in.wav", sound[0].numpy(), 22050, "FLOAT")
    apply(tmp_path / "model", tmp_path / "in.wav", tmp_path / "out.wav")
    again, rate = soundfile.read(tmp_path / "out.wav")
    assert rate == 22050
    # The spectrogram's last digits differ, and so do those of the sound, which is written in 16 bits.
    assert np.abs(again - net(expected)[0, 0].numpy()).max() < 5e-3


@torch.no_grad()
def test_dcgan(tmp_path):
    net = published.randomize(published.Tutorial(8, 20))
    parallel = {f"module.{name}": tensor for name, tensor in net.state_dict().items()}
    model = import_model("dcgan", [saved(tmp_path, parallel)], tmp_path / "model")
    z = torch.randn(3, 20)
    close(model.game.G(z), net(z[:, :, None, None]))
    assert model.sample(2, seed=0).items.shape == (2, 64, 64, 3)


@pytest.mark.parametrize(
    "settings", [{}, {"channels": 1, "size": 8}, {"classes": 3}, {"classes": 16, "depth": 2}], ids=str
)
@torch.no_grad()
def test_stylegan2(tmp_path, settings):
    settings = {"size": 32, "depth": 3, **settings}
    net = published.Style(12, base=256, most=16, **settings).randomize()
    file = saved(tmp_path, {"G": {}, "G_ema": net.state_dict()}, "network.pt")
    model = import_model("stylegan2", [file], tmp_path / "model")
    z = torch.randn(5, 12, generator=torch.Generator().manual_seed(1))
    label = torch.tensor([0, 1, 2, 1, 2]) if "classes" in settings else None
    expected = net(z, label)
    close(sparring.load(tmp_path / "model").game.G(z, label), expected)
    assert expected.std(0).mean() > 0.1 * expected.std(), "all samples are alike"
    if label is not None:
        assert (expected - net(z, label * 0)).std() > 0.1 * expected.std(), "the class does not matter"
    shape = (2, settings["size"], settings["size"], settings.get("channels", 3))
    one = {} if label is None else {"label": "2"}
    assert model.sample(2, seed=0, truncation=0.5, **one).items.shape == shape


@pytest.mark.parametrize(
    "settings", [{"size": 128, "attention": (4, 8)}, {"size": 16, "channels": 1, "attention": ()}], ids=str
)
@torch.no_grad()
def test_lightweight_gan(tmp_path, settings):
    net = published.Lightweight(latents=12, base=256, most=24, **settings).randomize()
    state = {f"GE.{name}": tensor for name, tensor in net.state_dict().items()}
    file = saved(tmp_path, {"GAN": state | {"G.picture": torch.ones(1)}, "version": "1.2.1"}, "model_3.pt")
    model = import_model("lightweight-gan", [file], tmp_path / "model")
    z = torch.randn(2, 12, generator=torch.Generator().manual_seed(1))
    expected = 2 * net(z) - 1
    close(sparring.load(tmp_path / "model").game.G(z), expected)
    assert expected.std(0).mean() > 0.1 * expected.std(), "all samples are alike"
    assert model.sample(2, seed=0).items.shape == (2, settings["size"], settings["size"], settings.get("channels", 3))


@torch.no_grad()
def test_an_imported_model_is_a_model(tmp_path, monkeypatch, capsys):
    net = published.randomize(published.Resnet(8, 1))
    file = saved(tmp_path, net.state_dict())
    monkeypatch.chdir(tmp_path)
    assert command(monkeypatch, capsys, f"import cyclegan {file} -o horses") == (0, [])
    pixels = np.random.default_rng(0).integers(0, 256, (40, 48, 3), dtype=np.uint8)
    Image.fromarray(pixels).save("in.png")
    assert command(monkeypatch, capsys, "apply horses in.png -o out.png") == (0, [])
    expected = net(torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 127.5 - 1)
    off = np.asarray(Image.open("out.png")).astype(int) - ((expected[0].permute(1, 2, 0) + 1) * 127.5).round().numpy()
    assert np.abs(off).max() <= 1
    about = sparring.load("horses").about
    assert about["imported"]["from"] == "cyclegan"
    assert [name for name, _ in about["imported"]["sha256"]] == ["latest_net_G.pth"]
    export("horses", "horses.safetensors")
    assert torch.equal(sparring.load("horses.safetensors").mapper().net(image()), net(image()))
    code, (line,) = command(monkeypatch, capsys, "evaluate horses")
    assert code == 2
    assert "give a model that sparring trained" in line


@pytest.mark.slow
@pytest.mark.parametrize(
    ("peer", "net"),
    [("cyclegan", published.Resnet(8, 1)), ("pix2pix", published.Unet(4, 8)), ("dcgan", published.Tutorial(8))],
)
def test_imported_models_are_exported(tmp_path, peer, net):
    """`export` compares what ONNX Runtime computes with PyTorch."""
    import_model(peer, [saved(tmp_path, published.randomize(net).state_dict())], tmp_path / "model")
    assert export(tmp_path / "model", tmp_path / "model.onnx").path.is_file()


class Code:
    def __reduce__(self):
        return (Path.touch, (Path("executed"),))


def test_no_code_is_executed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save(Code(), "code.pth")
    Path("plain.pkl").write_bytes(pickle.dumps(Code()))
    for name in ("code.pth", "plain.pkl"):
        with pytest.raises(InputError, match=rf"^{name} is not read: it holds Python objects"):
            import_model("pix2pix", [name], "out")
    assert not Path("executed").exists()
    assert not Path("out").exists()


@pytest.mark.parametrize(
    "content", [b"import torch\n", b"so much text.\n", b"R0 and more", b"(lp0\n", b"\x80\x02}q", b""]
)
def test_a_file_that_is_no_file_of_weights_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "net.pth").write_bytes(content)
    with pytest.raises(InputError, match=r"net\.pth (cannot be|is not) read: "):
        import_model("pix2pix", [tmp_path / "net.pth"], tmp_path / "out")


def test_files_of_the_same_name_are_both_recorded(tmp_path):
    files = [tmp_path / name / "net.pth" for name in ("A", "B")]
    for file in files:
        file.parent.mkdir()
        file.write_text(file.parent.name)
    assert len({mark for _, mark in _record("cyclegan", files)["imported"]["sha256"]}) == 2


@pytest.mark.parametrize("peer", sorted(REFUSED))
def test_what_is_not_imported_is_said_in_one_line(peer):
    with pytest.raises(InputError, match=rf"^{peer} cannot be imported: .*coming-from\.md") as refused:
        import_model(peer, ["model.pkl"], "out")
    assert "\n" not in str(refused.value)


def test_bad_input(tmp_path):
    resnet = published.Resnet(4, 1).state_dict()
    file = saved(tmp_path, resnet)

    def refused(pattern, peer="cyclegan", files=(file,), **options):
        with pytest.raises(InputError, match=pattern) as error:
            import_model(peer, files, tmp_path / "out", **options)
        assert "\n" not in str(error.value)

    refused(r"there is no layout 'cyclgan'; did you mean 'cyclegan'\?", "cyclgan")
    refused("3 files were given; cyclegan has", files=(file, file, file))
    refused("there is no file .*none.pth; give ", files=(tmp_path / "none.pth",))
    refused("hifigan needs the JSON", "hifigan")
    refused("cyclegan has none; remove it", config=file)
    refused("its layout is another one: it has no nested levels", "pix2pix")
    refused("its layout is another one: main.0.weight is missing", "dcgan")
    refused("holds no tensors by name", files=(saved(tmp_path, [1, 2], "list.pth"),))
    more = saved(tmp_path, resnet | {"model.99.weight": torch.ones(1)}, "more.pth")
    refused(r"model\.99\.weight is not known \(1 of such tensors\)", files=(more,))
    wide = saved(tmp_path, resnet | {"model.4.weight": torch.ones(9, 4, 3, 3)}, "wide.pth")
    style = published.Style(4, 8, base=32, depth=2, classes=17).state_dict()
    refused("it has 17 classes; at most 16", "stylegan2", files=(saved(tmp_path, style, "many.pt"),))
    style = {name: tensor for name, tensor in style.items() if ".b4." not in name}
    refused(r"blocks of \[8\] pixels", "stylegan2", files=(saved(tmp_path, style, "high.pt"),))
    refused("it has blocks of no pixels", "stylegan2")
    refused("size mismatch for net.layers.3.weight", files=(wide,))
    (tmp_path / "config.json").write_text(json.dumps(published.HIFIGAN["V1"] | {"fmin": 55}))
    refused("its fmin is 55; only 0 is supported", "hifigan", config=tmp_path / "config.json")
    (tmp_path / "config.json").write_text("{}")
    refused("its JSON is another one", "hifigan", config=tmp_path / "config.json")


def test_the_layouts_say_what_they_need():
    assert list(PEERS) == ["pix2pix", "cyclegan", "hifigan", "stylegan2", "lightweight-gan", "dcgan"]
    for peer in PEERS.values():
        assert 1 <= peer.least <= peer.most
        assert peer.url.startswith("https://")
