"""Reading operations that are no submodules, by running a traced graph on the network."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, final

from torch import Tensor, fx, nn

from interp_by_design.predictor.activation_layout import ActivationLayout, is_submodule
from interp_by_design.predictor.hooks import once, recording
from interp_by_design.predictor.logits import logits_of
from interp_by_design.predictor.probing import layer_names
from interp_by_design.predictor.tracing import GraphRun, Traced, traced
from interp_by_design.terms import ForwardPass, Images, UnknownName, UserError


@final
class GraphReader:
    """The logits of one pass, and the outputs of operations and submodules, each copied at once.

    The graph holds no modules: it takes them from the network at each pass. The network is traced
    once for each mode that it is in.

    A pass raises `UnknownName` for a layer that is neither operation nor submodule, and `UserError`
    for a network that cannot be traced, and what `HookReader` raises.

    Args:
        network: the network to run.
        layers: names of layers, in the order in which they are returned.
    """

    def __init__(self, network: nn.Module, layers: Sequence[str]) -> None:
        self.network = network
        self.layouts = tuple(ActivationLayout.of_layer(network, name) for name in layers)
        self.paths = tuple(dict.fromkeys(layout.name.path for layout in self.layouts))
        self.operations = tuple(path for path in self.paths if not is_submodule(network, path))
        self._traced: dict[tuple[bool, ...], Traced] = {}

    def __call__(self, images: Images) -> ForwardPass:
        graph = self._graph()
        nodes = {path: graph.operations[path] for path in self.paths if path in graph.operations}
        wanted, found = set(nodes.values()), dict[str, object]()

        def note(node: fx.Node, value: object) -> None:
            if node.name in wanted:
                found[node.name] = value.clone() if isinstance(value, Tensor) else value

        hooked = [path for path in self.paths if path not in nodes]
        with recording(self.network, hooked, copy=True) as seen:
            logits = logits_of(GraphRun(self.network, graph, note).run(images))
        outputs = {path: found[node] for path, node in nodes.items()}
        outputs |= {path: once(self.network, path, seen[path]) for path in hooked}
        return ForwardPass(
            logits,
            tuple(layout.arrange(outputs[layout.name.path], images) for layout in self.layouts),
        )

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_traced": {}}  # a copy traces its own network

    def _graph(self) -> Traced:
        """Return the graph for the modes that the network's parts are in: a trace follows one."""
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
    """Return the error for a layer that does not exist, with the names that it may have meant.

    Args:
        network: the network that was searched.
        path: the name that was asked for.
        operations: names of the network's operations.
    """
    known = layer_names(network, path)
    return UnknownName.among(
        "layer",
        path,
        [*known, *get_close_matches(path, operations, cutoff=0.7)],
        type(network).__name__,
    )
