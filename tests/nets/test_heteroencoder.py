"""The autoencoder of sequences: the decoder writes the most likely tokens, codes have their noise."""

import torch

from sparring.nets.heteroencoder import Decoder, Encoder
from sparring.nets.sequence import until_end

TOKENS, LENGTH = 4, 7


def test_the_decoder_writes_the_most_likely_tokens():
    torch.manual_seed(0)
    decoder = Decoder(TOKENS, 3, 16, 5, LENGTH)
    torch.nn.init.normal_(decoder.end.bias, std=0.3)
    code = 3 * torch.randn(60, 5)
    written = decoder(code)
    assert written.unique(dim=0).shape[0] > 5
    before = torch.nn.functional.pad(written[:, :-1], (1, 0), value=decoder.start)
    hidden, _ = decoder.net(decoder._inputs(before, code), decoder._state(code))
    likeliest = decoder.end(hidden).argmax(2)
    known = until_end(written)
    known[:, -1] = False  # the last place is always the end
    assert torch.equal(written[known], likeliest[known])
    assert not written[~until_end(written)].any()


def test_likelihoods_of_all_sequences_add_up_to_one():
    torch.manual_seed(0)
    decoder, code = Decoder(2, 3, 8, 5, 3), torch.randn(1, 5)
    ends = [(0, 0, 0), *((a, 0, 0) for a in (1, 2)), *((a, b, c) for a in (1, 2) for b in (1, 2) for c in (0, 1, 2))]
    sequences = torch.tensor(ends)
    likelihoods = (-decoder.negative_log_likelihood(sequences, code.expand(len(sequences), -1))).exp()
    assert abs(likelihoods.sum().item() - 1) < 1e-5


def test_codes_depend_on_the_sequence_and_have_the_noise_that_is_given():
    torch.manual_seed(0)
    encoder = Encoder(TOKENS, 3, 8, 5, 0.1)
    mean, log_variance = encoder(torch.tensor([[1, 2, 0, 0], [2, 1, 0, 0], [1, 2, 3, 0]]))
    assert mean.shape == (3, 5)
    assert torch.allclose((log_variance / 2).exp(), torch.full((3, 5), 0.1))
    assert (mean[0] - mean[1]).abs().max() > 1e-3
    assert (mean[0] - mean[2]).abs().max() > 1e-3
