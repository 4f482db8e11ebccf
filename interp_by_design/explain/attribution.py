"""Which pixels attributes depend on, by gradients or by covering them up, for any interpreter. Does not know what it is for."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from interp_by_design.attributes import AttributeDictionary
from interp_by_design.explain.removal import blurred
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import Attributes, ForwardPass, Images, UserError

Maps = Float[Tensor, "n h w"]
Summed = Callable[[Images, Attributes], Float[Tensor, "n"]]

STEPS = 8  # 32 find no more
SMOOTH = 20.0  # the deviation of the smoothing is this part of the shorter side
WINDOW, STRIDE = 4, 8  # likewise


def dictionary_of(model: InterpretableModel) -> AttributeDictionary | None:
    """The dictionary that the model's interpreter reads hidden layers with; None for one that does without."""
    found = getattr(model.interpreter, "dictionary", None)
    return found if isinstance(found, AttributeDictionary) else None


def read(model: InterpretableModel, images: Images) -> ForwardPass:
    """A pass of f, in the precision of h."""
    seen, precision = model.predictor(images), model.interpreter.head.weights.dtype
    return ForwardPass(
        seen.logits.to(precision), tuple(layer.to(precision) for layer in seen.hidden)
    )


def by_gradient(model: InterpretableModel, images: Images, weights: Attributes) -> Maps:
    """Integrated gradients of the weighted sum of attributes, from the blurred copy to the image, over the channels, smoothed.

    What speaks against is left out. Attributes are taken before they compete. Raises `UserError` where no gradient gets from
    attributes to images.

    Source: Sundararajan et al. (2017), arXiv 1703.01365.
    """
    from captum.attr import IntegratedGradients  # a second to import

    given = images.detach().clone().requires_grad_()
    with torch.enable_grad():
        if not _summed(model)(given[:1], weights[:1]).requires_grad:
            raise UserError(
                "No gradient gets through this interpreter to the image. Take method='occlusion', which needs none."
            )
        found = IntegratedGradients(_summed(model)).attribute(
            given,
            blurred(images),
            additional_forward_args=(weights,),
            n_steps=STEPS,
            internal_batch_size=max(STEPS, len(images)),
        )
    return blurred(found.detach().sum(dim=1, keepdim=True).clamp(min=0), SMOOTH)[:, 0]


def by_occlusion(model: InterpretableModel, images: Images, weights: Attributes) -> Maps:
    """How much the weighted sum of attributes falls where a square is blurred: the mean over the squares that a pixel is in.

    Source: Zeiler and Fergus (2014), arXiv 1311.2901.
    """
    from captum.attr import Occlusion

    channels, *sides = images.shape[1:]
    window = (channels, *(max(1, side // WINDOW) for side in sides))
    strides = (channels, *(max(1, side // STRIDE) for side in sides))
    with torch.no_grad():
        found = Occlusion(_summed(model)).attribute(
            images, window, strides, baselines=blurred(images), additional_forward_args=(weights,)
        )
    maps: Tensor = found.sum(dim=1).clamp(min=0)
    return maps


def _summed(model: InterpretableModel) -> Summed:
    dictionary = dictionary_of(model)

    def summed(images: Images, weights: Attributes) -> Float[Tensor, "n"]:
        seen = read(model, images)
        attributes = (
            model.interpreter(seen) if dictionary is None else dictionary.dense(seen.hidden)
        )
        return (attributes * weights).sum(dim=1)

    return summed
