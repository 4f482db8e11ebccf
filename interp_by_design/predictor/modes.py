"""The state that a network is in: training or evaluation, compiled or not. Knows nothing of layers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import nn


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


def uncompiled(network: nn.Module) -> nn.Module:
    """The network that `torch.compile` was given, where `network` came from there; else `network` itself."""
    while (original := network._modules.get("_orig_mod")) is not None:
        network = original
    return network


def uncompiled_calls(network: nn.Module) -> AbstractContextManager[object]:
    """For the block, what is compiled inside `network` runs as it was written.

    A compiled module keeps the hooks of its first call, and takes no notice of later ones.
    """
    if torch.compiler.is_compiling() or not any(_is_compiled(part) for part in network.modules()):
        return nullcontext()
    stance: AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
    return stance


def _is_compiled(part: nn.Module) -> bool:
    return part._compiled_call_impl is not None or "_orig_mod" in part._modules
