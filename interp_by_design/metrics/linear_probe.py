"""Linear probes: how well a linear map of features follows a classifier."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, final

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from interp_by_design.metrics.agreement import agrees, is_right
from interp_by_design.metrics.table_batches import require_finite, row_slices
from interp_by_design.statistics import Standardisation
from interp_by_design.terms import Logits, UserError, check_whole

MAX_TRAIN_ROWS = 20_000
HELD_OUT = 10  # one train row in so many
RIDGES = (3e-3, 3e-2, 3e-1)  # times the rows
DECAYS = (1e-2, 1.0)  # AdamW's weight decay
BATCH_SIZE = 256
LEARNING_RATE = 1e-3
MAX_STEPS = 600  # of gradient descent
N_CHECKS = 20  # of the held-out rows, during gradient descent
MAX_OPERATIONS = 2e11  # of one training: a few seconds on two cores, however large the probe

Features = Float[Tensor, "n features"]


@final
@dataclass(frozen=True, eq=False)
class LinearProbe:
    """A fitted linear map from features to logits.

    Logits are `z @ factors[0] @ … + bias`, z the standardised features: one factor for full rank,
    two for a bottleneck.

    Args:
        standardisation: The standardisation of the features, [d].
        factors: One matrix [d, C], or two, [d, rank] and [rank, C].
        bias: The bias, [C].
        fidelity: The share of the held-out rows that the probe decides as the logits that it was
            fitted to, in 0..1; for a probe of labels, its accuracy. The held-out rows also served
            to choose among probes, so that it is slightly optimistic.

    >>> standardisation = Standardisation(mean=torch.zeros(2), scale=torch.ones(2))
    >>> probe = LinearProbe(standardisation, (torch.eye(2),), torch.zeros(2), fidelity=1.0)
    >>> probe.score(torch.tensor([[3.0, 1.0], [0.0, 2.0]]), torch.tensor([0, 0]))
    0.5
    """

    standardisation: Standardisation
    factors: tuple[Tensor, ...]
    bias: Tensor
    fidelity: float

    @property
    def rank(self) -> int:
        """The largest rank that the map can have."""
        return min(min(factor.shape) for factor in self.factors)

    @torch.no_grad()
    def logits(self, features: Features) -> Logits:
        """Compute the probe's logits.

        Args:
            features: The features, [n, d], on any device and in any precision.

        Returns:
            The logits, [n, C], on the CPU and in single precision.
        """
        return self.differentiable_logits(_single(features))

    def differentiable_logits(self, features: Features) -> Logits:
        """Compute the probe's logits, with gradients.

        Args:
            features: The features, [n, d].

        Returns:
            The logits, [n, C], on the device and in the precision of the features.
        """
        mean, scale = (part.to(features) for part in self.standardisation)
        inputs = Standardisation(mean, scale).apply(features)
        factors = tuple(factor.to(features) for factor in self.factors)
        return _Map(factors, self.bias.to(features)).logits(inputs)

    def score(self, features: Tensor, targets: Tensor) -> float:
        """Compute how often the probe decides as the targets do.

        Args:
            features: The features, [n, d].
            targets: Logits of a classifier, [n, C], or labels, [n].

        Returns:
            The fidelity to the logits, or the accuracy on the labels, in 0..1.
        """
        same = [
            _decide_alike(targets[rows], self.logits(features[rows]))
            for rows in row_slices(len(features))
        ]
        return float(torch.cat(same).double().mean())


def fit_probe(features: Tensor, targets: Tensor, seed: int, rank: int | None = None) -> LinearProbe:
    """Fit a linear probe to a classifier's soft decisions, or to labels.

    Args:
        features: The features, [n, d], n at least 10.
        targets: Logits of a classifier, [n, C], or integer labels, [n], from 0 to C - 1.
        seed: The seed of the draw of at most 20,000 rows, and of the batches.
        rank: The largest rank of the map; None for no bound. A rank of C or d, or more, is none.

    Returns:
        The probe that follows the targets best on the tenth of the rows that is held out.

    Raises:
        UserError: The shapes do not fit, there are fewer than ten rows or two classes, the rank is
            below 1, or a number is not finite.

    Source: reduced-rank regression, Izenman (1975), as the start; then cross-entropy. Original to
    this project.
    """
    return fit_probes(features, targets, seed, [rank])[rank]


def fit_probes(
    features: Tensor, targets: Tensor, seed: int, ranks: Sequence[int | None]
) -> dict[int | None, LinearProbe]:
    """Fit linear probes of several ranks to the same rows, as `fit_probe` fits one.

    Args:
        features: The features, [n, d], n at least 10.
        targets: Logits of a classifier, [n, C], or integer labels, [n], from 0 to C - 1.
        seed: The seed of the draw of at most 20,000 rows, and of the batches.
        ranks: The largest ranks of the maps; None for no bound.

    Returns:
        The probes, by rank.

    Raises:
        UserError: As `fit_probe` does.
    """
    _require(features, targets, ranks)
    draws = torch.Generator().manual_seed(seed)
    drawn = torch.randperm(len(features), generator=draws)[:MAX_TRAIN_ROWS]
    n_held_out = len(drawn) // HELD_OUT
    held_out, kept = drawn[:n_held_out].to(features.device), drawn[n_held_out:].to(features.device)
    standardisation = Standardisation.fit(_single(features[kept]))
    logits = _as_logits(targets)
    train, held = (
        _Rows(
            standardisation.apply(_single(features[rows])), _single(logits[rows.to(logits.device)])
        )
        for rows in (kept, held_out)
    )
    start = _least_squares(train, held)
    full_rank = min(train.features.shape[1], train.logits.shape[1])
    probes: dict[int | None, LinearProbe] = {}
    for rank in ranks:
        reduced = None if rank is None or rank >= full_rank else rank
        if reduced not in probes:
            first = start if reduced is None else _reduce_rank(start, train, reduced)
            best = _train(first, train, held, seed)
            fidelity, _ = _merit(best, held)
            probes[reduced] = LinearProbe(standardisation, best.factors, best.bias, fidelity)
        probes[rank] = probes[reduced]
    return {rank: probes[rank] for rank in ranks}


def linear_ceiling(
    train_features: Tensor,
    train_logits: Tensor,
    test_features: Tensor,
    test_logits: Tensor,
    ranks: Sequence[int],
    seed: int,
) -> dict[int | None, float]:
    """Compute the fidelity on test that linear probes of the same features reach.

    The probes have a bias and no sparsity. J attributes of a linear dictionary are a probe of rank
    J, and can hardly follow f better: a ceiling that is estimated, not a bound that is proved.

    Args:
        train_features: The features of the train rows, [n, d], n at least 10.
        train_logits: f's logits on these, [n, C].
        test_features: The features of the test rows, [m, d].
        test_logits: f's logits on these, [m, C].
        ranks: The ranks of the probes, at least 1. A rank of C or d, or more, is full.
        seed: The seed of `fit_probe`.

    Returns:
        The fidelity of the probe of each rank, in 0..1, and of the full rank under None.

    Raises:
        UserError: As `fit_probe` does, or the test rows do not fit the train rows.
    """
    columns = {
        "train_features": train_features,
        "train_logits": train_logits,
        "test_features": test_features,
        "test_logits": test_logits,
    }
    _require_split(columns, ranks)
    probes = fit_probes(train_features, train_logits, seed, [None, *ranks])
    scores = {id(probe): probe.score(test_features, test_logits) for probe in probes.values()}
    return {rank: scores[id(probes[rank])] for rank in (*dict.fromkeys(ranks), None)}


class _Rows(NamedTuple):
    """Standardised features and the targets' logits."""

    features: Features
    logits: Logits


class _Map(NamedTuple):
    """Logits `features @ factors[0] @ … + bias`."""

    factors: tuple[Tensor, ...]
    bias: Tensor

    def logits(self, features: Features) -> Logits:
        for factor in self.factors:
            features = features @ factor
        return features + self.bias

    def copied(self) -> _Map:
        return _Map(
            tuple(factor.detach().clone() for factor in self.factors), self.bias.detach().clone()
        )


def _least_squares(train: _Rows, held: _Rows) -> _Map:
    """Return the ridge regression of the logits that follows them best on the held-out rows."""
    n, d = train.features.shape
    # Less what the logits of a row have in common, which does not change its decision.
    logits = train.logits - train.logits @ train.logits.softmax(dim=1).mean(dim=0)[:, None]
    bias = logits.mean(dim=0)
    targets = logits - bias
    wide = d > n
    gram = train.features @ train.features.T if wide else train.features.T @ train.features
    maps = []
    for ridge in RIDGES:
        inner = torch.linalg.cholesky(gram + n * ridge * torch.eye(len(gram)))
        if wide:
            weights = train.features.T @ torch.cholesky_solve(targets, inner)
        else:
            weights = torch.cholesky_solve(train.features.T @ targets, inner)
        maps.append(_Map((weights,), bias))
    return max(maps, key=lambda found: _merit(found, held))


def _reduce_rank(start: _Map, train: _Rows, rank: int) -> _Map:
    """Project the fit of full rank on the first right singular vectors of its predictions.

    Each class counts by its mean probability, so that no rank is spent on logits that decide
    nothing, such as those of classes without samples.
    """
    weights = train.logits.softmax(dim=1).mean(dim=0).clamp(min=1e-6).sqrt()
    fitted = train.features @ start.factors[0] * weights
    vectors = torch.linalg.eigh(fitted.T @ fitted).eigenvectors[:, -rank:]
    return _Map((start.factors[0] * weights @ vectors, vectors.T / weights), start.bias)


def _train(start: _Map, train: _Rows, held: _Rows, seed: int) -> _Map:
    """Return the best on the held-out rows of `start` and the maps of its gradient descent."""
    best, merit = start, _merit(start, held)
    size = sum(factor.numel() for factor in start.factors)
    steps = max(N_CHECKS, min(MAX_STEPS, int(MAX_OPERATIONS / (6 * BATCH_SIZE * size))))
    soft = train.logits.softmax(dim=1)
    for decay in DECAYS:
        draws = torch.Generator().manual_seed(seed)
        now = start.copied()
        parameters = [part.requires_grad_() for part in (*now.factors, now.bias)]
        optimizer = torch.optim.AdamW(parameters, LEARNING_RATE, weight_decay=decay)
        rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps + 1)
        for step in range(1, steps + 1):
            rows = torch.randint(len(soft), (min(BATCH_SIZE, len(soft)),), generator=draws)
            optimizer.zero_grad()
            loss = F.cross_entropy(now.logits(train.features[rows]), soft[rows])
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            rate.step()
            if step % (steps // N_CHECKS) == 0 and (reached := _merit(now, held)) > merit:
                best, merit = now.copied(), reached
    return best


@torch.no_grad()
def _merit(found: _Map, held: _Rows) -> tuple[float, float]:
    """Return the fidelity, then, since it is often equal on few rows, minus the cross-entropy."""
    logits = found.logits(held.features)
    fidelity = agrees(held.logits, logits).double().mean()
    return float(fidelity), -float(F.cross_entropy(logits, held.logits.softmax(dim=1)))


def _decide_alike(targets: Tensor, logits: Logits) -> Bool[Tensor, "n"]:
    if targets.ndim == 1:
        return is_right(logits, targets.cpu())
    return agrees(_single(targets), logits)


def _as_logits(targets: Tensor) -> Logits:
    """Return labels as the logits of a classifier that gives them a probability of .993."""
    if targets.ndim == 2:
        return targets
    n_classes = int(targets.max()) + 1
    return F.one_hot(targets.long(), n_classes) * (5.0 + math.log(n_classes - 1))


def _single(values: Tensor) -> Tensor:
    return values.detach().to("cpu", torch.float32)


def _require(features: Tensor, targets: Tensor, ranks: Sequence[int | None]) -> None:
    labelled = targets.ndim == 1 and not targets.is_floating_point()
    shapes = f"{tuple(features.shape)} and {tuple(targets.shape)}"
    if features.ndim != 2 or not (targets.ndim == 2 or labelled) or len(features) != len(targets):
        raise UserError(
            "A probe takes features [n, d], and logits [n, C] or whole-numbered labels [n]; "
            f"not {shapes}."
        )
    if len(features) < HELD_OUT or not features.shape[1]:
        raise UserError(f"A probe needs at least {HELD_OUT} rows and one feature, not {shapes}.")
    n_classes = int(targets.max()) + 1 if labelled else targets.shape[1]
    if n_classes < 2 or (labelled and int(targets.min()) < 0):
        raise UserError("A probe needs at least two classes, and labels from 0 on.")
    for rank in ranks:
        if rank is not None:
            check_whole("A rank", rank, minimum=1)
    require_finite({"features": features, "targets": targets})


def _require_split(columns: Mapping[str, Tensor], ranks: Sequence[int]) -> None:
    shapes = {name: tuple(column.shape) for name, column in columns.items()}
    (n, d), (n_logits, n_classes), (m, d_test), (m_logits, n_classes_test) = shapes.values()
    fits = (n, m, d, n_classes) == (n_logits, m_logits, d_test, n_classes_test)
    if not fits or d < 1 or n_classes < 2:
        raise UserError(
            "The ceiling takes features [n, d] and logits [n, C] of train and test, "
            f"d >= 1, C >= 2; not {shapes}."
        )
    if n < HELD_OUT or not m:
        raise UserError(
            f"The ceiling needs at least {HELD_OUT} train rows and one test row, not {n} and {m}."
        )
    for rank in ranks:
        check_whole("A rank", rank, minimum=1)
    require_finite(columns)
