"""The operations of a network by name, as torchvision's feature extraction names them: `add`, `layer1.0.relu_1`.

Traces through the modules that hold an operation which is asked for, and through no others. The network stays as it is.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
import torchvision
from torch import fx, nn
from torchvision.models.feature_extraction import NodePathTracer

from interp_by_design.terms import UserError

COMPUTES = ("call_function", "call_method", "call_module")


class Traced(NamedTuple):
    """A network's graph; its operations, by name, as names of nodes; and the tensors that were made while it was traced."""

    graph: fx.Graph
    operations: dict[str, str]
    constants: dict[str, object]


def traced(network: nn.Module, paths: Sequence[str]) -> Traced:
    """The graph of `network` in the mode it is in, through the modules that `paths` lead into.

    The operations have torchvision's names. A module that is used several times has its uses among them: `relu_0`, which is ours,
    for the first, then `relu_1`, …; and so has each module that is traced through, since nobody calls it when the graph runs.

    Raises `UserError` where one of those modules cannot be traced.
    """
    tracer = _Tracer({owner for path in paths for owner in _owners(network, path)})
    with _unchanged(network) as constants, torch.random.fork_rng(devices=[]):
        try:
            graph = tracer.trace(network)
        except Exception as error:  # whatever the network does with what is no tensor
            raise UserError(
                f"{type(network).__name__} cannot be traced for its operations: {error}"
            ) from error
    modules = {name for name, _ in network.named_modules()}
    named = {
        name: node.name
        for node, name in tracer.node_to_qualname.items()
        if node.op in COMPUTES and name not in modules
    }
    for path, nodes in tracer.calls.items():
        if len(nodes) > 1:
            named |= {f"{path}_{use}": node.name for use, node in enumerate(nodes)}
        elif path in tracer.owners:
            named[path] = nodes[0].name
    return Traced(graph, named, constants)


def uses(network: nn.Module, path: str) -> list[str]:
    """The names of the uses of a submodule that is used several times; none where the network cannot be traced."""
    try:
        operations = traced(network, [path]).operations
    except UserError:
        return []
    found: list[str] = []
    while (name := f"{path}_{len(found)}") in operations:
        found.append(name)
    return found


class _Tracer(NodePathTracer):  # type: ignore[misc]  # torchvision ships no types
    """Traces through `owners` alone, and notes what each module that is called gives."""

    def __init__(self, owners: set[str]) -> None:
        kinds = [
            kind
            for _, kind in inspect.getmembers(torchvision.ops, inspect.isclass)
            if issubclass(kind, nn.Module)
        ]
        super().__init__(autowrap_modules=(math, torchvision.ops), leaf_modules=kinds)
        self.owners = owners
        self.calls: dict[str, list[fx.Node]] = {}

    def is_leaf_module(self, m: nn.Module, module_qualname: str) -> bool:
        return module_qualname not in self.owners

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        given = super().call_module(m, forward, args, kwargs)
        if isinstance(given, fx.Proxy):
            self.calls.setdefault(self.path_of_module(m), []).append(given.node)
        return given


def _owners(network: nn.Module, path: str) -> Iterator[str]:
    """The modules that an operation is inside of, but for the network itself, which is always traced through."""
    steps = path.split(".")
    modules = dict(network.named_modules())
    for depth in range(1, len(steps)):
        if (owner := ".".join(steps[:depth])) in modules:
            yield owner


@contextmanager
def _unchanged(network: nn.Module) -> Iterator[dict[str, object]]:
    """Takes what the block sets on the network off it again, into what is yielded: a tracer leaves its constants there."""
    constants: dict[str, object] = {}
    before = set(vars(network))
    try:
        yield constants
    finally:
        for name in set(vars(network)) - before:
            constants[name] = vars(network).pop(name)
