"""The fitting of a control: its head and its decoder, to attributes that do not learn.

Knows nothing of where the attributes came from, of networks, or of scores.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from math import prod

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import LBFGS, AdamW

from interp_by_design.attributes import AttributeDictionary
from interp_by_design.data.split import unit
from interp_by_design.interpreter import LinearHead
from interp_by_design.learning import one_cycle
from interp_by_design.losses import input_fidelity, output_fidelity
from interp_by_design.terms import Attributes, Indices, Logits

ITERATIONS, FEWEST_ITERATIONS, RIDGE = 200, 50, 1e-5  # of h
PROBABILITIES = 2e9  # that are computed for h in all, where that is enough for the fewest iterations: half a minute on one core
STEPS, FEWEST_STEPS = 1200, 300  # of d
STEP_VALUES = 2**28  # pixels that d is shown in all, where that is enough for the fewest steps
BATCH, LARGE_BATCH, LARGE = (
    128,
    32,
    2**14,
)  # images at once, and values from which an image is large
RATE = 3e-3

Hidden = Callable[[], Iterable[Sequence[Tensor]]]


def adapt(dictionary: AttributeDictionary, hidden: Hidden, seed: int) -> None:
    """Lets a dictionary whose weights stay as they were drawn know the data by its statistics alone; left in evaluation mode.

    Batch statistics become the mean over `hidden()`. A dictionary that is fitted by one call, and has no weights to draw, is
    fitted to the same layers with each unit shuffled among the images: every unit has its own values, and no two go together.
    """
    if dictionary.needs_fit:
        dictionary.fit(lambda: _shuffled(hidden(), seed), seed)
        dictionary.eval()
        return
    with torch.no_grad(), _averaging(dictionary):
        for layers in hidden():
            if len(layers[0]) > 1:  # one image has no variance
                dictionary(layers)


def fit_head(head: LinearHead, attributes: Attributes, logits: Logits) -> None:
    """The h that follows f best on these rows, by output fidelity: a convex problem, solved by L-BFGS from zero.

    Solved in attributes of equal size, so that it matters little how large those are. Many classes on many rows are given fewer
    than 200 iterations.
    """
    iterations = max(
        FEWEST_ITERATIONS, min(ITERATIONS, int(PROBABILITIES / max(1, logits.numel())))
    )
    size = attributes.square().mean(dim=0).sqrt()
    scaled = attributes / size.where(size > 0, 1)
    weights, bias = (
        torch.zeros_like(head.weights, requires_grad=True),
        torch.zeros_like(head.bias, requires_grad=True),
    )
    parameters = [weights] if head.linear.bias is None else [weights, bias]
    optimizer = LBFGS(parameters, max_iter=iterations, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = (
            output_fidelity(F.linear(scaled, weights, bias), logits)
            + RIDGE * weights.square().sum()
        )
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():
        optimizer.step(loss)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        head.weights.copy_(weights / size.where(size > 0, 1))
        if head.linear.bias is not None:
            head.linear.bias.copy_(bias)


def fit_decoder(decoder: nn.Module, attributes: Attributes, pixels: Tensor, seed: int) -> None:
    """d by input fidelity: up to 1,200 steps of AdamW with a one-cycle rate, fewer where images are large.

    pixels: the images of the rows of `attributes`, as a split keeps them.
    """
    values = prod(pixels.shape[1:])
    batch = LARGE_BATCH if values >= LARGE else BATCH
    steps = max(FEWEST_STEPS, min(STEPS, STEP_VALUES // (values * batch)))
    optimizer = AdamW(decoder.parameters(), RATE, weight_decay=0.01)
    rate = one_cycle(optimizer, steps, pct_start=0.2)
    decoder.train()
    with torch.enable_grad():
        for rows in _drawn(len(attributes), batch, steps, seed):
            optimizer.zero_grad()
            images = unit(pixels[rows]).to(attributes)
            input_fidelity(decoder(attributes[rows.to(attributes.device)]), images).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            rate.step()
    decoder.eval()


def _drawn(n: int, batch: int, steps: int, seed: int) -> Iterator[Indices]:
    """`steps` batches of rows, epoch after epoch, each epoch in an order of its own; what does not fill a batch is left out."""
    draws = torch.Generator().manual_seed(seed)
    batch = min(batch, n)
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if len(order) < batch:
            order = torch.randperm(n, generator=draws)
        yield order[:batch]
        order = order[batch:]


@contextmanager
def _averaging(dictionary: AttributeDictionary) -> Iterator[None]:
    """In training mode for the block, each batch statistic an average over the whole block, whatever its momentum was."""
    norms = [part for part in dictionary.modules() if isinstance(part, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    dictionary.train()
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        dictionary.eval()


def _shuffled(hidden: Iterable[Sequence[Tensor]], seed: int) -> Iterator[list[Tensor]]:
    draws = torch.Generator().manual_seed(seed)
    for layers in hidden:
        yield [_units_shuffled(layer, draws) for layer in layers]


def _units_shuffled(layer: Tensor, draws: torch.Generator) -> Tensor:
    """Each unit's values among the images of a batch, every unit in an order of its own."""
    values = layer.flatten(1)
    order = torch.rand(values.shape, generator=draws).argsort(dim=0)
    return values.gather(0, order.to(values.device)).view_as(layer)
