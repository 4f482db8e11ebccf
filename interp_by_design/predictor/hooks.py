"""Forward hooks on named submodules: the one recorder of what they take and give."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, final

import torch
from torch import Tensor, nn

from interp_by_design.predictor.activation_layout import ActivationLayout, LayerName
from interp_by_design.predictor.logits import logits_of
from interp_by_design.predictor.modes import uncompiled_calls
from interp_by_design.terms import ForwardPass, Images, UserError

Values = tuple[object, ...]


class Recorded(NamedTuple):
    """One call of a submodule.

    Args:
        output: what the submodule returned; a clone where a copy was asked for.
        writes: how often the output had been written into when it was recorded.
        inputs: the positional arguments, then the keyword arguments; empty unless asked for.
    """

    output: object
    writes: int
    inputs: Values = ()

    @property
    def overwritten(self) -> bool:
        """Whether the output has been written into since."""
        return _writes(self.output) != self.writes


@contextmanager
def recording(
    network: nn.Module, paths: Sequence[str], copy: bool, inputs: bool = False
) -> Iterator[dict[str, list[Recorded]]]:
    """Record every call of the submodules `paths` within the block.

    The hooks are removed when the block ends, also after an exception.

    Args:
        network: the network that holds the submodules.
        paths: dotted names of submodules, the class head included.
        copy: clone each tensor at once, since a later step may write over it in place.
        inputs: record what the submodules take as well; inputs are recorded before the call.

    Returns:
        For each path, its calls in order; filled as the block runs.

    >>> layer = nn.Linear(2, 2)
    >>> with recording(nn.Sequential(layer), ["0"], copy=False, inputs=True) as seen:
    ...     _ = layer(torch.ones(1, 2))
    >>> seen["0"][0].inputs[0].tolist()
    [[1.0, 1.0]]
    """
    seen: dict[str, list[Recorded]] = {path: [] for path in paths}
    taken: dict[str, list[Values]] = {path: [] for path in paths}

    def before(path: str, values: Values) -> None:
        taken[path].append(tuple(_kept(value, copy) for value in values))

    def after(path: str, output: object) -> None:
        kept = _kept(output, copy)
        seen[path].append(Recorded(kept, _writes(kept), taken[path].pop() if taken[path] else ()))

    with calls(network, list(seen), after, before if inputs else None):
        yield seen


@contextmanager
def calls(
    network: nn.Module,
    paths: Sequence[str],
    after: Callable[[str, object], None],
    before: Callable[[str, Values], None] | None = None,
) -> Iterator[None]:
    """Run callbacks at every call of the submodules `paths` within the block.

    Args:
        network: the network that holds the submodules.
        paths: dotted names of submodules.
        after: receives the path and the output of each call.
        before: receives the path and the inputs of each call, before it runs.
    """
    handles = []
    try:
        for path in paths:

            def enter(_module: nn.Module, args: Any, kwargs: Any, path: str = path) -> None:
                if before is not None:
                    before(path, (*args, *kwargs.values()))

            def leave(_module: nn.Module, _args: Any, output: object, path: str = path) -> None:
                after(path, output)

            part = network.get_submodule(path)
            if before is not None:
                handles.append(part.register_forward_pre_hook(enter, with_kwargs=True))
            handles.append(part.register_forward_hook(leave))
        with uncompiled_calls(network):
            yield
    finally:
        for handle in handles:
            handle.remove()


@final
class HookReader:
    """The logits of one pass, and the outputs or inputs of submodules, read through hooks.

    A pass raises `UserError` for a layer that never fires, fires twice, is written over, or gives
    no maps, vectors or tokens, and for a network that gives no logits.

    Args:
        network: the network to run.
        layers: names of submodules, in the order in which they are returned.
        copy: clone each tensor at once; not needed where `overwrites` is false.
        inputs: read the first input of each layer in place of its output.
    """

    def __init__(
        self, network: nn.Module, layers: Sequence[str], copy: bool, inputs: bool = False
    ) -> None:
        self.network, self.copy, self.inputs = network, copy, inputs
        self.layouts = tuple(ActivationLayout.of_layer(network, name) for name in layers)
        self.paths = tuple(dict.fromkeys(layout.name.path for layout in self.layouts))

    def __call__(self, images: Images) -> ForwardPass:
        with recording(self.network, self.paths, self.copy, self.inputs) as seen:
            logits = logits_of(self.network(images))
        values = {path: once(self.network, path, seen[path], self.inputs) for path in self.paths}
        return ForwardPass(
            logits,
            tuple(layout.arrange(values[layout.name.path], images) for layout in self.layouts),
        )


def overwrites(network: nn.Module, layers: Sequence[str], images: Images) -> bool:
    """Return whether a pass may write over the output of one of `layers`.

    In-place modules count even where they act in training alone, as in-place dropout does.

    Args:
        network: the network to try.
        layers: names of submodules.
        images: network input [n, c, h, w] of the trial pass.
    """
    if any(getattr(part, "inplace", False) for part in network.modules()):
        return True
    paths = [LayerName.parse(name).path for name in layers]
    with recording(network, paths, copy=False) as seen:
        network(images)
    return any(recorded.overwritten for path in paths for recorded in seen[path])


def once(
    network: nn.Module, path: str, recorded: Sequence[Recorded], inputs: bool = False
) -> object:
    """Return what the only call of a layer gave, or took.

    Args:
        network: the network that was run.
        path: the layer's dotted name.
        recorded: the layer's calls.
        inputs: return the call's first input in place of its output.

    Raises:
        UserError: the layer never fired, fired several times, was written over since, or was
            called without an input that is asked for.
    """
    if len(recorded) != 1:
        times = f"fired {len(recorded)} times" if recorded else "never fired"
        advice = _uses(network, path) if recorded else "Choose another layer."
        raise UserError(
            f"Layer '{path}' {times} in one pass; a hidden layer must fire exactly once. {advice}"
        )
    call = recorded[0]
    if inputs:
        if not call.inputs:
            raise UserError(f"Layer '{path}' takes no inputs. Read its output.")
        return call.inputs[0]
    if call.overwritten:
        raise UserError(
            f"The output of layer '{path}' was written over later in the pass, in place. "
            "Read it by a copy."
        )
    return call.output


def _kept(value: object, copy: bool) -> object:
    return value.clone() if copy and isinstance(value, Tensor) else value


def _writes(output: object) -> int:
    # Tensors of inference mode keep no count, and a compiled network's layers give copies.
    if torch.compiler.is_compiling() or not isinstance(output, Tensor) or output.is_inference():
        return 0
    return output._version


def _uses(network: nn.Module, path: str) -> str:
    from interp_by_design.predictor.tracing import uses  # imports torchvision, which takes a second

    names = ", ".join(f"'{name}'" for name in uses(network, path))
    return f"Choose one use of it: {names}." if names else "Choose another layer."
