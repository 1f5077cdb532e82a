"""Smaller files: weights in sixteen bits, and in eight."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from sparring.deploy.runtime import onnx, silent
from sparring.errors import InputError, needs

SMALL = 256  # numbers that a weight has at least where its size matters
LARGEST = 65504.0  # in float16
WORTH = 0.9  # of its size a file has at most, once it is quantised
QUANTISED = ["Conv", "ConvTranspose", "Gemm", "MatMul"]


def halved(proto: Any) -> None:
    """Keep a graph's weights in float16. It goes on computing in float32, so that it runs wherever it ran before, with
    nothing lost but digits of weights.
    """
    library = onnx()
    float32 = library.TensorProto.FLOAT
    casts = []
    for weight in proto.graph.initializer:
        if weight.data_type != float32:
            continue
        values = library.numpy_helper.to_array(weight)
        if values.size < SMALL or np.abs(values).max() > LARGEST:
            continue
        name = weight.name
        weight.CopyFrom(library.numpy_helper.from_array(values.astype(np.float16), f"{name}.float16"))
        casts.append(library.helper.make_node("Cast", [f"{name}.float16"], [name], f"{name}.cast", to=float32))
    nodes = [*casts, *proto.graph.node]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)


def quantised(proto: Any, names: Sequence[str], draws: Sequence[Sequence[Tensor]]) -> Any:
    """A graph with weights in eight bits, and what goes into its convolutions and matrix products too: static
    quantisation by ONNX Runtime, Jacob et al. 2017, arXiv:1712.05877.

    Args:
        names: of the inputs.
        draws: inputs from which is learnt how large numbers get.

    Raises:
        InputError: where that makes it hardly smaller.
    """
    quantization = needs("onnxruntime.quantization", "export", "quantises ONNX files")
    with tempfile.TemporaryDirectory() as folder, silent():
        out = Path(folder) / "quantised.onnx"
        quantization.quantize_static(
            _folded(proto, Path(folder)), str(out), _Reader(names, draws), op_types_to_quantize=QUANTISED,
            per_channel=True, weight_type=quantization.QuantType.QInt8, activation_type=quantization.QuantType.QUInt8,
        )  # fmt: skip
        made = onnx().load(out)
    if made.ByteSize() > WORTH * proto.ByteSize():
        raise InputError(
            f"--int8 was given, but makes {made.ByteSize():,} bytes of {proto.ByteSize():,}: little in this net can be "
            "quantised; use --half"
        )
    return made


def _folded(proto: Any, folder: Path) -> Any:
    """A graph whose weights are constants, where they were computed from some: only constants are quantised."""
    runtime = needs("onnxruntime", "export", "runs ONNX files")
    options, out = runtime.SessionOptions(), folder / "folded.onnx"
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath, options.log_severity_level = str(out), 3
    runtime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    made = onnx().load(out)
    used = {node.domain for node in made.graph.node}
    kept = [known for known in made.opset_import if known.domain in used]
    del made.opset_import[:]
    made.opset_import.extend(kept)
    return made


class _Reader:
    """Inputs as ONNX Runtime's calibration asks for them."""

    def __init__(self, names: Sequence[str], draws: Sequence[Sequence[Tensor]]) -> None:
        self._feeds = iter([{n: x.numpy() for n, x in zip(names, draw, strict=True)} for draw in draws])

    def get_next(self) -> dict[str, Any] | None:
        return next(self._feeds, None)
