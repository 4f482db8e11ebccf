"""Reading operations that are no submodule of their own, by running the network's graph on the network itself."""

from __future__ import annotations

from collections.abc import Sequence, Set
from difflib import get_close_matches
from typing import Any, final

from torch import Tensor, fx, nn

from interp_by_design.predictor.hooks import once, recording
from interp_by_design.predictor.layout import Layout, is_submodule
from interp_by_design.predictor.logits import logits_of
from interp_by_design.predictor.tracing import Traced, traced
from interp_by_design.terms import ForwardPass, Images, UnknownName, UserError


@final
class GraphReader:
    """The logits of one pass, and what `layers`, operations and submodules, gave, each copied as soon as it was there.

    The graph takes every module and parameter from the network as it is by then; it holds none itself. The network is traced once
    for each mode that it is in.

    A pass raises `UnknownName` for a layer that is neither operation nor submodule, and `UserError` for a network that cannot be
    traced, and whatever `HookReader` raises.
    """

    def __init__(self, network: nn.Module, layers: Sequence[str]) -> None:
        self.network = network
        self.layouts = tuple(Layout.of(network, name) for name in layers)
        self.paths = tuple(dict.fromkeys(layout.name.path for layout in self.layouts))
        self.operations = tuple(path for path in self.paths if not is_submodule(network, path))
        self._traced: dict[tuple[bool, ...], Traced] = {}

    def __call__(self, images: Images) -> ForwardPass:
        graph = self._graph()
        nodes = {path: graph.operations[path] for path in self.paths if path in graph.operations}
        run = _Run(self.network, graph, set(nodes.values()))
        hooked = [path for path in self.paths if path not in nodes]
        with recording(self.network, hooked, copy=True) as seen:
            logits = logits_of(run.run(images))
        outputs = {path: run.seen[node] for path, node in nodes.items()}
        outputs |= {path: once(self.network, path, seen[path]) for path in hooked}
        return ForwardPass(
            logits,
            tuple(layout.arranged(outputs[layout.name.path], images) for layout in self.layouts),
        )

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_traced": {}}  # a copy traces its own network

    def _graph(self) -> Traced:
        """The graph for the mode that each part of the network is in, since a trace holds to one."""
        modes = tuple(part.training for part in self.network.modules())
        if modes not in self._traced:
            try:
                found = traced(self.network, self.operations)
            except UserError as error:
                raise UnknownName(
                    f"{unknown_layer(self.network, self.operations[0])} {error}"
                ) from error
            for path in self.operations:
                if path not in found.operations:
                    raise unknown_layer(self.network, path, list(found.operations))
            self._traced[modes] = found
        return self._traced[modes]


def unknown_layer(network: nn.Module, path: str, operations: Sequence[str] = ()) -> UnknownName:
    """The error for a layer that is not there: the stages, every submodule where a dotted name was asked for, and the nearest."""
    known = [
        name
        for name, _ in (network.named_modules() if "." in path else network.named_children())
        if name
    ]
    return UnknownName.among(
        "layer",
        path,
        [*known, *get_close_matches(path, operations, cutoff=0.7)],
        type(network).__name__,
    )


class _Run(fx.Interpreter):
    """Runs a graph on a network, and keeps copies of what the nodes `wanted` give, by the node's name."""

    def __init__(self, network: nn.Module, graph: Traced, wanted: Set[str]) -> None:
        super().__init__(network, graph=graph.graph)
        self.extra_traceback = False
        self.constants, self.wanted = graph.constants, wanted
        self.seen: dict[str, object] = {}

    def run_node(self, n: fx.Node) -> Any:
        given = super().run_node(n)
        if n.name in self.wanted:
            self.seen[n.name] = given.clone() if isinstance(given, Tensor) else given
        return given

    def fetch_attr(self, target: str) -> Any:
        return self.constants[target] if target in self.constants else super().fetch_attr(target)
