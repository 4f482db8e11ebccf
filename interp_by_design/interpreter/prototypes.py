"""A rival by design: a network that decides by how far an image's code is from learned prototypes, each of which can be drawn."""

from __future__ import annotations

from typing import cast, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from interp_by_design.attributes import AttributeDictionary
from interp_by_design.attributes.prototypes import PrototypeDictionary
from interp_by_design.interpreter.decoder import DenseDecoder
from interp_by_design.interpreter.head import LinearHead
from interp_by_design.interpreter.interpreter import Interpreter
from interp_by_design.interpreter.joining import checked_weights, decide_by
from interp_by_design.terms import (
    Attributes,
    Batch,
    ForwardPass,
    Images,
    Interpretation,
    Scalar,
    UserError,
)

Distances = Float[Tensor, "n prototypes"]


@final
class PrototypeDecoder(nn.Module):
    """d: from distances back to an image, by way of the code: `d(Φ) = image(z*(Φ))`.

    z* is the code in the affine hull of the prototypes that has the differences of these distances, found by least squares. For a
    code in that hull it is the code itself; J prototypes tell J - 1 numbers of it. `image` draws codes of `latent` numbers.
    """

    prototypes: nn.Parameter

    def __init__(
        self,
        n_attributes: int,
        image_shape: tuple[int, int, int],
        latent: int = 40,
        width: int = 128,
    ) -> None:
        super().__init__()
        self.image = DenseDecoder(latent, image_shape, width)
        self.prototypes = nn.Parameter(
            torch.zeros(n_attributes, latent)
        )  # the dictionary's own, once it is known

    def forward(self, distances: Distances) -> Images:
        image: Images = self.image(located(distances, self.prototypes))
        return image


@final
class PrototypeInterpreter(Interpreter):
    """f = g = h ∘ Φ, Φ the distances of a hidden layer to prototypes: what explains a decision is its computation.

    The network's class head is replaced by h ∘ Φ, so that fidelity is 1 and says nothing. Learns, beside the prediction,
        L_if  the image drawn of the code itself, not of the distances (gamma of the objective),
        R1    = mean_k min_i ||p_k - z_i||²      each prototype is near some code of the batch,
        R2    = mean_i min_k ||z_i - p_k||²      each code is near some prototype,
    weighted by `r1` and `r2`. When not training, images are drawn of the distances, as every interpreter's are of its attributes.

    Source: Li et al. (2018), arXiv 1710.04806, section 3. The weights 20 : 1 : 1 : 1 of prediction, autoencoder, R1, R2 of its
    code are here 1 : gamma : 0.05 : 0.05; that autoencoder term sums over pixels, so that gamma is 0.05 x pixels.
    """

    is_the_predictor = True

    def __init__(
        self,
        dictionary: AttributeDictionary,
        head: LinearHead,
        decoder: nn.Module,
        r1: float = 0.05,
        r2: float = 0.05,
    ) -> None:
        """Raises `UserError` for another dictionary or decoder, and weights that are negative or not finite."""
        super().__init__()
        if not isinstance(dictionary, PrototypeDictionary) or not isinstance(
            decoder, PrototypeDecoder
        ):
            raise UserError(
                f"Prototypes need attributes=prototypes and a PrototypeDecoder, not {type(dictionary).__name__} and "
                f"{type(decoder).__name__}."
            )
        given, wanted = decoder.prototypes.shape[1], dictionary.prototypes.shape[1]
        if given != wanted:
            raise UserError(
                f"The hidden layers have codes of {wanted} numbers: set interpreter.decoder.latent={wanted}, not {given}."
            )
        self.dictionary, self.head, self.decoder, self.n_attributes = (
            dictionary,
            head,
            decoder,
            dictionary.n_attributes,
        )
        decoder.prototypes = dictionary.prototypes
        self.extra_weights = checked_weights(r1=r1, r2=r2)

    def forward(self, seen: ForwardPass) -> Attributes:
        attributes: Attributes = self.dictionary(seen.hidden)
        return attributes

    def reconstruct(self, seen: ForwardPass, attributes: Attributes) -> Images:
        image: Images = (
            self.image(self.dictionary.code(seen.hidden))
            if self.training
            else self.decoder(attributes)
        )
        return image

    def extra_terms(self, seen: Interpretation, batch: Batch) -> dict[str, Scalar]:
        return {"r1": near_some_code(seen.attributes), "r2": near_some_prototype(seen.attributes)}

    def join(self, network: nn.Module) -> None:
        decide_by(self.dictionary, self.head, network)

    def prototype_images(self) -> Images:
        """Each prototype as the decoder draws it, [J, c, h, w]."""
        images: Images = self.image(self.dictionary.prototypes)
        return images

    @property
    def image(self) -> DenseDecoder:
        """What draws a code."""
        return cast("PrototypeDecoder", self.decoder).image


def near_some_code(distances: Distances) -> Scalar:
    """`R1 = mean_k min_i ||p_k - z_i||²` over a batch: every prototype looks like an image. Source: Li et al., section 3."""
    return distances.amin(dim=0).mean()


def near_some_prototype(distances: Distances) -> Scalar:
    """`R2 = mean_i min_k ||z_i - p_k||²` over a batch: every image has its prototype. Source: Li et al., section 3."""
    return distances.amin(dim=1).mean()


def located(
    distances: Distances, prototypes: Float[Tensor, "prototypes d"]
) -> Float[Tensor, "n d"]:
    """The code z* in the affine hull of the prototypes whose distances differ as these do, in the sense of least squares.

    `φ_k - mean φ = |p_k|² - mean |p|² - 2 z (p_k - m)`, m the mean prototype: linear in z.
    """
    mean = prototypes.mean(dim=0)
    apart = prototypes - mean
    size = prototypes.square().sum(dim=1)
    wanted = (
        (size - size.mean()) - (distances - distances.mean(dim=1, keepdim=True))
    ) / 2 - apart @ mean
    found: Tensor = mean + wanted @ torch.linalg.pinv(apart).T
    return found
