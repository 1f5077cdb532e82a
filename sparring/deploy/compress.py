"""Smaller files: weights in sixteen bits, or in eight."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from sparring.deploy.runtime import onnx, silent
from sparring.errors import InputError, needs

MIN_WEIGHTS = 256  # numbers of a tensor from which its size matters
MAX_FLOAT16 = 65504.0
MAX_INT8_SIZE = 0.9  # size of a quantized file / size of the file before
QUANTIZED_OPERATORS = ["Conv", "ConvTranspose", "Gemm", "MatMul"]


def halve(proto: Any) -> None:
    """Store a graph's weights in float16. It still computes in float32, so that it runs wherever it ran before and only
    the weights lose digits.
    """
    library = onnx()
    float32 = library.TensorProto.FLOAT
    casts = []
    for weight in proto.graph.initializer:
        if weight.data_type != float32:
            continue
        values = library.numpy_helper.to_array(weight)
        if values.size < MIN_WEIGHTS or np.abs(values).max() > MAX_FLOAT16:
            continue
        name = weight.name
        weight.CopyFrom(library.numpy_helper.from_array(values.astype(np.float16), f"{name}.float16"))
        casts.append(library.helper.make_node("Cast", [f"{name}.float16"], [name], f"{name}.cast", to=float32))
    nodes = [*casts, *proto.graph.node]
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)


def quantized(proto: Any, names: Sequence[str], batches: Sequence[Sequence[Tensor]]) -> Any:
    """A graph with the weights and the inputs of its convolutions and matrix products in eight bits, by the static
    quantization of ONNX Runtime. Jacob et al. 2017, arXiv:1712.05877.

    Args:
        names: of the inputs.
        batches: of inputs, from which the ranges of intermediate values are measured.

    Raises:
        InputError: if the graph becomes hardly smaller.
    """
    quantization = needs("onnxruntime.quantization", "export", "quantizes ONNX files")
    with tempfile.TemporaryDirectory() as folder, silent():
        out = Path(folder) / "quantized.onnx"
        quantization.quantize_static(
            _folded(proto, Path(folder)), str(out), _CalibrationReader(names, batches),
            op_types_to_quantize=QUANTIZED_OPERATORS, per_channel=True, weight_type=quantization.QuantType.QInt8,
            activation_type=quantization.QuantType.QUInt8,
        )  # fmt: skip
        smaller = onnx().load(out)
    if smaller.ByteSize() > MAX_INT8_SIZE * proto.ByteSize():
        raise InputError(
            f"--int8 was given, but the file would have {smaller.ByteSize():,} bytes instead of {proto.ByteSize():,}: "
            "little in this net can be quantized; use --half"
        )
    return smaller


def _folded(proto: Any, folder: Path) -> Any:
    """A graph whose computed weights have become constants: only constants are quantized."""
    runtime = needs("onnxruntime", "export", "runs ONNX files")
    options, out = runtime.SessionOptions(), folder / "folded.onnx"
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath, options.log_severity_level = str(out), 3
    runtime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
    folded = onnx().load(out)
    used = {node.domain for node in folded.graph.node}
    kept = [opset for opset in folded.opset_import if opset.domain in used]
    del folded.opset_import[:]
    folded.opset_import.extend(kept)
    return folded


class _CalibrationReader:
    """Batches of inputs as ONNX Runtime's calibration reads them."""

    def __init__(self, names: Sequence[str], batches: Sequence[Sequence[Tensor]]) -> None:
        self._feeds = iter([{n: x.numpy() for n, x in zip(names, batch, strict=True)} for batch in batches])

    def get_next(self) -> dict[str, Any] | None:
        return next(self._feeds, None)
