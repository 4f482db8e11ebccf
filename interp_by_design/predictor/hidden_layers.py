"""Reading named hidden layers of any network through forward hooks that are always let go of.

Knows nothing of what is done with what was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import NamedTuple

import torch
from torch import Tensor, nn

from interp_by_design.terms import HiddenPass, Images, UnknownName, UserError


def read(network: nn.Module, layers: Sequence[str], inputs: Images, copy: bool = True) -> HiddenPass:
    """One pass of `network` over normalised images: its logits and the outputs of `layers`, in the order asked for.

    Each output is copied as soon as it is there, since an in-place step may write over it later in the pass. Without `copy` it
    is not: right, and a little cheaper, wherever `overwrites` is false.

    Raises `UnknownName` for a layer that is not there, `UserError` for one that never fires, fires twice, is written over, or
    whose output is not a tensor of maps [n, c, h, w] or vectors [n, d], and for a network that gives no logits [n, C].
    """
    with _recording(network, layers, copy) as seen:
        logits = _logits(network(inputs))
    return HiddenPass(logits, tuple(_once(name, seen[name]) for name in layers))


def overwrites(network: nn.Module, layers: Sequence[str], image_shape: tuple[int, int, int]) -> bool:
    """Whether a pass writes over what one of `layers` gave, or might while training, as in-place dropout does."""
    if any(getattr(part, "inplace", False) for part in network.modules()):
        return True
    with evaluating(network), torch.no_grad(), _recording(network, layers, copy=False) as seen:
        network(_noise(image_shape))
    return any(recorded.overwritten for name in layers for recorded in seen[name])


def layer_shapes(network: nn.Module, layers: Sequence[str], image_shape: tuple[int, int, int]) -> list[torch.Size]:
    """The output shape of each layer, without the batch axis, from one pass over noise that leaves the network as it was.

    Raises what `read` raises, and `UserError` for no layer, a layer named twice, images that the network cannot take, or a layer
    that is the class head's output: an interpreter that copies the answer explains nothing.
    """
    if not layers or len(set(layers)) < len(layers):
        raise UserError(f"hidden_layers needs at least one layer and each only once, not {list(layers)}.")
    with evaluating(network), torch.no_grad():
        try:
            logits, hidden = read(network, layers, _noise(image_shape))
        except UserError:
            raise
        except (RuntimeError, ValueError, AssertionError) as error:
            raise _refused(network, image_shape, error) from error
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


class _Recorded(NamedTuple):
    """What a layer gave, and how often it had been written into by then."""

    output: object
    writes: int

    @property
    def overwritten(self) -> bool:
        return _writes(self.output) != self.writes


def _writes(output: object) -> int:
    # Tensors of inference mode keep no count, and a compiled network's layers give copies.
    if torch.compiler.is_compiling() or not isinstance(output, Tensor) or output.is_inference():
        return 0
    return output._version


@contextmanager
def _recording(network: nn.Module, layers: Sequence[str], copy: bool) -> Iterator[dict[str, list[_Recorded]]]:
    seen: dict[str, list[_Recorded]] = {name: [] for name in layers}
    handles = []
    try:
        for name in layers:

            def record(_module: nn.Module, _inputs: object, output: object, name: str = name) -> None:
                kept = output.clone() if copy and isinstance(output, Tensor) else output
                seen[name].append(_Recorded(kept, _writes(kept)))

            handles.append(_layer(network, name).register_forward_hook(record))
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


def _once(name: str, recorded: list[_Recorded]) -> Tensor:
    if len(recorded) != 1:
        times = f"fired {len(recorded)} times" if recorded else "never fired"
        raise UserError(f"Layer '{name}' {times} in one pass; a hidden layer must fire exactly once. Choose another layer.")
    output = recorded[0].output
    if not isinstance(output, Tensor) or output.ndim not in (2, 4):
        raise UserError(f"Layer '{name}' gives {_kind(output)}; wanted maps [n, c, h, w] or vectors [n, d].")
    if recorded[0].overwritten:
        raise UserError(f"What layer '{name}' gave was written over later in the pass, in place. Read it with copy=True.")
    return output


def _logits(output: object) -> Tensor:
    """The first output, where a network gives auxiliary ones behind it while it trains, as GoogLeNet does."""
    first = output[0] if isinstance(output, tuple) and output else output
    if not isinstance(first, Tensor) or first.ndim != 2:
        raise UserError(f"The network gives {_kind(first)}; wanted logits [n, C], or a tuple that begins with them.")
    return first


def _kind(output: object) -> object:
    return tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__


def _noise(image_shape: tuple[int, int, int]) -> Tensor:
    return torch.rand(4, *image_shape, generator=torch.Generator().manual_seed(0))


def _refused(network: nn.Module, image_shape: tuple[int, int, int], error: Exception) -> UserError:
    """Says whether the images are merely too small, which torch's own message does not."""
    channels, *sides = image_shape
    for side in (32, 64, 128, 224, 299):
        if side > min(sides):
            with suppress(RuntimeError, ValueError, AssertionError):
                network(_noise((channels, side, side)))
                return UserError(
                    f"Images of shape {tuple(image_shape)} are too small for {type(network).__name__}, which takes "
                    f"{(channels, side, side)}. Give larger images, or choose another network."
                )
    return UserError(f"{type(network).__name__} does not take images of shape {tuple(image_shape)}: {error}")


def _copies_answer(output: Tensor, logits: Tensor) -> bool:
    """Whether `output` is the answer: logits, their probabilities, or a map for each class whose mean is the logit."""
    if output.shape[1] != logits.shape[1]:
        return False
    readings = (output, output.relu()) if output.ndim == 2 else (output.mean((2, 3)), output.relu().mean((2, 3)))
    answers = (logits, logits.softmax(dim=1), logits.log_softmax(dim=1))
    return any(torch.allclose(reading, answer) for reading in readings for answer in answers)
