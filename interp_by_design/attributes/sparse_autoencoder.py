"""A rival: a sparse autoencoder of the hidden layers with exactly k active units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, final

import torch
import torch.nn.functional as F
from torch import Tensor

from interp_by_design.attributes.dictionary import (
    AttributeDictionary,
    HiddenBatches,
    checked_active,
    checked_count,
    k_largest,
    require_fitted,
)
from interp_by_design.attributes.pooled_features import (
    Cells,
    Standardised,
    all_features,
    cell_count,
    checked_rows,
    drawn_rows,
)
from interp_by_design.attributes.spatial_contributions import SpatialContributions, linear_evidence
from interp_by_design.terms import Attributes, check_whole

BATCH = 256
RATE = 3e-3
DEAD_BELOW = 0.001  # share of samples
SETTLED = 0.75  # of the epochs: after that no unit is replaced


class Autoencoder(NamedTuple):
    """z ≈ Φ D + b, Φ = TopK_k(relu(W (z - b) + a)): W, a, D (rows of unit length), b."""

    encoder: Tensor
    threshold: Tensor
    directions: Tensor
    offset: Tensor

    def encode(self, z: Cells, k: int) -> Attributes:
        """Φ, [n, J]."""
        return k_largest(F.linear(z - self.offset, self.encoder, self.threshold).relu(), k)

    def decode(self, attributes: Attributes) -> Cells:
        """The cells that the attributes stand for."""
        return attributes @ self.directions + self.offset


@final
class SparseAutoencoderDictionary(AttributeDictionary):
    """Φ = TopK_k(relu(W (z - b) + a)), of an autoencoder that gives z back as Φ D + b; at most k attributes are active.

    z are the standardised hidden layers, maps pooled to a grid of `pooled` x `pooled` cells. Fitted to at most `rows` train
    samples, drawn by the seed, in `epochs` passes of Adam over them. A unit that hardly any sample of an epoch activates is
    replaced by the direction of a sample that is given back badly, until three quarters of the passes are done.

    Source: Gao et al. (2024), arXiv 2406.04093; the replacing of dead units is Bricken et al. (2023),
    transformer-circuits.pub/2023/monosemantic-features. Departs from the first in replacing dead units, where it has an
    auxiliary loss, and in starting from directions of samples.
    """

    needs_fit = True
    encoder: Tensor
    threshold: Tensor
    directions: Tensor
    offset: Tensor

    def __init__(
        self,
        shapes: Sequence[torch.Size],
        n_attributes: int,
        k: int,
        pooled: int = 3,
        rows: int = 20_000,
        epochs: int = 30,
    ) -> None:
        """Raises `UserError` unless 1 <= k <= n_attributes, pooled >= 1, rows >= 2 and epochs >= 1."""
        super().__init__()
        check_whole("epochs", epochs, minimum=1)
        self.n_attributes, self.k = checked_count(n_attributes), checked_active(k, n_attributes)
        self.pooled, self.rows, self.epochs = pooled, checked_rows(rows), epochs
        width = cell_count(shapes, pooled)
        self.standardise = Standardised(width)
        self.register_buffer("encoder", torch.zeros(n_attributes, width))
        self.register_buffer("threshold", torch.zeros(n_attributes))
        self.register_buffer("directions", torch.zeros(n_attributes, width))
        self.register_buffer("offset", torch.zeros(width))
        self.register_buffer("fitted", torch.tensor(False))

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        require_fitted(self)
        return self.autoencoder.encode(self.standardise(all_features(hidden, self.pooled)), self.k)

    def evidence(self, hidden: Sequence[Tensor], weights: Attributes) -> SpatialContributions:
        require_fitted(self)
        constant = weights @ (self.threshold - self.encoder @ self.offset)
        directions = weights @ self.encoder * self.standardise.scale
        return linear_evidence(hidden, self.pooled, directions, self.standardise.mean, constant)

    def fit(self, hidden: HiddenBatches, seed: int) -> None:
        cells = (all_features(layers, self.pooled) for layers in hidden())
        rows = drawn_rows(cells, self.rows, seed).to(self.encoder.device)
        self.standardise.fit(rows)
        learnt = trained(self.standardise(rows), self.n_attributes, self.k, self.epochs, seed)
        for name, value in learnt._asdict().items():
            self.get_buffer(name).copy_(value)
        self.fitted.fill_(True)

    @property
    def autoencoder(self) -> Autoencoder:
        """What was fitted."""
        return Autoencoder(self.encoder, self.threshold, self.directions, self.offset)


def trained(z: Cells, n_attributes: int, k: int, epochs: int, seed: int) -> Autoencoder:
    """An autoencoder that minimises the mean of (z - Φ D - b)², by Adam with a cosine rate."""
    draws, ends = torch.Generator().manual_seed(seed), list(range(BATCH, len(z), BATCH))
    learnt = _started(z, n_attributes, draws)
    optimizer = torch.optim.Adam(learnt, RATE)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * -(-len(z) // BATCH))
    with torch.enable_grad():
        for epoch in range(epochs):
            active = torch.zeros(n_attributes, device=z.device)
            for rows in torch.randperm(len(z), generator=draws).to(z.device).tensor_split(ends):
                active += _step(learnt, optimizer, z[rows], k)
                rate.step()
            if epoch + 1 <= SETTLED * epochs:
                replace_dead(learnt, active < DEAD_BELOW * len(z), z, k, draws)
    return Autoencoder(*(part.detach() for part in learnt))


def _started(z: Cells, n_attributes: int, draws: torch.Generator) -> Autoencoder:
    directions = F.normalize(
        z[torch.randint(len(z), (n_attributes,), generator=draws).to(z.device)], dim=1
    )
    parts = (directions, z.new_zeros(n_attributes), directions, z.new_zeros(z.shape[1]))
    return Autoencoder(*(part.clone().requires_grad_() for part in parts))


def _step(learnt: Autoencoder, optimizer: torch.optim.Optimizer, z: Cells, k: int) -> Tensor:
    """One step of the optimiser; how many of these samples activate each unit, [J]."""
    attributes = learnt.encode(z, k)
    optimizer.zero_grad()
    F.mse_loss(learnt.decode(attributes), z).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    with torch.no_grad():
        learnt.directions.copy_(F.normalize(learnt.directions, dim=1))
    return (attributes > 0).sum(dim=0)


@torch.no_grad()
def replace_dead(
    learnt: Autoencoder, dead: Tensor, z: Cells, k: int, draws: torch.Generator
) -> None:
    """Each dead unit becomes the direction of what is missing of a sample, drawn in proportion to its squared error."""
    missing = torch.cat(
        [
            some - learnt.decode(learnt.encode(some, k))
            for some in z.tensor_split(list(range(BATCH, len(z), BATCH)))
        ]
    )
    error = missing.square().sum(dim=1).cpu()
    count = min(int(dead.sum()), int((error > 0).sum()))
    if not count:
        return
    drawn = missing[torch.multinomial(error, count, generator=draws).to(z.device)]
    which = dead.nonzero()[:count, 0]
    learnt.directions[which] = learnt.encoder[which] = F.normalize(drawn, dim=1)
    learnt.threshold[which] = 0.0
