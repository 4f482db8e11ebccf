"""SENN: a network that decides by concepts with weights of their own for each image.

    f_c(x) = Σ_j θ_cj(x) h_j(x)
    L = CE(f(x), y) + λ |∇_x f - θ(x)ᵀ J_h(x)| + |d(h(x)) - x|² + σ |h(x)|₁

It cannot be an `Interpreter`: relevance, what-if and global explanations rest on one weight for
each pair of class and attribute, and here each image has its own. It is trained by its own loop,
and scored by the same functions of contributions, `α_j(x) = θ_{c(x)j}(x) h_j(x)` in place of
`φ_j(x) w_{j,c(x)}`.

Source: Alvarez-Melis and Jaakkola (2018), "Towards robust interpretability with self-explaining
neural networks", arXiv 1806.07538, section 3; λ and σ are those of its code. Departs from it in the
encoders (two LeNets), the optimiser (AdamW, one cycle), the number of concepts (FLINT's 25), and in
estimating the norm over classes by one random combination of them a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR

from interp_by_design.data.datamodule import ImageData
from interp_by_design.explain.stability import MOVES, noisy
from interp_by_design.interpreter import DenseDecoder
from interp_by_design.metrics.tau_curves import (
    TAUS,
    conciseness,
    conciseness_abs,
    left_out,
    score_key,
)
from interp_by_design.predictor import LeNet
from interp_by_design.relevance import normalised, shown
from interp_by_design.terms import Attributes, DataFacts, Images, Logits, Scalar

N_NOISY = 500  # test images whose explanations are repeated under noise

Relevances = Float[Tensor, "n classes concepts"]


class Decided(NamedTuple):
    """The network's output for a batch.

    Args:
        concepts: h [n, J], of either sign.
        relevances: θ [n, C, J].
        logits: their sums [n, C].
    """

    concepts: Attributes
    relevances: Relevances
    logits: Logits

    @property
    def contributions(self) -> Attributes:
        """The contribution of each concept to the logit of the decided class, [n, J]."""
        return (
            self.concepts
            * self.relevances[torch.arange(len(self.logits)), self.logits.argmax(dim=1)]
        )


class Senn(nn.Module):
    """f = g = Σ_j θ_j(x) h_j(x), with the decoder of its concepts. Images are in [0, 1].

    Args:
        facts: shape, classes and normalisation of the data.
        n_concepts: number of concepts J.
        channels: maps of the encoders' convolutions.
        width: units of their dense stage.
    """

    def __init__(
        self,
        facts: DataFacts,
        n_concepts: int = 25,
        channels: tuple[int, int] = (10, 20),
        width: int = 64,
    ) -> None:
        super().__init__()
        self.facts, self.n_concepts = facts, n_concepts
        self.h = LeNet(facts.image_shape, n_concepts, channels, width)
        self.theta = LeNet(facts.image_shape, facts.n_classes * n_concepts, channels, width)
        self.decoder = DenseDecoder(n_concepts, facts.image_shape)

    def forward(self, images: Images) -> Decided:
        x = self.facts.normalisation.apply(images)
        concepts, relevances = (
            self.h(x),
            self.theta(x).unflatten(1, (self.facts.n_classes, self.n_concepts)),
        )
        return Decided(concepts, relevances, torch.einsum("ncj,nj->nc", relevances, concepts))


@dataclass(frozen=True)
class Weights:
    """Weights of the loss.

    Args:
        stability: λ.
        reconstruction: weight of the reconstruction.
        sparsity: σ.
    """

    stability: float = 1e-2
    reconstruction: float = 1.0
    sparsity: float = 1e-4


def unsteadiness(decided: Decided, images: Images, directions: Logits) -> Scalar:
    """Return `mean_x | vᵀ (∇_x f - θ(x)ᵀ J_h(x)) |`: how far f is from linear in its concepts.

    Since `∇_x Σ_j θ_j h_j = θᵀ J_h + Σ_j h_j ∇_x θ_j`, the difference is the last sum, one product
    of a vector and a Jacobian.

    Args:
        decided: the network's output for `images`.
        images: images [n, c, h, w] that require a gradient.
        directions: v [n, C].
    """
    weights = directions[:, :, None] * decided.concepts[:, None, :]
    (found,) = torch.autograd.grad(decided.relevances, images, weights, create_graph=True)
    return (
        (found.flatten(1).square().sum(dim=1) + 1e-12).sqrt().mean()
    )  # the root of 0 has no gradient


def loss_of(model: Senn, images: Images, labels: Tensor, weights: Weights) -> Scalar:
    """Return the whole loss of a batch.

    Args:
        model: the network.
        images: images [n, c, h, w] in [0, 1].
        labels: [n].
        weights: weights of the terms.
    """
    images = images.detach().clone().requires_grad_()
    decided = model(images)
    loss = F.cross_entropy(decided.logits, labels)
    if weights.stability:
        loss = loss + weights.stability * unsteadiness(
            decided, images, torch.randn_like(decided.logits)
        )
    loss = loss + weights.reconstruction * F.mse_loss(model.decoder(decided.concepts), images)
    loss = loss + weights.sparsity * decided.concepts.abs().sum(dim=1).mean()
    return cast("Tensor", loss)


def trained(
    data: ImageData, epochs: int, seed: int, weights: Weights = Weights(), rate: float = 3e-3
) -> Senn:
    """Train a network; the last epoch's, in evaluation mode.

    Args:
        data: the data set, whose train split is used.
        epochs: passes over it.
        seed: seed of weights and order.
        weights: weights of the loss.
        rate: highest learning rate.
    """
    torch.manual_seed(seed)
    model = Senn(data.facts)
    loader = data.train_dataloader()
    optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=0.01)
    schedule = OneCycleLR(optimizer, rate, total_steps=epochs * len(loader), pct_start=0.2)
    for epoch in range(epochs):
        loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        for batch in loader:
            optimizer.zero_grad()
            loss = loss_of(model, batch.images, batch.labels, weights)
            loss.backward()  # type: ignore[no-untyped-call]  # torch's
            optimizer.step()
            schedule.step()
    return model.eval()


@torch.no_grad()
def scores_of(model: Senn, data: ImageData, split: str, seed: int) -> dict[str, float]:
    """Return scores on a split by the scorecard's keys.

    `stability_noise` is of h, `explanation_noise` of the contributions.

    Args:
        model: the network.
        data: the data set.
        split: name of the split.
        seed: seed of the noise.
    """
    columns: dict[str, list[Tensor]] = {}
    for batch in data.in_order(split):
        for name, column in _columns(model, batch.images, batch.labels).items():
            columns.setdefault(name, []).append(column.double())
    scores = {name: float(torch.cat(parts).nanmean()) for name, parts in columns.items()}
    rows = torch.linspace(0, len(data.split(split)) - 1, N_NOISY).long()
    return scores | under_noise(model, data.split(split).batch(rows).images, seed)


def _columns(model: Senn, images: Images, labels: Tensor) -> dict[str, Tensor]:
    decided = model(images)
    alpha, classes = decided.contributions, decided.logits.argmax(dim=1)
    relevance = normalised(alpha)
    columns = {
        "predictor_accuracy": classes == labels,
        "reconstruction_mse": (model.decoder(decided.concepts) - images)
        .square()
        .flatten(1)
        .mean(dim=1),
    }
    for tau in TAUS:
        on_show = shown(relevance, tau)
        columns[score_key("conciseness", tau)] = conciseness(relevance, tau)
        columns[score_key("conciseness_abs", tau)] = conciseness_abs(relevance, tau)
        columns[score_key("left_out", tau)] = left_out(alpha, on_show)
        columns[score_key("sufficiency", tau)] = sufficient(decided, on_show)
    return columns


def sufficient(decided: Decided, chosen: Tensor) -> Tensor:
    """Return whether the chosen concepts alone decide the same, [n].

    Args:
        decided: the network's output.
        chosen: which concepts are kept, [n, J].
    """
    alone = torch.einsum("ncj,nj->nc", decided.relevances, decided.concepts * chosen)
    return alone.argmax(dim=1) == decided.logits.argmax(dim=1)


def under_noise(model: Senn, images: Images, seed: int) -> dict[str, float]:
    """Return mean cosines of concepts and contributions with those under noise.

    Images whose noise moves f are left out, as in `explain.stability`.

    Args:
        model: the network.
        images: images [n, c, h, w] in [0, 1].
        seed: seed of the noise.
    """
    before, after = model(images), model(noisy(images, torch.Generator().manual_seed(seed)))
    moved = (before.logits.softmax(dim=1) - after.logits.softmax(dim=1)).abs().amax(dim=1)
    rows = moved < MOVES
    pairs = {
        "stability_noise": (before.concepts, after.concepts),
        "explanation_noise": (before.contributions, after.contributions),
    }
    if not bool(rows.any()):
        return {}
    return {
        name: float(F.cosine_similarity(one[rows], other[rows]).double().mean())
        for name, (one, other) in pairs.items()
    }
