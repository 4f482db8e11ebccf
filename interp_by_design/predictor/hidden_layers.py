"""Reading named hidden layers of any network through forward hooks that are always let go of.

Knows nothing of what is done with what was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from interp_by_design.terms import HiddenPass, Images, UnknownName, UserError


def read(network: nn.Module, layers: Sequence[str], inputs: Images) -> HiddenPass:
    """One pass of `network` over normalised images: its logits and the outputs of `layers`, in the order asked for.

    Raises `UnknownName` for a layer that is not there, `UserError` for one that never fires, fires twice, or whose output is
    not a tensor of maps [n, c, h, w] or vectors [n, d].
    """
    with _recording(network, layers) as seen:
        logits = network(inputs)
    return HiddenPass(logits, tuple(_once(name, seen[name]) for name in layers))


def layer_shapes(network: nn.Module, layers: Sequence[str], image_shape: tuple[int, int, int]) -> list[torch.Size]:
    """The output shape of each layer, without the batch axis, from one pass over noise that leaves the network as it was.

    Raises what `read` raises, and `UserError` for no layer, a layer named twice, or a layer that is the class head's output: an
    interpreter that copies the answer explains nothing.
    """
    if not layers or len(set(layers)) < len(layers):
        raise UserError(f"hidden_layers needs at least one layer and each only once, not {list(layers)}.")
    noise = torch.rand(4, *image_shape, generator=torch.Generator().manual_seed(0))
    with evaluating(network), torch.no_grad():
        logits, hidden = read(network, layers, noise)
    for name, output in zip(layers, hidden, strict=True):
        if _copies_answer(output, logits):
            raise UserError(
                f"Layer '{name}' is the class head's output: an interpreter that reads the answer explains nothing. "
                f"Choose hidden layers before it, such as {_known_layers(network, name)[:-1]}."
            )
    return [output.shape[1:] for output in hidden]


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """`module.eval()` for the block; afterwards each submodule is in the mode it had."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


@contextmanager
def _recording(network: nn.Module, layers: Sequence[str]) -> Iterator[dict[str, list[object]]]:
    seen: dict[str, list[object]] = {name: [] for name in layers}
    handles = []
    try:
        for name in layers:
            handles.append(_layer(network, name).register_forward_hook(lambda _m, _i, out, name=name: seen[name].append(out)))
        yield seen
    finally:
        for handle in handles:
            handle.remove()


def _layer(network: nn.Module, name: str) -> nn.Module:
    try:
        if name:
            return network.get_submodule(name)
    except AttributeError:
        pass
    raise UnknownName.among("layer", name, _known_layers(network, name), owner=type(network).__name__)


def _known_layers(network: nn.Module, like: str) -> list[str]:
    """The stages, or every submodule where the stages' names do not answer a dotted one."""
    nested = [name for name, _ in network.named_modules() if name]
    return nested if "." in like else [name for name, _ in network.named_children()]


def _once(name: str, outputs: list[object]) -> Tensor:
    if len(outputs) != 1:
        times = f"fired {len(outputs)} times" if outputs else "never fired"
        raise UserError(f"Layer '{name}' {times} in one pass; a hidden layer must fire exactly once. Choose another layer.")
    output = outputs[0]
    if not isinstance(output, Tensor) or output.ndim not in (2, 4):
        got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
        raise UserError(f"Layer '{name}' gives {got}; wanted maps [n, c, h, w] or vectors [n, d].")
    return output


def _copies_answer(output: Tensor, logits: Tensor) -> bool:
    if output.flatten(1).shape != logits.shape:
        return False
    flat = output.flatten(1)
    return any(torch.allclose(flat, answer) for answer in (logits, logits.softmax(dim=1), logits.log_softmax(dim=1)))
