"""Sentences that people wrote, for tests: those of the documentation of libraries."""

import inspect
import re
from functools import cache

import numpy as np
import pandas as pd
import scipy.signal
import scipy.stats
import torch

MODULES = (
    np, np.linalg, np.random, np.ma, np.ndarray, pd.DataFrame, pd.Series, scipy.signal, scipy.stats, torch, torch.nn,
    torch.nn.functional, torch.optim, torch.linalg, torch.Tensor,
)  # fmt: skip
SENTENCE = re.compile(r"(?:(?<=\. )|^)[A-Z][a-z]*(?: [a-z]{1,14},?){4,20}\.", re.MULTILINE)


@cache
def sentences():
    """Over a thousand different sentences of plain words, in random order."""
    found = {}
    for module in MODULES:
        for name in sorted(dir(module)):
            text = inspect.getdoc(getattr(module, name)) or ""
            for sentence in SENTENCE.findall(re.sub(r"(?<=\S)\s*\n\s*(?=[a-z])", " ", text)):
                found[sentence] = None
    order = np.random.default_rng(0).permutation(len(found))
    known = list(found)
    return [known[i] for i in order]
