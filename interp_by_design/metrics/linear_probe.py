"""Ceiling: how well any linear reading of the same hidden layers can follow f, of a bounded rank or of none.

Knows nothing of dictionaries, networks or tables: tensors in, numbers out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from interp_by_design.metrics.agreement import agrees
from interp_by_design.metrics.table_batches import ROWS, require_finite
from interp_by_design.terms import Logits, UserError, check_whole

Cells = Float[Tensor, "n cells"]

TRAIN_ROWS = 20_000
HELD_OUT = 10  # one row in so many
RIDGES = (3e-3, 3e-2, 3e-1)  # times the rows
DECAYS = (1e-2, 1.0)
BATCH, RATE, STEPS, LOOKS = 256, 1e-3, 600, 20
OPERATIONS = 2e11  # of one training: a few seconds on two cores, where 1,000 classes and 7,000 cells would take minutes


class _Rows(NamedTuple):
    cells: Cells
    logits: Logits


class _Scaling(NamedTuple):
    """Standardises cells; one that was the same in all rows becomes 0."""

    mean: Tensor
    scale: Tensor

    @classmethod
    def of(cls, cells: Cells) -> _Scaling:
        deviation, mean = torch.std_mean(cells, dim=0, correction=0)
        return cls(mean, torch.where(deviation > 1e-6 * mean.abs(), 1 / deviation, 0.0))

    def apply(self, cells: Tensor, rows: Tensor) -> Cells:
        """These rows of the cells."""
        return (_single(cells, rows) - self.mean) * self.scale


class _Probe(NamedTuple):
    """Logits `cells @ factors[0] @ … + bias`: one factor for full rank, two for a bottleneck."""

    factors: tuple[Tensor, ...]
    bias: Tensor

    def logits(self, cells: Cells) -> Logits:
        for factor in self.factors:
            cells = cells @ factor
        return cells + self.bias

    def copied(self) -> _Probe:
        return _Probe(
            tuple(factor.detach().clone() for factor in self.factors), self.bias.detach().clone()
        )


def linear_ceiling(
    train_cells: Tensor,
    train_logits: Tensor,
    test_cells: Tensor,
    test_logits: Tensor,
    ranks: Sequence[int],
    seed: int,
) -> dict[int | None, float]:
    """Fidelity on test, in 0..1, of a linear probe of each rank, and of one of full rank under None.

    Cells are [n, d], logits [n, C]. The probes read the standardised cells and learn f's soft decisions, with a bias and without
    sparsity, from at most 20,000 train rows that the seed draws, a tenth of them held out to choose by. J attributes of a linear
    dictionary are a probe of rank J, and can hardly follow f better: a ceiling that is estimated, not a bound that is proved. A
    rank of C or more, or of all cells, is full.

    Raises `UserError` for a rank below 1, fewer than ten train rows, shapes that do not fit, and NaN or an infinity.

    Source: reduced-rank regression, Izenman (1975), to start from; then cross-entropy. The house's own.
    """
    columns = {
        "train_cells": train_cells,
        "train_logits": train_logits,
        "test_cells": test_cells,
        "test_logits": test_logits,
    }
    _require(columns, ranks)
    drawn = torch.randperm(len(train_cells), generator=torch.Generator().manual_seed(seed))[
        :TRAIN_ROWS
    ]
    held_out, kept = drawn[: len(drawn) // HELD_OUT], drawn[len(drawn) // HELD_OUT :]
    scaling = _Scaling.of(_single(train_cells, kept))
    train, held = (
        _Rows(scaling.apply(train_cells, rows), _single(train_logits, rows))
        for rows in (kept, held_out)
    )
    start = _least_squares(train, held)

    def fidelity(start: _Probe) -> float:
        probe = _trained(start, train, held, seed)
        parts = [
            torch.arange(first, min(first + ROWS, len(test_cells)))
            for first in range(0, len(test_cells), ROWS)
        ]
        same = [
            agrees(_single(test_logits, rows), probe.logits(scaling.apply(test_cells, rows)))
            for rows in parts
        ]
        return float(torch.cat(same).double().mean())

    full, most = fidelity(start), min(train.cells.shape[1], train.logits.shape[1])
    bounded: dict[int | None, float] = {
        rank: fidelity(_of_rank(start, train, rank)) if rank < most else full
        for rank in dict.fromkeys(ranks)
    }
    return bounded | {None: full}


def _least_squares(train: _Rows, held: _Rows) -> _Probe:
    """The ridge regression of f's logits that follows f best on the rows held out."""
    n, d = train.cells.shape
    # Less what a row's logits have in common, which no decision hangs on either.
    logits = train.logits - train.logits @ train.logits.softmax(dim=1).mean(dim=0)[:, None]
    bias = logits.mean(dim=0)
    targets = logits - bias
    gram = train.cells.T @ train.cells if d <= n else train.cells @ train.cells.T
    probes = []
    for ridge in RIDGES:
        inner = torch.linalg.cholesky(gram + n * ridge * torch.eye(len(gram)))
        if d <= n:
            weights = torch.cholesky_solve(train.cells.T @ targets, inner)
        else:
            weights = train.cells.T @ torch.cholesky_solve(targets, inner)
        probes.append(_Probe((weights,), bias))
    return max(probes, key=lambda probe: _merit(probe, held))


def _of_rank(start: _Probe, train: _Rows, rank: int) -> _Probe:
    """Reduced-rank regression: the fit of full rank, projected on the first right singular vectors of what it gives.

    Each class counts by its mean probability: a rank is not spent on logits that no decision hangs on, such as those of the
    classes that have no sample.
    """
    weights = train.logits.softmax(dim=1).mean(dim=0).clamp(min=1e-6).sqrt()
    fitted = train.cells @ start.factors[0] * weights
    vectors = torch.linalg.eigh(fitted.T @ fitted).eigenvectors[:, -rank:]
    return _Probe((start.factors[0] * weights @ vectors, vectors.T / weights), start.bias)


def _trained(start: _Probe, train: _Rows, held: _Rows, seed: int) -> _Probe:
    """The probe that follows f best on the rows held out: `start`, or one seen while it learns f's soft decisions."""
    best, merit = start, _merit(start, held)
    affordable = int(OPERATIONS / (6 * BATCH * sum(factor.numel() for factor in start.factors)))
    steps = max(LOOKS, min(STEPS, affordable))
    soft = train.logits.softmax(dim=1)
    for decay in DECAYS:
        draws = torch.Generator().manual_seed(seed)
        probe = start.copied()
        parameters = [part.requires_grad_() for part in (*probe.factors, probe.bias)]
        optimizer = torch.optim.AdamW(parameters, RATE, weight_decay=decay)
        rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=steps + 1)
        for step in range(1, steps + 1):
            rows = torch.randint(len(soft), (min(BATCH, len(soft)),), generator=draws)
            optimizer.zero_grad()
            F.cross_entropy(probe.logits(train.cells[rows]), soft[rows]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            rate.step()
            if step % (steps // LOOKS) == 0 and (now := _merit(probe, held)) > merit:
                best, merit = probe.copied(), now
    return best


@torch.no_grad()
def _merit(probe: _Probe, held: _Rows) -> tuple[float, float]:
    """Fidelity, then, among few rows, where many are equal, the cross-entropy."""
    logits = probe.logits(held.cells)
    fidelity = agrees(held.logits, logits).double().mean()
    return float(fidelity), -float(F.cross_entropy(logits, held.logits.softmax(dim=1)))


def _single(values: Tensor, rows: Tensor) -> Tensor:
    """These rows on the CPU, in single precision, without gradients."""
    return values.detach()[rows.to(values.device)].to("cpu", torch.float32)


def _require(columns: dict[str, Tensor], ranks: Sequence[int]) -> None:
    shapes = {name: tuple(column.shape) for name, column in columns.items()}
    (n, d), (n_logits, n_classes), (m, d_test), (m_logits, n_classes_test) = shapes.values()
    if (
        (n, m, d, n_classes) != (n_logits, m_logits, d_test, n_classes_test)
        or d < 1
        or n_classes < 2
    ):
        raise UserError(
            f"The ceiling takes cells [n, d] and logits [n, C] of train and test, d >= 1, C >= 2; not {shapes}."
        )
    if n < HELD_OUT or not m:
        raise UserError(
            f"The ceiling needs {HELD_OUT} train rows and one test row at least, not {n} and {m}."
        )
    for rank in ranks:  # full rank is always there, under None
        check_whole("A rank", rank, minimum=1)
    require_finite(columns)
