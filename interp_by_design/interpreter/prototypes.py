"""Prototype baseline by design: a network that decides by distances to decodable prototypes."""

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
from interp_by_design.interpreter.joining import decide_by, nonzero_weights
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
    """d: from distances to an image, by way of the code: `d(Φ) = image(z*(Φ))`.

    z* is `code_from_distances`; for a code in the affine hull of the prototypes it is the code
    itself.

    Args:
        n_attributes: The number of prototypes J.
        image_shape: The shape (c, h, w) of the images.
        latent: The size of codes.
        width: The number of units of the hidden layer of `image`, which draws codes.
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
        # Replaced by the dictionary's own prototypes in the interpreter.
        self.prototypes = nn.Parameter(torch.zeros(n_attributes, latent))

    def forward(self, distances: Distances) -> Images:
        image: Images = self.image(code_from_distances(distances, self.prototypes))
        return image


@final
class PrototypeInterpreter(Interpreter):
    """f = g = h ∘ Φ, Φ the distances of a hidden layer to prototypes.

    The network's class head is replaced by h ∘ Φ, so that fidelity is always 1. In addition to the
    prediction it learns from
        L_if  the image decoded from the code itself, not from the distances (gamma of the
        objective), R1    = mean_k min_i ||p_k - z_i||²      each prototype is near some code of the
        batch, R2    = mean_i min_k ||z_i - p_k||²      each code is near some prototype.
    When not training, images are decoded from the distances, as other interpreters decode
    attributes.

    Args:
        dictionary: Φ, a `PrototypeDictionary`.
        head: h.
        decoder: d, a `PrototypeDecoder` of the same code size.
        r1: The weight of R1, >= 0.
        r2: The weight of R2, >= 0.

    Raises:
        UserError: The dictionary or decoder is of another kind or size, or a weight is out of its
            range.

    Source: Li et al. (2018), arXiv 1710.04806, section 3. The weights 20 : 1 : 1 : 1 of prediction,
    autoencoder, R1, R2 of its code are here 1 : gamma : 0.05 : 0.05; that autoencoder term sums
    over pixels, so that gamma is 0.05 x pixels.
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
        super().__init__()
        if not isinstance(dictionary, PrototypeDictionary) or not isinstance(
            decoder, PrototypeDecoder
        ):
            raise UserError(
                "Prototypes need attributes=prototypes and a PrototypeDecoder, not "
                f"{type(dictionary).__name__} and {type(decoder).__name__}."
            )
        given, wanted = decoder.prototypes.shape[1], dictionary.prototypes.shape[1]
        if given != wanted:
            raise UserError(
                f"The hidden layers have codes of {wanted} numbers: "
                f"set interpreter.decoder.latent={wanted}, not {given}."
            )
        self.dictionary, self.head, self.decoder = dictionary, head, decoder
        self.n_attributes = dictionary.n_attributes
        decoder.prototypes = dictionary.prototypes
        self.extra_weights = nonzero_weights(r1=r1, r2=r2)

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
        """Decode each prototype.

        Returns:
            Images in [0, 1] units, not clamped, [J, c, h, w].
        """
        images: Images = self.image(self.dictionary.prototypes)
        return images

    @property
    def image(self) -> DenseDecoder:
        """The decoder of codes."""
        return cast("PrototypeDecoder", self.decoder).image


def near_some_code(distances: Distances) -> Scalar:
    """Compute `R1 = mean_k min_i ||p_k - z_i||²`: every prototype resembles an image of the batch.

    Args:
        distances: Squared distances of codes to prototypes, [n, J].

    Returns:
        The loss, >= 0.

    Source: Li et al., section 3.
    """
    return distances.amin(dim=0).mean()


def near_some_prototype(distances: Distances) -> Scalar:
    """Compute `R2 = mean_i min_k ||z_i - p_k||²`: every image resembles a prototype.

    Args:
        distances: Squared distances of codes to prototypes, [n, J].

    Returns:
        The loss, >= 0.

    Source: Li et al., section 3.
    """
    return distances.amin(dim=1).mean()


def code_from_distances(
    distances: Distances, prototypes: Float[Tensor, "prototypes d"]
) -> Float[Tensor, "n d"]:
    """Find the code z* in the affine hull of the prototypes with given distances, by least squares.

    `φ_k - mean φ = |p_k|² - mean |p|² - 2 z (p_k - m)`, m the mean prototype, is linear in z: J
    prototypes determine J - 1 numbers of it.

    Args:
        distances: Squared distances φ to the prototypes, [n, J].
        prototypes: p, [J, d].

    Returns:
        The codes, [n, d].
    """
    mean = prototypes.mean(dim=0)
    apart = prototypes - mean
    size = prototypes.square().sum(dim=1)
    wanted = (
        (size - size.mean()) - (distances - distances.mean(dim=1, keepdim=True))
    ) / 2 - apart @ mean
    found: Tensor = mean + wanted @ torch.linalg.pinv(apart).T
    return found
