"""The nets of items of several parts: what reaches which head."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sparring.games.joint import JointGAN
from sparring.games.prior import normal
from sparring.layers.parts import Parts
from sparring.layers.spans import Spans
from sparring.loop import Player, Round
from sparring.losses.adversarial import relativistic
from sparring.modalities.joint.conditions import random_fields
from sparring.nets import dcgan, joint, table
from sparring.nets.choices import Choices
from sparring.nets.discriminator import Discriminator as Base
from sparring.seeds import Seeds

PICTURE, COLUMNS = (3, 8, 8), (0, 0, 1, 1, 1)  # two columns of 2 and 3 values
PARTS = Parts((PICTURE, (5,)), ((), COLUMNS))


class Rows(Choices):
    """A head of rows without noise."""

    stage = 0

    def __init__(self, code):
        super().__init__()
        self.layer = nn.Linear(code, 5)

    def surprise(self, z, real):  # noqa: ARG002
        return real * torch.arange(1.0, 6.0), real  # costs 1 to 5

    def forward(self, z):
        return torch.cat([F.softmax(part, 1) for part in self.layer(z).split([2, 3], 1)], 1)


class Counted(nn.Module):
    """An encoder that counts its calls."""

    def __init__(self, width):
        super().__init__()
        self.layer, self.calls = nn.Linear(width, joint.EMBEDDING), 0

    def forward(self, x):
        self.calls += 1
        return self.layer(x.flatten(1))


def generator():
    torch.manual_seed(0)
    heads = [dcgan.Generator(8 + 4, 8, 3, 4), Rows(8)]
    encoders = [Counted(192), Counted(5)]
    return joint.Generator(PARTS, 6, heads, [4, 0], encoders, 8, 16, 1, joint.stages(heads))


class Texts(Rows):
    """A head of the second stage."""

    stage = 1


def real(n):
    columns = [F.one_hot(torch.randint(k, (n,)), k).float() for k in (2, 3)]
    return torch.cat([torch.randn(n, 192), *columns], 1)


def row(values):
    return values[:, 192:]


def fields_of(rows):
    return torch.tensor(rows, dtype=torch.float32)


def test_codes_of_pictures_differ_by_samples_only():
    """A mean of the codes is a fixed pattern of the picture, which batch norm counts as variance: G collapses."""
    G = generator()
    kept = {}
    G.heads[0].register_forward_pre_hook(lambda _, inputs: kept.update(code=inputs[0]))
    for end in G.ends:
        nn.init.constant_(end[0].bias, 5.0)
    condition = PARTS.condition(torch.zeros(64, 3), torch.ones(64, 2), real(64))
    G.train()(torch.randn(64, 10), condition)
    code = kept["code"][:, :8]
    assert code.mean(0).abs().max() < 1e-4
    assert torch.allclose(code.std(0, correction=0), torch.full((8,), 2 * joint.CODE), atol=1e-2)


def test_codes_are_small_if_little_tells_of_a_picture():
    """Pictures of one class would follow a large code instead of their own latents, and be alike."""
    sizes = [joint._norm(nn.Identity(), 64, fields)[1].factor for fields in (1, 2, 13)]
    assert sizes == [joint.CODE, 2 * joint.CODE, 1.0]


def test_given_parts_of_one_field_are_encoded_once():
    G = generator().eval()
    values, z = real(6), torch.randn(6, 10)
    condition = PARTS.condition(fields_of([[1, 0, 0], [0, 1, 1], [0, 0, 1]] * 2), torch.ones(6, 2), values)
    expected = G(z, condition)
    vectors = G.encoded(values)
    before = G.encoders[0].calls
    assert torch.allclose(G(z, condition, vectors), expected, atol=1e-6)
    assert G.encoders[0].calls == before


def test_rows_are_learned_from_every_item(monkeypatch):
    """If no other part is given, all are; a row that is given as a whole is hidden."""
    monkeypatch.setattr(joint, "ALONE", 0.0)
    G = generator().eval()
    values, z = real(4), torch.randn(4, 10)
    fields = fields_of([[0, 0, 0], [0, 1, 1], [1, 1, 0], [0, 1, 0]])
    condition = PARTS.condition(fields, torch.ones(4, 2), values)
    code, unknown = G.code_given_others(1, z, condition, G.encoded(values), row(values))
    assert unknown.tolist() == [[1, 1], [1, 1], [0, 1], [0, 1]]
    asked = fields_of([[1, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 0]])
    kept = {}
    G.heads[1].register_forward_pre_hook(lambda _, inputs: kept.update(code=inputs[0]))
    G(z, PARTS.condition(asked, torch.ones(4, 2), values))
    assert torch.allclose(kept["code"], code, atol=1e-6)


@pytest.mark.parametrize("apart", [False, True])
def test_later_parts_are_learned_in_the_state_in_which_they_are_made(apart):
    """A text is made when the row has been: it is learned with the row given, whatever the condition gives."""
    parts = Parts((PICTURE, (5,), (5,)), ((), COLUMNS, ()))
    torch.manual_seed(0)
    heads = [dcgan.Generator(8 + 4, 8, 3, 4), Rows(8), Texts(8)]
    order = joint.stages(heads)
    assert order == [[1], [2], [0]]
    encoders = [Counted(192), Counted(5), Counted(5)]
    G = joint.Generator(parts, 6, heads, [4, 0, 0], encoders, 8, 16, 1, order, apart).eval()
    values, z = torch.cat([real(2), real(2)[:, 192:]], 1), torch.randn(2, sum(G.latents))
    condition = parts.condition(fields_of([[1, 0, 0, 0]] * 2), torch.ones(2, 3), values)
    code, unknown = G.code_given_others(2, z, condition, G.encoded(values), values[:, 197:])
    assert unknown.tolist() == [[1], [1]]
    kept = {}
    G.heads[2].register_forward_pre_hook(lambda _, inputs: kept.update(code=inputs[0]))
    G(z, parts.condition(fields_of([[1, 1, 1, 0]] * 2), torch.ones(2, 3), values))
    assert torch.allclose(kept["code"], code, atol=1e-6)


def test_some_rows_are_learned_alone_given_random_columns(monkeypatch):
    monkeypatch.setattr(joint, "ALONE", 1.0)
    G = generator().eval()
    values, z = real(200), torch.randn(200, 10)
    other = torch.cat([torch.randn(200, 192), row(values)], 1)
    condition = PARTS.condition(
        fields_of([[0, 1, 1], [0, 0, 0], [1, 0, 0], [1, 1, 1]] * 50), torch.ones(200, 2), values
    )
    torch.manual_seed(0)
    code, unknown = G.code_given_others(1, z, condition, G.encoded(values), row(values))
    torch.manual_seed(0)
    changed, _ = G.code_given_others(1, z, condition, G.encoded(other), row(other))
    same = (code - changed).abs().amax(1) < 1e-6
    assert same.tolist() == [True, True, False, False] * 50
    assert {tuple(fields) for fields in unknown[same].tolist()} == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert (unknown[~same] == 1).all()


def test_parts_that_are_not_there_tell_nothing(monkeypatch):
    monkeypatch.setattr(joint, "ALONE", 0.0)
    G = generator().eval()
    values, z = real(2), torch.randn(2, 10)
    condition = PARTS.condition(torch.zeros(2, 3), fields_of([[0, 1], [1, 0]]), values)
    other = torch.cat([torch.randn(2, 192), values[:, 192:]], 1)
    code, unknown = G.code_given_others(1, z, condition, G.encoded(values), row(values))
    assert unknown.tolist() == [[1, 1], [0, 0]]
    changed, _ = G.code_given_others(1, z, condition, G.encoded(other), row(other))
    assert torch.allclose(code[0], changed[0])
    assert not torch.allclose(code[1], changed[1])


class Flat(Base):
    """A judge whose features are the part itself."""

    def __init__(self, length):
        super().__init__()
        self.length, self.head = length, nn.Linear(length, 1)

    def features(self, x, label=None):  # noqa: ARG002
        return x.flatten(1)

    def judge(self, h, label=None):  # noqa: ARG002
        return self.head(h).squeeze(1)


def test_the_logit_of_all_parts_has_their_inner_products():
    D = joint.Discriminator(PARTS, [Flat(192), Flat(5)], 16)
    for parameter in D.joint.parameters():
        nn.init.zeros_(parameter)
    values = real(4)
    first, second = (embed(x) for embed, x in zip(D.embed, (values[:, :192], values[:, 192:]), strict=True))
    assert torch.allclose(D(values)[0], (first * second).sum(1) / joint.EMBEDDING**0.5, atol=1e-5)


@pytest.mark.parametrize("owners", [COLUMNS, ()])
def test_rows_are_often_all_that_is_given(owners):
    parts = Parts((PICTURE, (5,)), ((), owners))
    torch.manual_seed(0)
    fields = random_fields(parts, torch.ones(4000, 2))
    only = (fields[:, 0] == 0) & (fields[:, 1:] == 1).all(1)
    assert float(only.float().mean()) == pytest.approx(0.55 if owners else 0.175, abs=0.03)
    assert float((fields.sum(1) == 0).float().mean()) > 0.15


def begun(game, values, condition, step=0):
    """A round in which it is G's turn; the random numbers that follow are those of the step."""
    round = Round({"values": values, "condition": condition}, torch.zeros(()), Seeds(), (0, step))
    round.begin(Player("G", game.G_losses, torch.optim.SGD(game.G.parameters(), 0.1), (game.G,)), [])
    return round


def test_only_what_is_to_be_found_has_a_likelihood():
    """The costs of the heads are 1 to 5 for their five values, of two columns."""
    G = generator()
    D = joint.Discriminator(PARTS, [Flat(192), Flat(5)], 16)
    game = JointGAN(G, D, relativistic(), normal(10), read=2.0, conditional=True)
    values = torch.cat([torch.randn(2, 192), torch.tensor([[1.0, 0, 0, 0, 1], [0, 1.0, 0, 1, 0]])], 1)
    condition = PARTS.condition(fields_of([[0, 0, 1], [1, 0, 0]]), torch.ones(2, 2), values)
    round = begun(game, values, condition)
    expected = (1 + 2 + 4) / 3  # the second column of the first item is given
    assert float(game.G_losses(round)["read"]) == pytest.approx(2 * expected)
    assert G.encoders[0].calls == 1  # for the samples and for the likelihood


def test_columns_of_rows_are_drawn_one_after_the_other(monkeypatch):
    """Two columns that are always equal are equal in samples, and as frequent as in the data, by likelihood alone."""
    monkeypatch.setattr(joint, "ALONE", 1.0)
    torch.manual_seed(0)
    n, parts = 1000, Parts((PICTURE, (4,)), ((), (0, 0, 1, 1)))
    rows = joint.Unasked(table.Generator(8, Spans((2, 2), ()), 16, 1), 2)
    heads = [dcgan.Generator(8 + 4, 8, 3, 4), rows]
    G = joint.Generator(parts, 6, heads, [4, 4], [Counted(192), Counted(4)], 8, 16, 1, joint.stages(heads))
    game = JointGAN(
        G, joint.Discriminator(parts, [Flat(192), Flat(4)], 8), relativistic(), normal(14), read=1.0, conditional=True
    )
    optimizer = torch.optim.Adam(G.parameters(), 1e-2)
    for step in range(300):
        column = F.one_hot((torch.rand(64) < 0.7).long(), 2).float()
        values = torch.cat([torch.randn(64, 192), column, column], 1)
        round = begun(
            game, values, parts.condition(random_fields(parts, torch.ones(64, 2)), torch.ones(64, 2), values), step
        )
        optimizer.zero_grad()
        game.G_losses(round)["read"].backward()
        optimizer.step()

    def drawn(fields, values):
        z = torch.cat([torch.randn(n, 10), -(-torch.rand(n, 4).log()).log()], 1)
        asked = parts.condition(fields_of([fields] * n), torch.ones(n, 2), torch.tensor([[0.0] * 192 + values] * n))
        with torch.no_grad():
            return [column.argmax(1).float() for column in game.eval().values(z, asked)[:, 192:].split(2, 1)]

    assert not G.with_rows(
        torch.randn(n, 14), parts.condition(torch.zeros(n, 3), torch.ones(n, 2), values[:1].expand(n, -1))
    )[0].requires_grad
    first, second = drawn([0, 0, 0], [0.0] * 4)
    assert (first == second).float().mean() > 0.95
    assert float(first.mean()) == pytest.approx(0.7, abs=0.08)
    first, second = drawn([0, 0, 1], [0.0, 0.0, 1.0, 0.0])
    assert float(second.sum()) == 0
    assert float(first.mean()) < 0.1


def test_D_teaches_numbers_of_rows_and_not_their_choices():
    torch.manual_seed(0)
    spans = Spans((2, 3), ((1, 0),))  # a column of 2 values, and one of numbers in 3 ranges
    rows = joint.Unasked(table.Generator(8, spans, 16, 1), 2)
    row = rows.drawn(torch.randn(4, 8 + 5))
    assert row[:, :5].sum(1).tolist() == [2, 2, 2, 2]
    last = rows.G.end[1]
    row.sum().backward()
    assert last.weight.grad[:5].abs().sum() == 0
    assert (last.weight.grad[5].abs().sum() > 0).all()
