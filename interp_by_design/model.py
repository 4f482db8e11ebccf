"""f and g as one object: all that an analysis needs. Knows nothing of training, data sets or files."""

from __future__ import annotations

from typing import Any, final

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from interp_by_design.interpreter import Interpreter
from interp_by_design.predictor import Predictor, evaluating
from interp_by_design.relevance import LocalExplanation, explain_locally
from interp_by_design.terms import DataFacts, HiddenPass, Images, Interpretation, UserError


@final
class InterpretableModel(nn.Module):
    """A predictor and its interpreter. Images are [n, c, h, w] in [0, 1]; the predictor normalises them itself."""

    def __init__(self, predictor: Predictor, interpreter: Interpreter, facts: DataFacts) -> None:
        super().__init__()
        self.predictor, self.interpreter, self.facts = predictor, interpreter, facts

    def forward(self, images: Images, reconstruct: bool = True) -> Interpretation:
        """One pass of f and g; with `reconstruct`, the decoder's image too."""
        return self.interpret(self.predictor(images), reconstruct)

    def interpret(self, seen: HiddenPass, reconstruct: bool = True) -> Interpretation:
        """What g makes of a pass of f that was made before, as in a post-hoc fit; computed in the precision of h."""
        precision = self.interpreter.head.weights.dtype
        seen = HiddenPass(seen.logits.to(precision), tuple(layer.to(precision) for layer in seen.hidden))
        attributes = self.interpreter(seen)
        reconstruction = self.interpreter.decoder(attributes) if reconstruct else None
        return Interpretation(seen.logits, self.interpreter.head(attributes), attributes, reconstruction)

    def explain(self, image: Tensor | NDArray[Any]) -> LocalExplanation:
        """Why g decides as it does on one image [c, h, w] in [0, 1]: each attribute's contribution and relevance.

        A tensor or an array of any floating type. The model is left as it was. Raises `UserError` for an image of another shape,
        or outside [0, 1].
        """
        weights = self.interpreter.head.weights
        image = torch.as_tensor(image, dtype=weights.dtype, device=weights.device)
        self._check(image)
        with evaluating(self), torch.no_grad():
            seen = self(image[None], reconstruct=False)
            return explain_locally(seen.predictor[0], seen.interpreter[0], seen.attributes[0], self.interpreter.head.weights)

    def _check(self, image: Tensor) -> None:
        wanted = self.facts.image_shape
        if tuple(image.shape) != tuple(wanted):
            raise UserError(f"This model explains one image of shape {tuple(wanted)}, not {tuple(image.shape)}.")
        if not ((image >= 0) & (image <= 1)).all():
            low, high = (float(value) for value in image.aminmax())
            raise UserError(f"Pixels must be within [0, 1], not from {low:g} to {high:g}; the model normalises them itself.")
