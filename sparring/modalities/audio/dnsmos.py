"""DNSMOS, what listeners would say of speech, by the net in the package speechmos. Reddy et al. 2022,
arXiv:2110.01763.
"""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sparring.modalities.audio.decoding import resampled

RATE = 16_000
LENGTH = 144_160  # samples that the net takes; shorter sounds are repeated
OVERALL = (-0.06766283, 1.11546468, 0.04602535)  # of the polynomial that maps the net's output to opinions
MODEL = Path("dnsmos_models") / "sig_bak_ovr.onnx"


def installed() -> bool:
    return all(importlib.util.find_spec(name) is not None for name in ("speechmos", "onnxruntime", "soxr"))


@cache
def _session() -> Any:
    import onnxruntime

    found = importlib.util.find_spec("speechmos")
    assert found is not None
    assert found.origin is not None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    return onnxruntime.InferenceSession(
        str(Path(found.origin).parent / MODEL), options, providers=["CPUExecutionProvider"]
    )


def overall(waves: Tensor, rate: int) -> Tensor:
    """Overall quality of sounds (n, channels, length), about 1 to 5: (n,)."""
    session, scores = _session(), []
    for sound in waves.mean(1).numpy():
        at_rate = resampled(np.ascontiguousarray(sound[:, None], np.float32), rate, RATE)[:, 0]
        repeated = np.resize(at_rate, LENGTH).astype(np.float32)
        raw = session.run(None, {session.get_inputs()[0].name: repeated[None]})[0][0, 2]
        scores.append(np.polyval(OVERALL, raw))
    return torch.tensor(np.array(scores))
