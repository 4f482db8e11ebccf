"""The layer graph of a network: its layers, and which of them feed which."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, fx, nn

from interp_by_design.predictor.hooks import calls
from interp_by_design.predictor.logits import logits_of
from interp_by_design.predictor.modes import uncompiled
from interp_by_design.predictor.probing import probing
from interp_by_design.terms import Images, UnknownName, UserError

IMAGES = "images"  # the name of the node for the input, unless a submodule has it
# Names of functions and methods, whose in-place forms count as well.
ADDITIONS = ("add", "add_", "iadd", "__add__", "__iadd__", "__radd__")
CONCATENATIONS = ("cat", "concat", "concatenate")


@dataclass(frozen=True)
class LayerNode:
    """A layer of a network, and the layers that feed it.

    Args:
        name: the name that `ActivationReader` takes; `images` for the network's input.
        kind: `input`, `module`, `add` (branches meet in a sum, as in residual blocks),
            `concatenate` (branches meet side by side, as in DenseNet), or `operation`.
        operation: the module's class, or the function's name, such as `Conv2d` or `flatten`.
        shape: the shape of the output without the batch axis; None where it is no single tensor.
        predecessors: names of the layers that feed it, in the order of its arguments.
    """

    name: str
    kind: str
    operation: str
    shape: tuple[int, ...] | None
    predecessors: tuple[str, ...] = ()


@dataclass(frozen=True)
class LayerGraph:
    """The layers of a network in execution order, and the edges between them.

    Args:
        nodes: the layers; the first is the network's input.
        output: name of the layer that gives the logits; empty where the network is not traced.
        containers: for each module that holds others, the name of the layer that gives its output.
        traced: whether the edges are known. Where a network cannot be traced, the nodes are the
            submodules that fired, and have no predecessors.

    >>> graph = layer_graph(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), (1, 2, 2))
    >>> graph.edges
    (('images', '0'), ('0', '1'))
    """

    nodes: tuple[LayerNode, ...]
    output: str = ""
    containers: Mapping[str, str] = field(default_factory=dict)
    traced: bool = True

    def __getitem__(self, name: str) -> LayerNode:
        name = self.containers.get(name, name)
        for node in self.nodes:
            if node.name == name:
                return node
        raise UnknownName.among("layer", name, [node.name for node in self.nodes])

    def __iter__(self) -> Iterator[LayerNode]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def predecessors(self, name: str) -> tuple[str, ...]:
        """Return the names of the layers that feed a layer.

        Args:
            name: the layer, or a module that holds others.

        Raises:
            UnknownName: the layer does not exist.
        """
        return self[name].predecessors

    def successors(self, name: str) -> tuple[str, ...]:
        """Return the names of the layers that a layer feeds.

        Args:
            name: the layer, or a module that holds others.

        Raises:
            UnknownName: the layer does not exist.
        """
        own = self[name].name
        return tuple(node.name for node in self.nodes if own in node.predecessors)

    @property
    def edges(self) -> tuple[tuple[str, str], ...]:
        """All pairs of a layer and one that it feeds."""
        return tuple((before, node.name) for node in self.nodes for before in node.predecessors)


def layer_graph(network: nn.Module, image_shape: tuple[int, int, int]) -> LayerGraph:
    """Return the layer graph of a network, from a trace and one pass over noise.

    The network stays unchanged. Operations that give no tensors, such as sizes, are left out.

    Args:
        network: the network to trace, in evaluation mode.
        image_shape: shape (c, h, w) of its input.

    Returns:
        The traced graph; the list of submodules where tracing fails or computes something else.

    Raises:
        UserError: the network gives no logits [n, C], or does not take such images.

    >>> from interp_by_design.predictor import NarrowResNet
    >>> graph = layer_graph(NarrowResNet((3, 8, 8), 2), (3, 8, 8))
    >>> graph["layer1.0.add"].kind, graph.predecessors("layer1.0.add")
    ('add', ('layer1.0.bn2', 'layer1.0.downsample'))
    """
    network = uncompiled(network)
    with probing(network, image_shape) as images:
        return _traced_graph(network, images) or _listed(network, images)


def _traced_graph(network: nn.Module, images: Images) -> LayerGraph | None:
    # Imports torchvision, which takes a second.
    from interp_by_design.predictor.tracing import GraphRun, traced

    shapes: dict[str, tuple[int, ...] | None] = {}

    def note(node: fx.Node, value: object) -> None:
        if (shape := _shape(value)) is not None or _holds_tensors(value):
            shapes[node.name] = shape

    try:
        found = traced(network)
        logits = logits_of(GraphRun(network, found, note).run(images))
    except UserError:
        return None
    if not torch.allclose(logits, logits_of(network(images)), rtol=1e-4, atol=1e-5):
        return None
    names = {node: name for name, node in found.operations.items() if name not in found.containers}
    return _assemble(network, found.graph, shapes, names, found.containers)


def _assemble(
    network: nn.Module,
    graph: fx.Graph,
    shapes: Mapping[str, tuple[int, ...] | None],
    names: Mapping[str, str],
    containers: Mapping[str, str],
) -> LayerGraph:
    """Return the nodes that carry tensors, under the layers' names.

    Tuples of tensors, and what is taken from them, pass their own predecessors on.
    """
    sources: dict[fx.Node, tuple[str, ...]] = {}  # names of the layers whose tensors a node carries
    layers: dict[str, LayerNode] = {}
    for node in graph.nodes:
        inputs = tuple(
            dict.fromkeys(name for one in node.all_input_nodes for name in sources.get(one, ()))
        )
        if node.op == "output":
            output = inputs[0] if inputs else ""
        elif node.name not in shapes or node.op == "get_attr":
            continue
        elif node.op != "placeholder" and shapes[node.name] is None:
            sources[node] = inputs
        else:
            layer = _layer(network, node, inputs, shapes[node.name], names)
            layers[node.name], sources[node] = layer, (layer.name,)
    known = {path: layers[node].name for path, node in containers.items() if node in layers}
    return LayerGraph(tuple(layers.values()), output, known)


def _layer(
    network: nn.Module,
    node: fx.Node,
    inputs: tuple[str, ...],
    shape: tuple[int, ...] | None,
    names: Mapping[str, str],
) -> LayerNode:
    if node.op == "placeholder":
        return LayerNode(_input_name(network), "input", "input", shape)
    if node.op == "call_module":
        path = str(node.target)
        kind, operation = "module", type(network.get_submodule(path)).__name__
        return LayerNode(names.get(node.name, path), kind, operation, shape, inputs)
    target = node.target
    operation = target if isinstance(target, str) else getattr(target, "__name__", str(target))
    kind = "operation"
    if operation in ADDITIONS and len(inputs) > 1:
        kind = "add"
    elif operation in CONCATENATIONS and len(inputs) > 1:
        kind = "concatenate"
    return LayerNode(names[node.name], kind, operation, shape, inputs)


def _listed(network: nn.Module, images: Images) -> LayerGraph:
    """Return the submodules that fire, in the order in which they finish, without edges."""
    first = _input_name(network)
    layers = {first: LayerNode(first, "input", "input", _shape(images))}

    def note(path: str, output: object) -> None:
        operation = type(network.get_submodule(path)).__name__
        layers.setdefault(path, LayerNode(path, "module", operation, _shape(output)))

    with calls(network, [name for name, _ in network.named_modules() if name], note):
        logits_of(network(images))
    return LayerGraph(tuple(layers.values()), traced=False)


def _input_name(network: nn.Module) -> str:
    return f"{IMAGES}_input" if hasattr(network, IMAGES) else IMAGES


def _shape(value: object) -> tuple[int, ...] | None:
    return tuple(value.shape[1:]) if isinstance(value, Tensor) else None


def _holds_tensors(value: object) -> bool:
    return isinstance(value, tuple | list) and any(isinstance(one, Tensor) for one in value)
