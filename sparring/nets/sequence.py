"""Recurrent language models of token sequences, and a discriminator of what sequences stand for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

END = 0  # the token after the last one of a sequence, and all after it
CHECK_EVERY = 8  # steps between checks whether all sequences have ended


class LanguageModel(nn.Module):
    """The distribution of the next token of a sequence, by gated recurrent units. Cho et al. 2014, arXiv:1406.1078.

    Sequences are codes int64 (n, length): 1 to `tokens`, and 0 after the end. The last code is always 0: a sequence
    that fills the length is cut there, and whether it would have ended is not learned.

    Args:
        tokens: number of tokens.
        embedding: length of a token's vector.
        width: units of a layer.
        depth: number of layers.
        dropout: share of the units that are dropped during training, before each layer and the output.
        condition: numbers that sequences are conditioned on; NaN where a number is free.
        classes: number of classes that sequences are conditioned on instead; 0 for none.
        ends: False for sequences that all fill the length.
        core: from the length of an input, a net in place of the gated recurrent units: vectors (n, length, inputs) and
            a state or None -> outputs (n, length, width) and the state after them.
        tied: the output layer has the vectors of the tokens as its weights. Press and Wolf 2016, arXiv:1608.05859.
    """

    def __init__(
        self,
        tokens: int,
        embedding: int,
        width: int,
        depth: int,
        dropout: float = 0.0,
        condition: int = 0,
        classes: int = 0,
        tied: bool = False,
        ends: bool = True,
        core: Callable[[int], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        self.start = tokens + 1
        self.embedding = nn.Embedding(tokens + 2, embedding)
        inputs = embedding + 2 * condition + classes
        units = partial(nn.GRU, num_layers=depth, batch_first=True, dropout=dropout * (depth > 1))
        self.net = units(inputs, width) if core is None else core(inputs)
        self.dropout = nn.Dropout(dropout)
        self.end = nn.Linear(width, embedding if tied else tokens + 1)
        self.bias = nn.Parameter(torch.zeros(tokens + 1)) if tied else None
        if tied:
            nn.init.normal_(self.embedding.weight, std=embedding**-0.5)
        self.condition, self.classes, self.ends = condition, classes, ends

    def forward(self, codes: Tensor, condition: Tensor | None = None) -> Tensor:
        """Logits (n, length, tokens + 1) of each code, given those before it."""
        return self._logits(self._hidden(codes, condition))

    def _hidden(self, codes: Tensor, condition: Tensor | None) -> Tensor:
        before = F.pad(codes[:, :-1], (1, 0), value=self.start)
        hidden: Tensor = self.dropout(self.net(self._inputs(before, condition))[0])
        return hidden

    def _logits(self, hidden: Tensor) -> Tensor:
        logits: Tensor = self.end(hidden)
        if self.bias is not None:
            logits = F.linear(logits, self.embedding.weight[: self.start], self.bias)
        return logits if self.ends else F.pad(logits[..., 1:], (1, 0), value=-torch.inf)

    def negative_log_likelihood(self, codes: Tensor, condition: Tensor | None = None) -> Tensor:
        """Of each sequence up to its end, (n,)."""
        return self.losses(codes, condition).sum(1)

    def losses(self, codes: Tensor, condition: Tensor | None = None) -> Tensor:
        """Negative log likelihood of each code up to the end of its sequence, (n, length or shorter); 0 after it."""
        codes, known = codes[:, :-1], until_end(codes)[:, :-1]
        if codes.device.type != "cpu":
            logits = self(codes, condition).float()
            return F.cross_entropy(logits.transpose(1, 2), codes, reduction="none") * known
        # On a CPU, places that do not count cost more than shapes that change.
        longest = int(known.sum(1).amax())
        codes, known = codes[:, :longest], known[:, :longest]
        logits = self._logits(self._hidden(codes, condition)[known]).float()  # (codes that count, tokens + 1)
        counted = F.cross_entropy(logits, codes[known], reduction="none")
        return torch.zeros(codes.shape, device=codes.device).masked_scatter(known, counted)

    def sample(
        self,
        uniform: Tensor,
        condition: Tensor | None = None,
        temperature: float = 1.0,
        prompt: Tensor | None = None,
    ) -> Tensor:
        """Sequences (n, length), each token the quantile of its distribution at a number in [0, 1).

        Args:
            uniform: numbers (n, length).
            temperature: divides the logits.
            prompt: the first codes of the sequences, (n, length at most), negative where they are drawn; None to draw
                all.
        """
        n, length = uniform.shape
        codes = torch.zeros(n, length, dtype=torch.int64, device=uniform.device)
        code, hidden = torch.full((n, 1), self.start, device=uniform.device), None
        ended = torch.zeros(n, dtype=torch.bool, device=uniform.device)
        for i in range(length - 1):
            output, hidden = self.net(self._inputs(code, condition), hidden)
            shares = (self._logits(output[:, 0]).float() / temperature).softmax(1).cumsum(1)
            drawn = (shares <= uniform[:, i, None]).sum(1).clamp(max=shares.shape[1] - 1)
            if prompt is not None and i < prompt.shape[1]:
                drawn = torch.where(prompt[:, i] < 0, drawn, prompt[:, i])
            drawn = torch.where(ended, END, drawn)
            codes[:, i] = drawn
            ended = ended | (drawn == END)
            if i % CHECK_EVERY == CHECK_EVERY - 1 and bool(ended.all()):
                break
            code = drawn[:, None]
        return codes

    def relaxed(self, gumbel: Tensor, condition: Tensor | None, sharpness: float | Tensor) -> Tensor:
        """Sequences that can be differentiated: for each place the shares of all codes, (n, length, tokens + 1), nearly
        one-hot for large sharpness. Jang et al. 2016, arXiv:1611.01144.

        Args:
            gumbel: noise (n, length, tokens + 1), which makes the largest share a draw.
            sharpness: factor of the logits and the noise.
        """
        n, length, codes = gumbel.shape
        ended = F.one_hot(torch.zeros(n, dtype=torch.int64, device=gumbel.device), codes).to(gumbel.dtype)
        over = torch.zeros(n, 1, dtype=torch.bool, device=gumbel.device)
        x, hidden = self._inputs(torch.full((n, 1), self.start, device=gumbel.device), condition), None
        places = []
        for i in range(length - 1):
            output, hidden = self.net(x, hidden)
            shares = (sharpness * (self._logits(output[:, 0]).float() + gumbel[:, i])).softmax(1)
            shares = torch.where(over, ended, shares)
            over = over | (shares.argmax(1, keepdim=True) == END)
            places.append(shares)
            x = self._with_condition((shares @ self.embedding.weight[:codes])[:, None], condition)
        return torch.stack([*places, ended], 1)

    def _inputs(self, codes: Tensor, condition: Tensor | None) -> Tensor:
        """Vectors of tokens, with the conditions and which of them are given."""
        return self._with_condition(self.embedding(codes), condition)

    def _with_condition(self, x: Tensor, condition: Tensor | None) -> Tensor:
        x = self.dropout(x)
        if self.classes and condition is not None:
            given_class = F.one_hot(condition, self.classes).to(x.dtype)
            return torch.cat([x, given_class[:, None].expand(-1, x.shape[1], -1)], 2)
        if not self.condition:
            return x
        if condition is None:
            condition = torch.full((len(x), self.condition), torch.nan, device=x.device)
        given = ~condition.isnan()
        both = torch.cat([condition.nan_to_num(0.0), given.to(condition.dtype)], 1).to(x.dtype)
        return torch.cat([x, both[:, None].expand(-1, x.shape[1], -1)], 2)


def until_end(codes: Tensor) -> Tensor:
    """True for the codes of a sequence and its first end, (n, length)."""
    ended: Tensor = (codes == END).cumsum(1) - (codes == END).long()
    before: Tensor = ended == 0
    return before
