"""The operations of a network by name, as torchvision's feature extraction names them.

For example `add` and `layer1.0.relu_1`. Tracing leaves the network unchanged.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from typing import Any, NamedTuple

import torch
import torchvision
from torch import fx, nn
from torchvision.models.feature_extraction import NodePathTracer

from interp_by_design.terms import UserError

COMPUTES = ("call_function", "call_method", "call_module")


class Traced(NamedTuple):
    """The graph of a network.

    Args:
        graph: the operations, in execution order.
        operations: names of nodes by the operations' names; those of `containers` are among them.
        containers: names of nodes by the modules that were traced through.
        constants: tensors that were made while the network was traced, by the graph's names.
    """

    graph: fx.Graph
    operations: dict[str, str]
    containers: dict[str, str]
    constants: dict[str, object]


def traced(network: nn.Module, paths: Sequence[str] | None = None) -> Traced:
    """Trace `network` in the mode that it is in.

    The operations have torchvision's names. The uses of a module that is used several times are
    `relu_0`, `relu_1` and so on. Where a submodule has the name of an operation, the operation's is
    followed by `_op`, as in `relu_op`. A module that is traced through is an operation too, since
    nothing calls it when the graph runs.

    Args:
        network: the network to trace.
        paths: layers; only the modules that hold one of them are traced through. None traces
            through every module that holds others, but for those of `torch.nn` itself.

    Raises:
        UserError: one of the modules that are traced through cannot be traced.
    """
    owners = None if paths is None else {one for path in paths for one in _owners(network, path)}
    tracer = _Tracer(owners)
    with _unchanged(network) as constants, torch.random.fork_rng(devices=[]):
        try:
            graph = tracer.trace(network)
        except Exception as error:  # networks fail in any way on what is no tensor
            raise UserError(
                f"{type(network).__name__} cannot be traced for its operations: {error}"
            ) from error
    modules = {name for name, _ in network.named_modules()}
    named: dict[str, str] = {}
    for node, name in tracer.node_to_qualname.items():
        if node.op in COMPUTES and node.op != "call_module":  # a module has its own name
            named[_free_name(name, modules | named.keys())] = node.name
    containers: dict[str, str] = {}
    for path, nodes in tracer.calls.items():
        several = len(nodes) > 1
        calls = {f"{path}_{use}" if several else path: node.name for use, node in enumerate(nodes)}
        if path in tracer.entered:
            containers |= calls
        elif several:
            named |= {
                name if name not in modules else _free_name(name, modules | named.keys()): node
                for name, node in calls.items()
            }
    return Traced(graph, named | containers, containers, constants)


def uses(network: nn.Module, path: str) -> list[str]:
    """Return the names of the uses of a submodule that is used several times.

    Args:
        network: the network that holds the submodule.
        path: the submodule's dotted name.

    Returns:
        The names in order; empty where the network cannot be traced.
    """
    try:
        operations = traced(network, [path]).operations
    except UserError:
        return []
    found: list[str] = []
    while (name := f"{path}_{len(found)}") in operations:
        found.append(name)
    return found


class GraphRun(fx.Interpreter):
    """One run of a traced graph on a network.

    The modules and parameters are the network's own, as they are by then.

    Args:
        network: the network that was traced.
        traced: its graph.
        note: receives each node that computes, and what it gave.
    """

    def __init__(
        self, network: nn.Module, traced: Traced, note: Callable[[fx.Node, object], None]
    ) -> None:
        super().__init__(network, graph=traced.graph)
        self.extra_traceback = False
        self.constants, self.note = traced.constants, note

    def run_node(self, n: fx.Node) -> Any:
        """Run one node and note its value.

        Args:
            n: the node.
        """
        value = super().run_node(n)
        self.note(n, value)
        return value

    def fetch_attr(self, target: str) -> Any:
        """Return a parameter of the network, or a constant of the trace.

        Args:
            target: its dotted name.
        """
        return self.constants[target] if target in self.constants else super().fetch_attr(target)


class _Tracer(NodePathTracer):  # type: ignore[misc]  # torchvision ships no types
    """Traces through `owners` alone, or through every container; notes the calls of modules."""

    def __init__(self, owners: Set[str] | None) -> None:
        kinds = [
            kind
            for _, kind in inspect.getmembers(torchvision.ops, inspect.isclass)
            if issubclass(kind, nn.Module)
        ]
        super().__init__(autowrap_modules=(math, torchvision.ops), leaf_modules=kinds)
        self.owners = owners
        self.entered: set[str] = set()
        self.calls: dict[str, list[fx.Node]] = {}

    def is_leaf_module(self, m: nn.Module, module_qualname: str) -> bool:
        if self.owners is not None:
            leaf = module_qualname not in self.owners
        else:
            # fx.Tracer's own rule, without torchvision's, which keeps its blocks whole.
            leaf = next(m.children(), None) is None or fx.Tracer.is_leaf_module(
                self, m, module_qualname
            )
        if not leaf:
            self.entered.add(module_qualname)
        return leaf

    def call_module(self, m: nn.Module, forward: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        output = super().call_module(m, forward, args, kwargs)
        if isinstance(output, fx.Proxy):
            self.calls.setdefault(self.path_of_module(m), []).append(output.node)
        return output


def _free_name(name: str, taken: Set[str]) -> str:
    """Return `name`, with a suffix if a submodule or another operation has it."""
    while name in taken:
        name = f"{name}_op"
    return name


def _owners(network: nn.Module, path: str) -> Iterator[str]:
    """Yield the modules that hold an operation, without the network, which is always traced."""
    steps = path.split(".")
    modules = dict(network.named_modules())
    for depth in range(1, len(steps)):
        if (owner := ".".join(steps[:depth])) in modules:
            yield owner


@contextmanager
def _unchanged(network: nn.Module) -> Iterator[dict[str, object]]:
    """Move what the block sets on the network to what is yielded: a tracer sets its constants."""
    constants: dict[str, object] = {}
    before = set(vars(network))
    try:
        yield constants
    finally:
        for name in set(vars(network)) - before:
            constants[name] = vars(network).pop(name)
