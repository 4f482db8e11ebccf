"""Fidelity of linear probes of the hidden layers: a ceiling for post-hoc interpreters."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from interp_by_design.activations.passes import forward_passes
from interp_by_design.attributes import all_features
from interp_by_design.metrics import linear_ceiling
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Batch, BatchWithActivations

MAX_ROWS = 20_000  # of each split: a few seconds, and bounded memory
POOLED_SIDE = 3  # side of the pooling grid for dictionaries that do not pool

Batches = Iterable[Batch | BatchWithActivations]


def probe_fidelities(
    model: InterpretableModel, train: Batches, test: Batches, seed: int
) -> dict[str, float]:
    """Compute the fidelity of linear probes of what the dictionary of `model` reads.

    Features are pooled as in the dictionary. At most 20,000 samples of each split are used.

    Args:
        model: The model whose hidden layers are probed.
        train: Batches that the probes are fitted to.
        test: Batches that they are scored on.
        seed: The seed of the draw of samples and of the fit.

    Returns:
        `fidelity_rank_probe`, of a probe of rank J, and `fidelity_full_probe`, of full rank.
    """
    n_attributes = model.interpreter.n_attributes
    features, logits = _drawn(model, train, seed)
    test_features, test_logits = _drawn(model, test, seed)
    found = linear_ceiling(features, logits, test_features, test_logits, [n_attributes], seed)
    return {"fidelity_rank_probe": found[n_attributes], "fidelity_full_probe": found[None]}


def _drawn(model: InterpretableModel, batches: Batches, seed: int) -> tuple[Tensor, Tensor]:
    """Draw features and logits of at most `MAX_ROWS` samples; memory holds twice that."""
    side = int(getattr(getattr(model.interpreter, "dictionary", None), "pooled", POOLED_SIDE))
    draws = torch.Generator().manual_seed(seed)
    kept: list[tuple[Tensor, Tensor, Tensor]] = []
    for batch in forward_passes(model.predictor, batches, model.device):
        features = all_features(batch.seen.hidden, side).cpu()
        kept.append(
            (torch.rand(len(features), generator=draws), features, batch.seen.logits.float().cpu())
        )
        if sum(len(lot) for lot, _, _ in kept) > 2 * MAX_ROWS:
            kept = [_first_lots(kept)]
    _, features, logits = _first_lots(kept)
    return features, logits


def _first_lots(kept: list[tuple[Tensor, Tensor, Tensor]]) -> tuple[Tensor, Tensor, Tensor]:
    lots, features, logits = (torch.cat(column) for column in zip(*kept, strict=True))
    rows = lots.argsort()[:MAX_ROWS]
    return lots[rows], features[rows], logits[rows]
