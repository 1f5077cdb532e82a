"""Latent GANs: which nets each phase moves, the scale of codes, and samples as decoded codes."""

from functools import partial

import pytest
import torch
from torch import nn
from toys import played, state

import sparring
from sparring import recipes
from sparring.deploy.prune import chains
from sparring.errors import InputError
from sparring.evaluation import evaluate
from sparring.games.autoencoder import Autoencoder
from sparring.games.latent import LatentGAN, Nets, Weights
from sparring.games.prior import normal
from sparring.games.terms import R1
from sparring.losses.adversarial import relativistic
from sparring.nets import autoencoder, codes, mlp
from sparring.nets.patchgan import PatchGAN

ADAM = partial(torch.optim.Adam, lr=0.005)
SIZES = (8, 1, 2, 8, 1)  # size, channels, code channels, width, halvings
CODE = (2, 4, 4)


def latent_gan():
    torch.manual_seed(0)
    nets = Nets(
        autoencoder.Encoder(*SIZES), autoencoder.Decoder(*SIZES), PatchGAN(1, width=4, layers=1, norm="none"),
        nn.BatchNorm2d(2, affine=False),
    )  # fmt: skip
    G, D = mlp.Generator(3, CODE, (16,), False, "leaky", "linear"), mlp.Discriminator(CODE, (16,))
    return LatentGAN(
        nets, Weights(patches=0.01, kl=1e-4), G, D, loss=relativistic(), prior=normal(3), terms=[R1(1.0)]
    )  # fmt: skip


def pictures(number, shard):
    place = torch.Generator().manual_seed(1000 * number + shard)
    a, b = torch.rand(2, 16, 1, 1, 1, generator=place) - 0.5
    i, j = torch.meshgrid(torch.linspace(-1, 1, 8), torch.linspace(-1, 1, 8), indexing="ij")
    return {"values": a * i + b * j, "held values": a * i - b * j}


def moved(game, players):
    before = state(game)
    list(played(game, players, 2, pictures))
    return {name.split(".")[0] for name, t in state(game).items() if not torch.equal(t, before[name])}


def coding(game):
    return game.autoencoding(ADAM, lambda _: {})


def test_each_phase_moves_its_own_nets():
    """The second phase leaves the autoencoder as it is, and the scale of its codes too."""
    game = latent_gan()
    assert moved(game, coding(game)) == {"E", "R", "P", "scale"}
    assert moved(game, game.players(ADAM, ADAM)) == {"G", "D"}


def test_the_autoencoder_learns_and_codes_are_scaled():
    game = latent_gan()
    records = list(played(game, coding(game), 300, pictures))
    assert records[-1].observed["absolute_error"] < records[0].observed["absolute_error"] / 3
    x = torch.cat([pictures(number, 1)["values"] for number in range(30)])
    with torch.no_grad():
        code = game.encode(x, None)
        assert (game.reconstruct(x, None) - x).abs().mean() < x.abs().mean() / 3
        torch.testing.assert_close(game.decode(code, None), game.R(game.E(x)[0]))
    assert code.mean((0, 2, 3)).abs().max() < 0.3
    assert (code.std((0, 2, 3)) - 1).abs().max() < 0.3


def test_d_compares_codes_and_judges_samples():
    """D in the game gets codes; `discriminator` takes samples, encodes them and returns the same logits."""
    game = latent_gan()
    seen = []
    game.D.register_forward_pre_hook(lambda _, inputs: seen.append(tuple(inputs[0].shape[1:])))
    (record,) = played(game, game.players(ADAM, ADAM), 1, pictures)
    assert set(seen) <= {CODE}
    assert "D_held" in record.observed
    x = pictures(0, 0)["values"]
    with torch.no_grad():
        torch.testing.assert_close(game.discriminator()(x), game.D(game.encode(x, None)))
        z = torch.randn(5, 3)
        torch.testing.assert_close(game.values(z, None), game.decode(game.G(z), None))


def test_the_decoder_is_what_pruning_narrows():
    """Its channels can be removed: a sample costs more there than in G."""
    game = latent_gan()
    (net,) = game.generators()
    assert net.name == "R"
    assert chains(game.R)
    assert net.run(torch.randn(2, 3), None).shape == (2, 1, 8, 8)


@pytest.mark.parametrize(("size", "side"), [(5, 3), (8, 4), (12, 6), (28, 7), (31, 8), (32, 4), (64, 8), (100, 13)])
def test_images_of_any_size_have_codes(size, side):
    halvings = autoencoder.halvings_of(size, 3)
    assert autoencoder.code_side(size, halvings) == side
    mean, log_variance = autoencoder.Encoder(size, 3, 5, 4, halvings)(torch.zeros(2, 3, size, size))
    assert mean.shape == log_variance.shape == (2, 5, side, side)
    assert autoencoder.Decoder(size, 3, 5, 4, halvings)(mean).shape == (2, 3, size, size)
    code = codes.Generator(6, side, 5, 4)(torch.randn(2, 6))
    assert code.shape == mean.shape
    assert codes.Discriminator(side, 5, 4)(code).shape == (2,)


def test_what_does_not_go_together():
    for name, value, why in [("autoencoding", 1.0, "leaves no time to train G"), ("augment", "ada", "D judges codes")]:
        with pytest.raises(InputError, match=why):
            recipes.find("latent").set({name: value})


SMALL = {"latent": {"width": 8, "coder": 8}, "vae": {"width": 8}, "vaegan": {"width": 8}}


@pytest.mark.usefixtures("brief_classifiers")
@pytest.mark.parametrize(("name", "labels"), [("latent", False), ("latent", True), ("vae", True), ("vaegan", False)])
def test_reconstruction_stands_beside_every_number(name, labels, tmp_path):
    """The metrics of held-out images, encoded and decoded, are a column."""
    fields = {"z": 8, "batch": 16, "labels": labels, "out": tmp_path / "run", "quiet": True, **SMALL[name]}
    model = sparring.train(name, "digits", steps=20, **fields)
    assert isinstance(model.game, Autoencoder)
    evaluation = evaluate(model, samples=200)
    assert evaluation.head == ["metric", "samples", "real", "baseline", "reconstruction"]
    given_by_conditions = {"conditional_accuracy[classifier]"}
    missing = {number.name for number, others in evaluation.rows() if others[2] is None}
    assert not missing - given_by_conditions
    assert "reconstruction: the same other real ones" in evaluation.protocol
    assert evaluation.of_baseline("reconstruction", "fid[patches]") > evaluation.of_real("fid[patches]")


@pytest.mark.usefixtures("brief_classifiers")
def test_perfect_reconstructions_have_the_metrics_of_real_items(tmp_path):
    model = sparring.train(
        "latent", "digits", out=tmp_path / "run", steps=2, quiet=True, labels=False, **SMALL["latent"]
    )
    model.game.reconstruct = lambda x, condition: x  # noqa: ARG005
    evaluation = evaluate(model, samples=100)
    for name in ("fid[patches]", "coverage[patches]", "sharpness"):
        assert evaluation.of_baseline("reconstruction", name) == pytest.approx(evaluation.of_real(name), rel=1e-4)


@pytest.mark.usefixtures("brief_classifiers")
def test_no_reconstruction_without_an_autoencoder(tmp_path):
    model = sparring.train("gan", "digits", out=tmp_path / "run", steps=2, quiet=True, G=(8,), D=(8,), labels=False)
    assert model.autoencoder() is None
    evaluation = evaluate(model, samples=50)
    assert "reconstruction" not in evaluation.head
    assert "reconstruction" not in evaluation.protocol
