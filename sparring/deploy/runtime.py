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
from sparring.deploy.graph import Graph
from sparring.deploy.wrappers import InBytes
from sparring.errors import InputError, needs

OPSET = 18  # of the operators: old enough for browsers, and the first that enlarges as PyTorch does
OUTPUT = "sample"
EXACT = "exact"  # what bytes are rounded from


def onnx() -> Any:
    """The library.

    Raises:
        InputError: where it is not installed.
    """
    needs("onnxscript", "export", "writes ONNX files")
    return needs("onnx", "export", "writes ONNX files")


def converted(graph: Graph, recipe: str) -> Any:
    """A graph as an `onnx.ModelProto`, by `torch.export`. One in bytes gives `EXACT` beside them, until `alone` has it
    give nothing else.

    Args:
        recipe: its name, for errors.

    Raises:
        InputError: where something in it has no counterpart there.
    """
    onnx()
    example = graph.draw(2, 1)
    sides = tuple(dict(given.sides) for given in graph.inputs)
    try:
        with silent():
            program = torch.export.export(_Whole(graph.net), example, dynamic_shapes=(sides,))
            made = torch.onnx.export(
                program, dynamo=True, opset_version=OPSET, input_names=graph.names, verbose=False,
                output_names=[OUTPUT, EXACT] if graph.in_bytes else [OUTPUT],
            )  # fmt: skip
    except (RuntimeError, torch.onnx.OnnxExporterError) as error:
        first_line = str(error).strip().splitlines()[0]
        raise InputError(
            f"recipe {recipe!r} cannot be exported: PyTorch makes no graph of it ({first_line})"
        ) from error
    assert made is not None
    proto = made.model_proto
    if proto.opset_import[0].version != OPSET:
        raise InputError(f"recipe {recipe!r} cannot be exported: it needs operators newer than opset {OPSET}")
    return _bare(proto)


class _Whole(torch.nn.Module):
    """A net that takes any number of tensors; one in bytes gives what they are rounded from too."""

    def __init__(self, net: torch.nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, *given: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        if isinstance(self.net, InBytes):
            exact = self.net.exact(*given)
            return self.net.rounded(exact), exact
        made: Tensor = self.net(*given)
        return made


def alone(proto: Any) -> None:
    """Have a graph give its first output only."""
    del proto.graph.output[1:]


def _bare(proto: Any) -> Any:
    """Without the lines of Python that each node comes from."""
    for node in proto.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*proto.graph.value_info, *proto.graph.input, *proto.graph.output, *proto.graph.initializer):
        del value.metadata_props[:]
    del proto.graph.metadata_props[:]
    return proto


@contextmanager
def silent() -> Iterator[None]:
    """What libraries say to their developers is kept from the user."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def described(proto: Any, graph: Graph, content: Mapping[str, Any]) -> bytes:
    """The content of a file that explains itself.

    Args:
        content: of a model, as `sparring.model.describe` gives it; it is kept as JSON under "sparring".
    """
    for value, given in zip(proto.graph.input, graph.inputs, strict=True):
        value.doc_string = given.says
    proto.graph.output[0].doc_string = graph.says
    proto.producer_name, proto.producer_version = "sparring", sparring.__version__
    proto.doc_string = f"{content['recipe']}: {graph.says}"
    del proto.metadata_props[:]
    entry = proto.metadata_props.add()
    entry.key, entry.value = "sparring", json.dumps({**content, **graph.content()})
    file: bytes = proto.SerializeToString()
    return file


class Session:
    """A graph that is run by ONNX Runtime, on as many threads as PyTorch has.

    Args:
        file: the content of an ONNX file.

    Raises:
        InputError: where ONNX Runtime is not installed, or cannot run it.
    """

    def __init__(self, file: bytes) -> None:
        runtime = needs("onnxruntime", "export", "runs ONNX files")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.log_severity_level = 3
        try:
            self._session = runtime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its own kinds have no common one
            raise InputError(f"ONNX Runtime cannot run the graph: {str(error).splitlines()[0]}") from error
        self.names = [given.name for given in self._session.get_inputs()]

    def __call__(self, given: Sequence[Tensor], output: str = OUTPUT) -> Tensor:
        """What it gives for inputs in their order."""
        feed = {name: x.numpy() for name, x in zip(self.names, given, strict=True)}
        (made,) = self._session.run([output], feed)
        return torch.from_numpy(np.ascontiguousarray(made))
