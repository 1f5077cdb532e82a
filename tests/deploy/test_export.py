"""ONNX files compute what models compute and document themselves; models that cannot be exported are refused."""

import json
import math
import re

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from toy_models import toy

import sparring
from sparring import recipes
from sparring.data.tensors import VALUES
from sparring.deploy.export import export
from sparring.deploy.graph import graph, output_text
from sparring.errors import InputError

pytestmark = pytest.mark.usefixtures("fast_exports")

PICTURES = [n for n in recipes.names() if recipes.find(n).takes[-1].kind == "images"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A toy model and its ONNX file, written once. Tests must not change them."""
    folder, known = tmp_path_factory.mktemp("exported"), {}

    def made(name, labels=False):
        if (name, labels) not in known:
            model, path = toy(name, labels), folder / f"{name}-{labels}.onnx"
            model.about |= {"data": "/home/me/secret", "scores": {"fid": 1.0}}
            export(model, path)
            known[name, labels] = model, path
        return known[name, labels]

    return made


def session(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def run(path, **given):
    (made,) = session(path).run(None, {name: np.asarray(x) for name, x in given.items()})
    return made


def about(path):
    (entry,) = onnx.load(path).metadata_props
    return json.loads(entry.value)


def apart(made, expected):
    expected = expected.double().numpy()
    return (np.abs(made - expected) / np.maximum(1, np.abs(expected))).max()


@torch.no_grad()
def truth(model, inputs):
    """The model's own output for a graph's inputs, by the path of `Model.sample` and `Model.apply`."""
    if model.modality.source is not None:
        (given,) = inputs.values()
        return model.mapper().net(given)
    if model.recipe.name == "table":
        return swept(model, **inputs)
    if "known" in inputs:  # one pass of filling in, of which samples take several
        return model.game.graph(model.modality).net(*inputs.values())
    return model.game.sample(inputs["z"].flatten(1), inputs.get("label"))[VALUES]


def swept(model, z, label, keep):
    """Rows one by one, with columns redrawn in the order of the graph, from its latents instead of drawn ones."""
    game, made = model.game, []
    for latents, requested, kept in zip(z, label, keep, strict=True):
        draws = iter(latents[1:][None].transpose(0, 1))
        expected = [i for i in range(len(requested)) if i != game.last]
        game.draw = lambda *_, draws=draws: next(draws)
        x = game.values(latents[:1] + game.offset, requested[None])
        for place in (*expected, game.last):
            drawn = game.draw()
            if not kept[place]:
                codes = game.G.spans.codes(x[:, : game.G.spans.places])
                codes[:, place] = -1
                x = game.values(drawn + game.offset, codes)
        made.append(x)
    del game.draw
    return torch.cat(made)


def drawn(model, path, n):
    """Inputs according to the file's own description."""
    torch.manual_seed(n)
    inputs, declared = {}, about(path)["inputs"]
    if "known" in declared:
        return dict(zip(declared, model.game.graph(model.modality).draw(n, n), strict=True))
    for name, given in declared.items():
        shape = [n if i == 0 else side for i, side in enumerate(given["shape"])]
        if name == "label":
            inputs[name] = model.modality.draw_conditions(n, torch.device("cpu"))
        elif name == "keep":
            inputs[name] = torch.rand(shape) < 0.3
        elif name == "noise":
            inputs[name] = torch.zeros(shape)
        elif name in ("image", "film"):
            stride = model.mapper().stride
            side = -(-16 // stride) * stride
            x = 2 * torch.rand(n, shape[1], side + n * stride, side) - 1
            inputs[name] = torch.cat([x[:, :-1], x[:, -1:].sign()], 1) if model.modality.masked else x
        elif name in ("sound", "spectrogram"):
            inputs[name] = torch.randn(n, shape[1], model.mapper().stride * (20 + n))
        elif isinstance(shape[1], str):  # of any length
            before = int(shape[1].split()[0])
            inputs[name] = torch.randn(n, before + 40 + n, shape[2])
        elif model.recipe.name in (
            "table",
            "ctgan",
            "dptable",
            "mgan",
            "infogan",
            "molgan",
            "joint",
            "joint_chain",
        ):  # a prior of several parts
            many = n * (shape[1] if len(shape) == 3 else 1)
            inputs[name] = model.game.draw(many, torch.device("cpu")).view(shape)
        else:
            inputs[name] = torch.randn(shape)
    return inputs


# D sees molecules by RDKit, and sequences are drawn token by token until they end, which no graph can hold.
WITHOUT_GRAPH = {"latentgan", "maligan", "molecules", "organ", "relgan", "scratchgan", "seqgan", "text"}
CASES = [(n, False) for n in recipes.names() if n not in {*PICTURES, *WITHOUT_GRAPH}] + [(n, True) for n in PICTURES]
CASES += [("dcgan", False)]  # and "stylegan2" in the test of its quantization


@pytest.mark.parametrize(("name", "labels"), CASES, ids=[f"{n}{' labels' * y}" for n, y in CASES])
def test_onnx_runtime_computes_what_pytorch_computes(name, labels, exported):
    model, path = exported(name, labels)
    onnx.checker.check_model(str(path), full_check=True)
    for n in (1, 5):
        inputs = drawn(model, path, n)
        assert apart(run(path, **inputs), truth(model, inputs)) < 1e-4
    assert ("label" in inputs) == (labels or name in ("table", "ctgan", "dptable", "joint", "joint_chain"))


def of_column(G, z, i):
    """The latents of a redrawn column, among those of a row."""
    return z[:, : G.z], z[:, G.z :][:, G.spans.places_of(i)]


def test_the_sweep_equals_that_of_the_model():
    """`swept` equals `Model.sample` except for the order of the columns."""
    model = toy("table")
    game, columns = model.game, model.modality.condition_width
    z = game.draw(4 * (1 + columns), torch.device("cpu")).view(4, 1 + columns, -1)
    label = model.modality.draw_conditions(4, torch.device("cpu"))
    draws = iter(z.transpose(0, 1)[1:])
    with pytest.MonkeyPatch.context() as patch, torch.no_grad():
        patch.setattr(torch, "randperm", torch.arange)
        game.draw = lambda *_: next(draws)
        game._redraw = lambda redraw, i: redraw(i, *of_column(game.G, next(draws) + game.offset, i))
        expected = game.sample(z[:, 0], label)[VALUES]
        del game.draw, game._redraw
    keep = torch.zeros(4, columns, dtype=torch.bool)
    torch.testing.assert_close(swept(model, z, label, keep), expected)


def test_kept_columns(exported):
    model, path = exported("table")
    inputs = drawn(model, path, 50)
    inputs["label"] = torch.full((50, 3), -1)
    inputs["label"][:, 2] = 1
    inputs["keep"] = inputs["label"] >= 0
    rows = torch.from_numpy(run(path, **inputs))
    assert set(model.modality.decode({VALUES: rows})["c"]) == {model.modality.learned[2].levels[1]}


def test_noise_is_an_input(exported):
    """New noise gives other images, 0 the model's own."""
    _, path = exported("stylegan2", True)
    model = toy("stylegan2", labels=True)
    inputs = drawn(model, path, 3)
    own = run(path, **inputs)
    noise = torch.randn_like(inputs["noise"])
    made = run(path, **{**inputs, "noise": noise})
    assert apart(made, torch.from_numpy(own)) > 1e-3
    begin, G = 0, model.game.G
    with torch.no_grad():
        for layer in G.layers:
            side = layer.noise.shape[-1]
            layer.noise = noise[:, begin : begin + side**2].view(-1, 1, side, side)
            begin += side**2
        assert apart(made, G(inputs["z"], inputs["label"])) < 1e-4


def test_bytes_equal_those_of_samples(tmp_path):
    model = toy("dcgan", labels=True)
    export(model, tmp_path / "d.onnx", in_bytes=True)
    inputs = drawn(model, tmp_path / "d.onnx", 9)
    made = run(tmp_path / "d.onnx", **inputs)
    assert (made.dtype, made.shape) == (np.uint8, (9, 8, 8, 3))
    expected = model.modality.decode({VALUES: truth(model, inputs)})
    assert np.abs(made.astype(int) - expected).max() <= 1
    assert np.ptp(made) > 50
    assert about(tmp_path / "d.onnx")["output"] == "images (n, 8, 8, 3) uint8"
    (output,) = onnx.load(tmp_path / "d.onnx").graph.output  # the exact values, which are verified too, are removed
    assert output.doc_string == "images (n, 8, 8, 3) uint8"
    assert "exact" not in [given.name for given in session(tmp_path / "d.onnx").get_outputs()]


def test_values_before_rounding_are_verified(tmp_path, monkeypatch):
    """A graph that is off by a third of a byte generates nearly the same bytes, but is refused."""

    def wrong(proto):
        (weight,) = [w for w in proto.graph.initializer if w.name.endswith("G.layers.0.weight")]
        values = onnx.numpy_helper.to_array(weight)
        weight.CopyFrom(onnx.numpy_helper.from_array(values * 1.002, weight.name))
        return proto

    monkeypatch.setattr("sparring.deploy.runtime._without_source_lines", wrong)
    with pytest.raises(InputError, match=r"differs from PyTorch by 0\.00\d+, more than 0\.0001$"):
        export(toy("dcgan", labels=True), tmp_path / "d.onnx", in_bytes=True)
    assert not list(tmp_path.iterdir())


def test_wrong_bytes_are_reported_in_bytes(tmp_path, monkeypatch):
    from sparring.deploy import runtime

    def wrong(self, given, output=runtime.OUTPUT):
        made = right(self, given, output)
        return made ^ 4 if output == runtime.OUTPUT else made

    right = runtime.Session.__call__
    monkeypatch.setattr(runtime.Session, "__call__", wrong)
    with pytest.raises(InputError, match=r"by 0\.031, more than 0\.0079, which is one byte"):
        export(toy("dcgan", labels=True), tmp_path / "d.onnx", in_bytes=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["dcgan", "srgan", "inpaint", "cyclegan"])
@pytest.mark.parametrize("in_bytes", [False, True])
def test_a_graph_describes_its_output(name, in_bytes):
    made = graph(toy(name), in_bytes)
    given = made.draw(3, 1)
    with torch.no_grad():
        found = made.net(*given)
    text = output_text(made)
    shape = re.search(r"\((.+?)\)", text)[1]
    sides = {"n": 3}
    for names, x in zip([i.shape for i in made.inputs], given, strict=True):
        sides |= {n.split()[-1]: size // int(n.split()[0] if " " in n else 1)
                  for n, size in zip(names, x.shape, strict=True) if isinstance(n, str)}  # fmt: skip
    expected = [math.prod(sides[w] if w in sides else int(w) for w in side.split()) for side in shape.split(", ")]
    assert list(found.shape) == expected
    assert text.endswith("uint8" if in_bytes else "in [-1, 1]")
    assert (found.dtype == torch.uint8) == in_bytes


@pytest.mark.parametrize("name", ["srgan", "inpaint", "pix2pix"])
def test_bytes_in_and_out(name):
    """The result equals that of `Model.apply`."""
    model, random = toy(name), np.random.default_rng(0)
    picture = random.integers(0, 256, (32, 24, 4 if name == "inpaint" else 3), dtype=np.uint8)
    if name == "inpaint":
        picture[..., 3] = np.where(picture[..., 3] > 128, 255, 0)
    with torch.no_grad():
        made = graph(model, in_bytes=True).net(torch.from_numpy(picture[None]))[0].numpy()
    expected = model.apply(picture)
    assert (made.dtype, made.shape) == (np.uint8, expected.shape)
    assert np.abs(made.astype(int) - expected).max() <= 1


def test_the_opposite_direction():
    model = toy("cyclegan")
    given = torch.rand(2, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(graph(model, reverse=True).net(given), model.game.BA(given))
        assert not torch.allclose(graph(model).net(given), model.game.BA(given))


def test_a_file_documents_itself(exported):
    _, path = exported("infogan", True)
    output = about(path)
    assert output["recipe"] == "infogan"
    assert output["kind"] == "images"
    assert output["modality"]["size"] == 8
    assert output["about"]["scores"] == {"fid": 1.0}
    assert "8 normal, 10 one-hot, 2 uniform in [-1, 1]" in output["inputs"]["z"]["is"]
    assert "secret" not in json.dumps(output)
    given = onnx.load(path).graph.input[0]
    assert given.doc_string == output["inputs"]["z"]["is"]
    assert b"toy_models" not in path.read_bytes()  # no lines of Python


def test_a_file_contains_only_the_generator(exported):
    """Spectral norms are divided out."""
    model, path = exported("fastgan", True)
    weights = onnx.load(path).graph.initializer
    kept = sum(np.prod(w.dims) for w in weights)
    assert kept <= sum(p.numel() for p in model.game.G.parameters())
    assert any(p.numel() for p in model.game.D.parameters())


def test_the_model_is_left_unchanged():
    model = toy("fastgan")
    before = {n: t.clone() for n, t in model.game.state_dict().items()}
    graph(model)
    model.game.values(torch.randn(2, 8), None)
    assert model.game.state_dict().keys() == before.keys()
    assert all(torch.equal(t, before[n]) for n, t in model.game.state_dict().items())
    assert all(p.requires_grad for p in model.game.G.parameters())


def test_a_wrong_graph_is_not_written(tmp_path, monkeypatch):
    from sparring.deploy import runtime

    def wrong(self, given, output=runtime.OUTPUT):
        return right(self, given, output) + 2e-4

    right = runtime.Session.__call__
    monkeypatch.setattr(runtime.Session, "__call__", wrong)
    with pytest.raises(InputError, match=r"differs from PyTorch by 0\.0002"):
        export(toy("gan", labels=True), tmp_path / "g.onnx")
    assert not list(tmp_path.iterdir())


def test_a_game_with_its_own_sample_needs_its_own_graph(tmp_path):
    model = toy("gan")

    class Own(type(model.game)):
        def sample(self, z, condition, requested=None):  # noqa: ARG002
            return {VALUES: self.values(z, condition).flip(0)}

    model.game.__class__ = Own
    with pytest.raises(InputError, match="in a way that has no graph"):
        export(model, tmp_path / "g.onnx")


def test_nets_that_pytorch_cannot_trace_are_refused(tmp_path):
    model = toy("gan")

    class Asking(torch.nn.Module):
        def forward(self, z, label=None):  # noqa: ARG002
            return z.new_zeros(int(z.sum().item()) + len(z), 3, 8, 8)

    model.game.G = Asking()
    model.game.register_parameter("none", torch.nn.Parameter(torch.zeros(1)))
    with pytest.raises(InputError, match="recipe 'gan' cannot be exported") as error:
        export(model, tmp_path / "g.onnx")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "r3gan_mlp",
            {"in_bytes": True},
            "--bytes was given, but recipe 'r3gan_mlp' generates points, which are not stored",
        ),
        ("dcgan", {"reverse": True}, "--reverse was given for recipe 'dcgan': it generates from noise"),
        ("srgan", {"reverse": True}, "--reverse was given for recipe 'srgan': it "),
        ("dcgan", {"prune": 1.5}, "--prune 1.5 is out of range"),
        ("dcgan", {"format": "onyx"}, "--format onyx is unknown; did you mean 'onnx'"),
        ("dcgan", {"format": "safetensors"}, "cannot write safetensors as '.onnx'; name it .safetensors"),
    ],
)
def test_unusable_requests(name, options, message, tmp_path):
    with pytest.raises(InputError, match=message):
        export(toy(name), tmp_path / "m.onnx", **options)
    assert not list(tmp_path.iterdir())


def test_one_file_is_the_whole_model(tmp_path):
    """Its samples are the same, with --half nearly the same; it can be exported again."""
    run_ = tmp_path / "run"
    model = sparring.train("dcgan", "digits", steps=2, quiet=True, device="cpu", out=run_, width=8, z=8, batch=8)
    export(run_, tmp_path / "m.safetensors")
    export(run_, tmp_path / "h.safetensors", half=True)
    again, half = (sparring.load(tmp_path / f"{name}.safetensors") for name in "mh")
    assert again.about == model.about
    assert np.array_equal(again.sample(5, seed=1).items, model.sample(5, seed=1).items)
    assert np.abs(half.sample(5, seed=1).items.astype(int) - model.sample(5, seed=1).items).max() <= 2
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in "mh"]
    assert sizes[1] < 0.6 * sizes[0]
    export(tmp_path / "h.safetensors", tmp_path / "h.onnx")
    with pytest.raises(InputError, match="--int8 is for --format onnx"):
        export(run_, tmp_path / "i.safetensors", int8=True)


def test_the_default_name(tmp_path, monkeypatch):
    """Next to the run with its name, without the suffix of a model in one file; never the model itself."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sparring.deploy.export._write_graph", lambda _model, _options, place, _screen: place)
    model = toy("gan")
    model.save("c.safetensors")
    model.save("v1.5")
    assert str(export("c.safetensors")) == "c.onnx"
    assert str(export(tmp_path / "v1.5")) == str(tmp_path / "v1.5.onnx")
    before = (tmp_path / "c.safetensors").read_bytes()
    with pytest.raises(InputError, match=r"c\.safetensors is the model that is exported; name another file with -o"):
        export("c.safetensors", format="safetensors", half=True, force=True)
    assert (tmp_path / "c.safetensors").read_bytes() == before


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"nonsense")
    with pytest.raises(InputError, match=r"bad.safetensors is damaged"):
        sparring.load(tmp_path / "bad.safetensors")
    from safetensors.torch import save_file

    save_file({"x": torch.zeros(1)}, tmp_path / "alone.safetensors")
    with pytest.raises(InputError, match="holds only weights"):
        sparring.load(tmp_path / "alone.safetensors")
