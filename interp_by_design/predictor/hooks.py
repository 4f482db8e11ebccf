"""Reading submodules through forward hooks that are always let go of. They see the very network, in both modes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, final

import torch
from torch import Tensor, nn

from interp_by_design.predictor.layout import LayerName, Layout
from interp_by_design.predictor.logits import logits_of
from interp_by_design.predictor.modes import uncompiled_calls
from interp_by_design.terms import ForwardPass, Images, UserError


@final
class HookReader:
    """The logits of one pass of `network`, and the outputs of `layers`, submodules all, in that order.

    Each output is copied as soon as it is there, since an in-place step may write over it later in the pass. Without `copy` it
    is not: right, and a little cheaper, wherever `overwrites` is false.

    A pass raises `UserError` for a layer that never fires, fires twice, is written over, or gives no maps, vectors or tokens, and
    for a network that gives no logits.
    """

    def __init__(self, network: nn.Module, layers: Sequence[str], copy: bool) -> None:
        self.network, self.copy = network, copy
        self.layouts = tuple(Layout.of(network, name) for name in layers)
        self.paths = tuple(dict.fromkeys(layout.name.path for layout in self.layouts))

    def __call__(self, images: Images) -> ForwardPass:
        with recording(self.network, self.paths, self.copy) as seen:
            logits = logits_of(self.network(images))
        outputs = {path: once(self.network, path, seen[path]) for path in self.paths}
        return ForwardPass(
            logits,
            tuple(layout.arranged(outputs[layout.name.path], images) for layout in self.layouts),
        )


def overwrites(network: nn.Module, layers: Sequence[str], images: Images) -> bool:
    """Whether a pass writes over what one of `layers` gave, or might while training, as in-place dropout does."""
    if any(getattr(part, "inplace", False) for part in network.modules()):
        return True
    paths = [LayerName.parse(name).path for name in layers]
    with recording(network, paths, copy=False) as seen:
        network(images)
    return any(recorded.overwritten for path in paths for recorded in seen[path])


class Recorded(NamedTuple):
    """What a layer gave, and how often it had been written into by then."""

    output: object
    writes: int

    @property
    def overwritten(self) -> bool:
        """Whether it has been written into since."""
        return _writes(self.output) != self.writes


def _writes(output: object) -> int:
    # Tensors of inference mode keep no count, and a compiled network's layers give copies.
    if torch.compiler.is_compiling() or not isinstance(output, Tensor) or output.is_inference():
        return 0
    return output._version


@contextmanager
def recording(
    network: nn.Module, paths: Sequence[str], copy: bool
) -> Iterator[dict[str, list[Recorded]]]:
    """Whatever the submodules `paths` give within the block, by path, in the order in which they give it."""
    seen: dict[str, list[Recorded]] = {path: [] for path in paths}
    handles = []
    try:
        for path in seen:

            def record(
                _module: nn.Module, _inputs: object, output: object, path: str = path
            ) -> None:
                kept = output.clone() if copy and isinstance(output, Tensor) else output
                seen[path].append(Recorded(kept, _writes(kept)))

            handles.append(network.get_submodule(path).register_forward_hook(record))
        with uncompiled_calls(network):
            yield seen
    finally:
        for handle in handles:
            handle.remove()


def once(network: nn.Module, path: str, recorded: Sequence[Recorded]) -> object:
    """The one output that a layer gave; raises `UserError` where there are none or several, and where it was written over."""
    if len(recorded) != 1:
        times = f"fired {len(recorded)} times" if recorded else "never fired"
        advice = _uses(network, path) if recorded else "Choose another layer."
        raise UserError(
            f"Layer '{path}' {times} in one pass; a hidden layer must fire exactly once. {advice}"
        )
    if recorded[0].overwritten:
        raise UserError(
            f"What layer '{path}' gave was written over later in the pass, in place. It has to be read by a copy."
        )
    return recorded[0].output


def _uses(network: nn.Module, path: str) -> str:
    from interp_by_design.predictor.tracing import uses  # imports torchvision, which takes a second

    names = ", ".join(f"'{name}'" for name in uses(network, path))
    return f"Choose one use of it: {names}." if names else "Choose another layer."
