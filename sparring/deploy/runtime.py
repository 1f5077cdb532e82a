"""Graphs as ONNX files, and ONNX Runtime, which runs them."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

import sparring
from sparring.deploy.graph import InBytes, as_json, input_text, output_text
from sparring.errors import InputError, needs
from sparring.games.graph import Graph

OPSET = 18  # of the operators: old enough for browsers, and the first that resizes images as PyTorch does
OUTPUT = "sample"
EXACT = "exact"  # the values that are rounded to bytes


def onnx() -> Any:
    """The library.

    Raises:
        InputError: if it is not installed.
    """
    needs("onnxscript", "export", "writes ONNX files")
    return needs("onnx", "export", "writes ONNX files")


def converted(graph: Graph, recipe: str) -> Any:
    """A graph as an `onnx.ModelProto`, converted by `torch.export`. A graph in bytes has a second output, `EXACT`,
    until `keep_first_output` removes it.

    Args:
        recipe: its name, for errors.

    Raises:
        InputError: if an operation of it does not exist in ONNX.
    """
    onnx()
    example = graph.draw(2, 1)
    dynamic = tuple(dict(spec.dynamic) for spec in graph.inputs)
    try:
        with silent():
            program = torch.export.export(_AllOutputs(graph.net), example, dynamic_shapes=(dynamic,))
            result = torch.onnx.export(
                program, dynamo=True, opset_version=OPSET, input_names=[spec.name for spec in graph.inputs],
                verbose=False, output_names=[OUTPUT, EXACT] if graph.in_bytes else [OUTPUT],
            )  # fmt: skip
    except (RuntimeError, torch.onnx.OnnxExporterError) as error:
        first_line = str(error).strip().splitlines()[0]
        raise InputError(
            f"recipe {recipe!r} cannot be exported: PyTorch cannot convert it to a graph ({first_line})"
        ) from error
    assert result is not None
    proto = result.model_proto
    if proto.opset_import[0].version != OPSET:
        raise InputError(f"recipe {recipe!r} cannot be exported: it needs operators newer than opset {OPSET}")
    return _without_source_lines(proto)


class _AllOutputs(torch.nn.Module):
    """A net that takes any number of tensors; one in bytes also returns the values that are rounded."""

    def __init__(self, net: torch.nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, *inputs: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        if isinstance(self.net, InBytes):
            exact = self.net.exact(*inputs)
            return self.net.rounded(exact), exact
        output: Tensor = self.net(*inputs)
        return output


def keep_first_output(proto: Any) -> None:
    """Remove all outputs of a graph but the first."""
    del proto.graph.output[1:]


def _without_source_lines(proto: Any) -> Any:
    """A graph without the lines of Python that each node comes from."""
    for node in proto.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*proto.graph.value_info, *proto.graph.input, *proto.graph.output, *proto.graph.initializer):
        del value.metadata_props[:]
    del proto.graph.metadata_props[:]
    return proto


@contextmanager
def silent() -> Iterator[None]:
    """Suppress warnings and log messages that libraries address to their developers."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def described(proto: Any, graph: Graph, content: Mapping[str, Any]) -> bytes:
    """The content of a file that documents itself.

    Args:
        content: of a model, from `sparring.model.describe`; it is stored as JSON under "sparring".
    """
    for value, spec in zip(proto.graph.input, graph.inputs, strict=True):
        value.doc_string = input_text(spec)
    output = output_text(graph)
    proto.graph.output[0].doc_string = output
    proto.producer_name, proto.producer_version = "sparring", sparring.__version__
    proto.doc_string = f"{content['recipe']}: {output}"
    del proto.metadata_props[:]
    entry = proto.metadata_props.add()
    entry.key, entry.value = "sparring", json.dumps({**content, **as_json(graph)})
    file: bytes = proto.SerializeToString()
    return file


class Session:
    """A graph that ONNX Runtime runs, on as many threads as PyTorch uses.

    Args:
        file: the content of an ONNX file.

    Raises:
        InputError: if ONNX Runtime is not installed, or cannot run the graph.
    """

    def __init__(self, file: bytes) -> None:
        runtime = needs("onnxruntime", "export", "runs ONNX files")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        try:
            self._session = runtime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise InputError(f"ONNX Runtime cannot run the graph: {str(error).splitlines()[0]}") from error
        self.names = [given.name for given in self._session.get_inputs()]

    def __call__(self, inputs: Sequence[Tensor], output: str = OUTPUT) -> Tensor:
        """The output for inputs in their order."""
        feed = {name: x.numpy() for name, x in zip(self.names, inputs, strict=True)}
        (result,) = self._session.run([output], feed)
        return torch.from_numpy(np.ascontiguousarray(result))
