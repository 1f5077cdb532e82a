"""Language models of sequences."""

import math

import torch

from sparring.nets.sequence import END, LanguageModel, until_end


def trained(sequences, steps=300, condition=None):
    torch.manual_seed(0)
    net = LanguageModel(3, 8, 24, 1, condition=0 if condition is None else condition.shape[1])
    codes = torch.tensor(sequences)
    optimizer = torch.optim.Adam(net.parameters(), 1e-2)
    for _ in range(steps):
        loss = net.negative_log_likelihood(codes, condition).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net.eval(), float(loss.detach())


def test_only_codes_up_to_the_end_count():
    codes = torch.tensor([[1, 2, 0, 0], [3, 0, 0, 0], [0, 0, 0, 0]])
    expected = [[True, True, True, False], [True, True, False, False], [True, False, False, False]]
    assert until_end(codes).tolist() == expected
    net = LanguageModel(3, 4, 8, 2)
    by_hand = net(codes).log_softmax(2).gather(2, codes[..., None])[..., 0] * torch.tensor(expected)
    assert torch.allclose(net.negative_log_likelihood(codes), -by_hand.sum(1), atol=1e-6)


def test_logits_depend_on_earlier_codes_alone():
    net = LanguageModel(3, 4, 8, 1)
    a, b = torch.tensor([[1, 2, 3, 0]]), torch.tensor([[1, 2, 1, 2]])
    assert torch.equal(net(a)[:, :3], net(b)[:, :3])
    assert not torch.equal(net(a)[:, 3], net(b)[:, 3])


def test_samples_have_the_frequencies_of_the_data():
    net, loss = trained([[1, 2, 0, 0]] * 3 + [[3, 3, 3, 0]])
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert abs(loss - entropy) < 0.02
    torch.manual_seed(0)
    codes = net.sample(torch.rand(2000, 4))
    first = (codes == torch.tensor([1, 2, 0, 0])).all(1).float().mean()
    second = (codes == torch.tensor([3, 3, 3, 0])).all(1).float().mean()
    assert abs(first - 0.75) < 0.04
    assert abs(second - 0.25) < 0.04
    assert torch.equal(net.sample(torch.full((2, 4), 0.3)), net.sample(torch.full((2, 4), 0.3)))
    assert (net.sample(torch.ones(2, 4))[:, -1] == END).all()


def test_samples_follow_their_condition_and_are_mixed_where_it_is_free():
    condition = torch.tensor([[-1.0], [1.0], [torch.nan], [torch.nan]])
    net, _ = trained([[1, 0, 0], [2, 0, 0], [1, 0, 0], [2, 0, 0]], condition=condition)
    torch.manual_seed(0)
    for value, codes in ((-1.0, {1}), (1.0, {2}), (math.nan, {1, 2})):
        drawn = net.sample(torch.rand(100, 3) * 0.98, torch.full((100, 1), value))
        assert set(drawn[:, 0].tolist()) == codes
    assert set(net.sample(torch.rand(100, 3) * 0.98)[:, 0].tolist()) == {1, 2}


def test_prompts_are_kept_and_the_rest_is_drawn():
    net, _ = trained([[1, 2, 0, 0]] * 3 + [[3, 3, 3, 0]])
    torch.manual_seed(0)
    prompt = torch.tensor([[3, -1], [-1, 2], [1, 0], [2, 1]]).repeat(50, 1)
    codes = net.sample(torch.rand(200, 4), prompt=prompt)
    assert (codes[0::4, 0] == 3).all()
    assert (codes[0::4, 1] == 3).float().mean() > 0.9
    assert (codes[1::4, 1] == 2).all()
    assert (codes[2::4] == torch.tensor([1, 0, 0, 0])).all()  # nothing follows an end
    assert (codes[3::4, :2] == torch.tensor([2, 1])).all()


def test_sequences_without_ends_fill_the_length():
    net = LanguageModel(3, 4, 8, 1, tied=True, ends=False)
    codes = net.sample(torch.rand(50, 6))
    assert (codes[:, :5] > 0).all()
    assert (codes[:, 5] == END).all()
    net.negative_log_likelihood(codes).sum().backward()
    assert all(torch.isfinite(weight.grad).all() for weight in net.parameters())


def test_classes_condition_sequences():
    torch.manual_seed(0)
    net = LanguageModel(2, 4, 8, 1, classes=2)
    codes, classes = torch.tensor([[1, 0], [2, 0]]), torch.tensor([0, 1])
    optimizer = torch.optim.Adam(net.parameters(), 2e-2)
    for _ in range(100):
        loss = net.negative_log_likelihood(codes, classes).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert net.sample(torch.full((2, 2), 0.5), classes)[:, 0].tolist() == [1, 2]
