"""Sparse-autoencoder baseline with at most k active units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, final

import torch
import torch.nn.functional as F
from torch import Tensor

from interp_by_design.attributes.dictionary import (
    AttributeDictionary,
    HiddenBatches,
    check_active,
    check_count,
    k_largest,
    require_fitted,
)
from interp_by_design.attributes.pooled_features import (
    Features,
    FeatureStandardiser,
    all_features,
    check_rows,
    feature_count,
    sample_rows,
)
from interp_by_design.attributes.spatial_contributions import (
    SpatialContributions,
    linear_contributions,
)
from interp_by_design.terms import Attributes, check_whole

BATCH_ROWS = 256
LEARNING_RATE = 3e-3
MIN_ACTIVE_SHARE = 0.001  # of the samples of an epoch; a unit below it is dead
REPLACING_SHARE = 0.75  # of the epochs, the first ones, in which dead units are replaced


class Autoencoder(NamedTuple):
    """z ≈ Φ D + b, Φ = TopK_k(relu(W (z - b) + a)).

    Args:
        encoder: W, [J, d].
        threshold: a, [J].
        directions: D, rows of unit length, [J, d].
        offset: b, [d].
    """

    encoder: Tensor
    threshold: Tensor
    directions: Tensor
    offset: Tensor

    def encode(self, z: Features, k: int) -> Attributes:
        """Compute Φ.

        Args:
            z: FeatureStandardiser features, [n, d].
            k: The largest number of active units.

        Returns:
            The attributes, [n, J].
        """
        return k_largest(F.linear(z - self.offset, self.encoder, self.threshold).relu(), k)

    def decode(self, attributes: Attributes) -> Features:
        """Compute Φ D + b.

        Args:
            attributes: Φ, [n, J].

        Returns:
            The reconstructed features, [n, d].
        """
        return attributes @ self.directions + self.offset


@final
class SparseAutoencoderDictionary(AttributeDictionary):
    """Φ = TopK_k(relu(W (z - b) + a)), of an autoencoder that reconstructs z as Φ D + b.

    z are the standardised hidden layers. A unit that hardly any sample of an epoch activates is
    replaced by the residual direction of a badly reconstructed sample, during three quarters of the
    epochs.

    Args:
        shapes: The shapes of the hidden layers, without the batch axis.
        n_attributes: The number of attributes J.
        k: The largest number of active attributes, 1..J.
        pooled: The side of the grid that maps are averaged to.
        rows: The largest number of train samples for the fit, drawn by the seed.
        epochs: The number of passes of Adam over them.

    Raises:
        UserError: A number is out of its range.

    Source: Gao et al. (2024), arXiv 2406.04093; dead units are replaced as by Bricken et al.
        (2023),
    transformer-circuits.pub/2023/monosemantic-features. Departs from the first in replacing dead
    units, where it has an auxiliary loss, and in starting from directions of samples.
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
        super().__init__()
        check_whole("epochs", epochs, minimum=1)
        self.n_attributes, self.k = check_count(n_attributes), check_active(k, n_attributes)
        self.pooled, self.rows, self.epochs = pooled, check_rows(rows), epochs
        width = feature_count(shapes, pooled)
        self.standardise = FeatureStandardiser(width)
        self.register_buffer("encoder", torch.zeros(n_attributes, width))
        self.register_buffer("threshold", torch.zeros(n_attributes))
        self.register_buffer("directions", torch.zeros(n_attributes, width))
        self.register_buffer("offset", torch.zeros(width))
        self.register_buffer("fitted", torch.tensor(False))

    def forward(self, hidden: Sequence[Tensor]) -> Attributes:
        require_fitted(self)
        return self.autoencoder.encode(self.standardise(all_features(hidden, self.pooled)), self.k)

    def spatial_contributions(
        self, hidden: Sequence[Tensor], weights: Attributes
    ) -> SpatialContributions:
        require_fitted(self)
        constant = weights @ (self.threshold - self.encoder @ self.offset)
        directions = weights @ self.encoder * self.standardise.scale
        return linear_contributions(
            hidden, self.pooled, directions, self.standardise.mean, constant
        )

    def fit(self, hidden: HiddenBatches, seed: int) -> None:
        features = (all_features(layers, self.pooled) for layers in hidden())
        rows = sample_rows(features, self.rows, seed).to(self.encoder.device)
        self.standardise.fit(rows)
        z = self.standardise(rows)
        learned = train_autoencoder(z, self.n_attributes, self.k, self.epochs, seed)
        for name, value in learned._asdict().items():
            self.get_buffer(name).copy_(value)
        self.fitted.fill_(True)

    @property
    def autoencoder(self) -> Autoencoder:
        """The fitted autoencoder."""
        return Autoencoder(self.encoder, self.threshold, self.directions, self.offset)


def train_autoencoder(
    z: Features, n_attributes: int, k: int, epochs: int, seed: int
) -> Autoencoder:
    """Minimise the mean of (z - Φ D - b)² by Adam with a cosine learning rate.

    Args:
        z: FeatureStandardiser features, [n, d].
        n_attributes: The number of units J.
        k: The largest number of active units.
        epochs: The number of passes over the rows.
        seed: The seed of the initial directions, the order of rows and the replaced units.

    Returns:
        The trained autoencoder.
    """
    draws = torch.Generator().manual_seed(seed)
    ends = list(range(BATCH_ROWS, len(z), BATCH_ROWS))
    learned = _initialise(z, n_attributes, draws)
    optimizer = torch.optim.Adam(learned, LEARNING_RATE)
    n_steps = epochs * -(-len(z) // BATCH_ROWS)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    with torch.enable_grad():
        for epoch in range(epochs):
            active = torch.zeros(n_attributes, device=z.device)
            for rows in torch.randperm(len(z), generator=draws).to(z.device).tensor_split(ends):
                active += _step(learned, optimizer, z[rows], k)
                schedule.step()
            if epoch + 1 <= REPLACING_SHARE * epochs:
                replace_dead(learned, active < MIN_ACTIVE_SHARE * len(z), z, k, draws)
    return Autoencoder(*(part.detach() for part in learned))


def _initialise(z: Features, n_attributes: int, draws: torch.Generator) -> Autoencoder:
    directions = F.normalize(
        z[torch.randint(len(z), (n_attributes,), generator=draws).to(z.device)], dim=1
    )
    parts = (directions, z.new_zeros(n_attributes), directions, z.new_zeros(z.shape[1]))
    return Autoencoder(*(part.clone().requires_grad_() for part in parts))


def _step(learned: Autoencoder, optimizer: torch.optim.Optimizer, z: Features, k: int) -> Tensor:
    """Take one step of the optimiser; return how many samples activate each unit, [J]."""
    attributes = learned.encode(z, k)
    optimizer.zero_grad()
    F.mse_loss(learned.decode(attributes), z).backward()  # type: ignore[no-untyped-call]
    optimizer.step()
    with torch.no_grad():
        learned.directions.copy_(F.normalize(learned.directions, dim=1))
    return (attributes > 0).sum(dim=0)


@torch.no_grad()
def replace_dead(
    learned: Autoencoder, dead: Tensor, z: Features, k: int, draws: torch.Generator
) -> None:
    """Replace each dead unit by the residual direction of a sample.

    Samples are drawn in proportion to their squared error.

    Args:
        learned: The autoencoder, changed in place.
        dead: Which units to replace, [J].
        z: FeatureStandardiser features, [n, d].
        k: The largest number of active units.
        draws: The random generator.
    """
    batches = z.tensor_split(list(range(BATCH_ROWS, len(z), BATCH_ROWS)))
    residual = torch.cat([rows - learned.decode(learned.encode(rows, k)) for rows in batches])
    error = residual.square().sum(dim=1).cpu()
    count = min(int(dead.sum()), int((error > 0).sum()))
    if not count:
        return
    drawn = residual[torch.multinomial(error, count, generator=draws).to(z.device)]
    which = dead.nonzero()[:count, 0]
    learned.directions[which] = learned.encoder[which] = F.normalize(drawn, dim=1)
    learned.threshold[which] = 0.0
