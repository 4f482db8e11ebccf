"""LIME: for each image, a linear surrogate of f in the chunks that are shown.

    z_1 … z_S ~ Bernoulli(1/2)^chunks, z_1 = 1;   weight(z) = sqrt(exp(-(1 - cos(z, 1))² / width²));
    s_c = argmin over linear functions s of Σ_z weight(z) loss(s(z), f(x ⊙ z), c) + penalty;
    decision = argmax_c s_c(1)

where f sees the image with every chunk that is not shown black. Two losses: the squared error of
f's probability with a ridge penalty of 1, LIME's own; and the logistic loss of "f decides c", one
class against the rest with C = 1, by which Bang et al. found LIME's "approximator fidelity". Each
with all chunks, or with the k of largest weight for the class in a first fit.

Source: Ribeiro et al. (2016), arXiv 1602.04938, section 3; Bang et al. (2019), arXiv 1902.06918,
section 4, and its published code, from which this departs in one point: f sees the image itself,
not one whose chunks were averaged.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from benchmarks.image_chunks import ImageChunks
from benchmarks.linear import Linear, Loss, fitted
from interp_by_design.terms import Images, Indices, Logits

LOSSES: tuple[Loss, ...] = ("logistic", "ridge")
BATCH_NEIGHBOURS = 500  # a pass of f


@dataclass(frozen=True)
class Neighbourhood:
    """The perturbations of an image.

    Args:
        samples: number of neighbours.
        width: width of the kernel by which distant neighbours weigh less.
    """

    samples: int = 1000
    width: float = 0.25


class Kind(NamedTuple):
    """A kind of surrogate.

    Args:
        loss: `ridge` or `logistic`.
        k: chunks that it may use for each class; None for all.
    """

    loss: Loss
    k: int | None = None


@dataclass(frozen=True, eq=False)
class Neighbours:
    """f's probabilities on an image with chunks removed, in double precision; the first is whole.

    Args:
        shown: z [S, chunks], 1 where a chunk is shown.
        probabilities: f's [S, C].
        weights: [S].
    """

    shown: Float[Tensor, "samples chunks"]
    probabilities: Float[Tensor, "samples classes"]
    weights: Float[Tensor, "samples"]


@torch.no_grad()
def neighbours(
    predict: Callable[[Images], Logits],
    image: Images,
    chunks: ImageChunks,
    draws: torch.Generator,
    settings: Neighbourhood = Neighbourhood(),
) -> Neighbours:
    """Run f on an image and on its perturbations.

    Args:
        predict: f, from images to logits.
        image: the image [1, c, h, w].
        chunks: the squares that are shown or black.
        draws: generator of the perturbations.
        settings: number and weights of the perturbations.
    """
    shown = torch.randint(2, (settings.samples, len(chunks)), generator=draws).float()
    shown[0] = 1
    perturbed = (image * chunks.mask(some) for some in torch.split(shown, BATCH_NEIGHBOURS))
    probabilities = torch.cat([predict(some).softmax(dim=1) for some in perturbed])
    distance = 1 - shown.mean(dim=1).sqrt()  # 1 - cos(z, 1)
    weights = (-((distance / settings.width) ** 2)).exp().sqrt()
    return Neighbours(shown.double(), probabilities.double(), weights.double())


def surrogates(seen: Neighbours, kinds: Sequence[Kind]) -> dict[Kind, Linear]:
    """Fit the linear models of f around an image.

    Args:
        seen: f on the image's perturbations.
        kinds: the surrogates to fit; with `k`, of the chunks of largest weight in a first fit.
    """
    decided = F.one_hot(seen.probabilities.argmax(dim=1), seen.probabilities.shape[1]).double()
    targets: dict[Loss, Tensor] = {"ridge": seen.probabilities, "logistic": decided}
    first = {
        loss: fitted(seen.shown, targets[loss], seen.weights, loss)
        for loss in {kind.loss for kind in kinds}
    }
    found = {}
    for kind in kinds:
        if kind.k is None:
            found[kind] = first[kind.loss]
        else:
            chosen = first[kind.loss].coefficients.abs().topk(kind.k, dim=1).indices
            found[kind] = fitted(seen.shown, targets[kind.loss], seen.weights, kind.loss, chosen)
    return found


def decisions(
    predict: Callable[[Images], Logits],
    images: Images,
    chunks: ImageChunks,
    kinds: Sequence[Kind],
    seed: int,
    settings: Neighbourhood = Neighbourhood(),
) -> dict[Kind, Indices]:
    """Return the class [n] that each kind of surrogate decides on each image.

    All kinds see the same neighbours.

    Args:
        predict: f, from images to logits.
        images: images [n, c, h, w].
        chunks: the squares that are shown or black.
        kinds: the surrogates.
        seed: seed of the perturbations.
        settings: number and weights of the perturbations.
    """
    draws = torch.Generator().manual_seed(seed)
    found: dict[Kind, list[int]] = {kind: [] for kind in kinds}
    for image in torch.split(images, 1):
        seen = neighbours(predict, image, chunks, draws, settings)
        for kind, model in surrogates(seen, kinds).items():
            found[kind].append(model.decided)
    return {kind: torch.tensor(classes) for kind, classes in found.items()}
