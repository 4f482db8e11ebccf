"""The state that a network is in: training or evaluation, compiled or not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import nn


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """Set `module` to evaluation for the block, then restore the mode of each submodule.

    Args:
        module: the module to evaluate.

    >>> network = nn.Sequential(nn.Dropout(), nn.Dropout().eval())
    >>> with evaluating(network):
    ...     network.training
    False
    >>> [part.training for part in network]
    [True, False]
    """
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, mode in modes.items():
            part.training = mode


def uncompiled(network: nn.Module) -> nn.Module:
    """Return the network that `torch.compile` was given, or `network` itself.

    Args:
        network: a network, compiled or not.
    """
    while (original := network._modules.get("_orig_mod")) is not None:
        network = original
    return network


def uncompiled_calls(network: nn.Module) -> AbstractContextManager[object]:
    """Return a context in which compiled parts of `network` run as they were written.

    A compiled module keeps the hooks of its first call, and ignores later ones.

    Args:
        network: a network that may hold compiled modules.
    """
    if torch.compiler.is_compiling() or not any(_is_compiled(part) for part in network.modules()):
        return nullcontext()
    stance: AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
    return stance


def _is_compiled(part: nn.Module) -> bool:
    return part._compiled_call_impl is not None or "_orig_mod" in part._modules
