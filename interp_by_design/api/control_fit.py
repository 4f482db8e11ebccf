"""Fits of the head and the decoder of a negative control, whose attributes do not learn."""

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

MAX_ITERATIONS = 200  # of L-BFGS, for h
MIN_ITERATIONS = 50
RIDGE = 1e-5  # times the squared weights of h
MAX_PROBABILITIES = 2e9  # computed for h: half a minute on one core; more for MIN_ITERATIONS
MAX_STEPS = 1200  # of gradient descent, for d
MIN_STEPS = 300
MAX_PIXELS = 2**28  # decoded for d; more for MIN_STEPS
BATCH_SIZE = 128
LARGE_BATCH_SIZE = 32  # of large images
MIN_LARGE_VALUES = 2**14  # of an image, from which it is large
LEARNING_RATE = 3e-3

Hidden = Callable[[], Iterable[Sequence[Tensor]]]


def adapt(dictionary: AttributeDictionary, hidden: Hidden, seed: int) -> None:
    """Adapt a random dictionary to the statistics of the data, and leave it in evaluation mode.

    Batch statistics become the mean over all batches; weights stay. A dictionary that is fitted by
    one call, and has no weights to draw, is fitted to layers in which each unit is shuffled among
    the images, so that no two units vary together.

    Args:
        dictionary: The dictionary.
        hidden: Returns the hidden layers, batch by batch.
        seed: The seed of the shuffling, and of the fit by one call.
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
    """Fit the h that follows f best, by output fidelity.

    A convex problem, solved by L-BFGS from zero. It is solved in attributes of equal size, so that
    their scale hardly matters. Many classes on many rows get fewer than 200 iterations.

    Args:
        head: The head, whose weights are replaced.
        attributes: φ of each row, [n, J].
        logits: f's logits on each row, [n, C].
    """
    iterations = max(
        MIN_ITERATIONS, min(MAX_ITERATIONS, int(MAX_PROBABILITIES / max(1, logits.numel())))
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
    """Fit d by input fidelity: up to 1,200 steps of AdamW with a one-cycle rate.

    Args:
        decoder: The decoder, which is left in evaluation mode.
        attributes: φ of each row, [n, J].
        pixels: The image of each row, as a split stores them.
        seed: The seed of the order of the rows.
    """
    values = prod(pixels.shape[1:])
    batch = LARGE_BATCH_SIZE if values >= MIN_LARGE_VALUES else BATCH_SIZE
    steps = max(MIN_STEPS, min(MAX_STEPS, MAX_PIXELS // (values * batch)))
    optimizer = AdamW(decoder.parameters(), LEARNING_RATE, weight_decay=0.01)
    rate = one_cycle(optimizer, steps, pct_start=0.2)
    draws = torch.Generator().manual_seed(seed)
    decoder.train()
    with torch.enable_grad():
        for rows in shuffled_batches(len(attributes), batch, steps, draws):
            optimizer.zero_grad()
            images = unit(pixels[rows]).to(attributes)
            decoded = decoder(attributes[rows.to(attributes.device)])
            loss = input_fidelity(decoded, images)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            rate.step()
    decoder.eval()


def shuffled_batches(
    n: int, batch: int, steps: int, draws: torch.Generator | None = None
) -> Iterator[Indices]:
    """Return batches of row numbers, epoch after epoch, each epoch in its own order.

    Args:
        n: How many rows there are.
        batch: The rows of a batch; an incomplete batch at the end of an epoch is left out.
        steps: How many batches to return.
        draws: Draws the orders; None for torch's own generator.

    Returns:
        The batches, [min(n, batch)] each.
    """
    batch = min(batch, n)
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if len(order) < batch:
            order = torch.randperm(n, generator=draws)
        yield order[:batch]
        order = order[batch:]


@contextmanager
def _averaging(dictionary: AttributeDictionary) -> Iterator[None]:
    """Average each batch statistic over the whole block, in training mode."""
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
    """Shuffle each unit's values among the images of a batch, every unit in its own order."""
    values = layer.flatten(1)
    order = torch.rand(values.shape, generator=draws).argsort(dim=0)
    return values.gather(0, order.to(values.device)).view_as(layer)
