"""Linear probes of the hidden layers: an upper bound for post-hoc fidelity."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from interp_by_design.activations.passes import forward_passes
from interp_by_design.attributes import all_features
from interp_by_design.metrics import linear_ceiling
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Batch, BatchWithActivations

ROWS = 20_000  # of each split: some seconds, and memory that does not grow
GRID = 3  # cells on a side, for dictionaries that pool nothing

Batches = Iterable[Batch | BatchWithActivations]


def probe_fidelities(
    model: InterpretableModel, train: Batches, test: Batches, seed: int
) -> dict[str, float]:
    """Compute the fidelity of linear probes, of rank J and of full rank.

    They read what the dictionary of `model` reads, pooled in the same way, from at most 20,000
    samples of each split, drawn by the seed.

    Args:
        model: f and g.
        train: Batches for the fit.
        test: Batches for the score.
        seed: Of draws and fit.

    Returns:
        `fidelity_rank_probe` and `fidelity_full_probe`.
    """
    n_attributes = model.interpreter.n_attributes
    cells, logits = _drawn(model, train, seed)
    test_cells, test_logits = _drawn(model, test, seed)
    found = linear_ceiling(cells, logits, test_cells, test_logits, [n_attributes], seed)
    return {"fidelity_rank_probe": found[n_attributes], "fidelity_full_probe": found[None]}


def _drawn(model: InterpretableModel, batches: Batches, seed: int) -> tuple[Tensor, Tensor]:
    """Cells and logits of at most `ROWS` samples, each as likely as any other; twice as many are in memory at most."""
    side = int(getattr(getattr(model.interpreter, "dictionary", None), "pooled", GRID))
    draws = torch.Generator().manual_seed(seed)
    kept: list[tuple[Tensor, Tensor, Tensor]] = []
    for batch in forward_passes(model.predictor, batches, model.device):
        cells = all_features(batch.seen.hidden, side).cpu()
        kept.append(
            (torch.rand(len(cells), generator=draws), cells, batch.seen.logits.float().cpu())
        )
        if sum(len(lot) for lot, _, _ in kept) > 2 * ROWS:
            kept = [_first_lots(kept)]
    _, cells, logits = _first_lots(kept)
    return cells, logits


def _first_lots(kept: list[tuple[Tensor, Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    lots, cells, logits = (torch.cat(column) for column in zip(*kept, strict=True))
    rows = lots.argsort()[:ROWS]
    return lots[rows], cells[rows], logits[rows]
