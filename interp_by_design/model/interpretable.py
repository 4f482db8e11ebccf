"""A predictor and its interpreter as one module, with what people ask of it. Knows nothing of training or data sets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self, final

import numpy as np
import torch
from huggingface_hub import ModelCard, PyTorchModelHubMixin
from numpy.typing import NDArray
from torch import Tensor, nn

from interp_by_design.interpreter import Interpreter, InterpreterSpec
from interp_by_design.model.card import card_of
from interp_by_design.model.config import Config
from interp_by_design.model.export import write_onnx, write_program
from interp_by_design.model.restoring import fetched, restored
from interp_by_design.model.saving import rebuildable, save
from interp_by_design.predictor import Predictor, evaluating
from interp_by_design.relevance import explain_locally
from interp_by_design.terms import (
    TAU,
    DataFacts,
    Explanation,
    ForwardPass,
    Images,
    Interpretation,
    UserError,
)


@final
class InterpretableModel(nn.Module, PyTorchModelHubMixin, library_name="interp_by_design"):
    """A predictor and its interpreter. Images are [n, c, h, w] in [0, 1]; the predictor normalises them itself.

    spec: what the interpreter is rebuilt from; None for one that was put together by hand, which cannot be saved then.
    scores: what was measured of the model, by name, such as `fidelity`; written and read back with it.
    fitted_to: the hash of the predictor's weights that the interpreter was fitted to, where that is known; others are not saved.
    """

    _hub_mixin_config: dict[str, Any] = {}  # noqa: RUF012  # set, it keeps the mixin from encoding the constructor's arguments
    scores: Mapping[str, float]
    fitted_to: str | None

    def __init__(
        self,
        predictor: Predictor,
        interpreter: Interpreter,
        facts: DataFacts,
        spec: InterpreterSpec | None = None,
    ) -> None:
        super().__init__()
        self.predictor, self.interpreter, self.facts, self.spec = (
            predictor,
            interpreter,
            facts,
            spec,
        )
        self.scores, self.fitted_to = {}, None

    @property
    def device(self) -> torch.device:
        """The device of g."""
        return self.interpreter.head.weights.device

    def forward(self, images: Images, reconstruct: bool = True) -> Interpretation:
        """One pass of f and g; with `reconstruct`, the decoder's image too."""
        return self.interpret(self.predictor(images), reconstruct)

    def interpret(self, seen: ForwardPass, reconstruct: bool = True) -> Interpretation:
        """What g makes of a pass of f that was made before, as in a post-hoc fit; computed in the precision of h."""
        precision = self.interpreter.head.weights.dtype
        seen = ForwardPass(
            seen.logits.to(precision), tuple(layer.to(precision) for layer in seen.hidden)
        )
        attributes = self.interpreter(seen)
        reconstruction = self.interpreter.reconstruct(seen, attributes) if reconstruct else None
        return Interpretation(
            seen.logits, self.interpreter.head(attributes), attributes, reconstruction
        )

    def explain(self, image: Tensor | NDArray[Any], tau: float | int = TAU) -> Explanation:
        """Explain the decision of g on one image by its attributes. The model's modes are restored.

        Args:
            image: A tensor or an array of any floating type, [c, h, w] in [0, 1].
            tau: Attributes are shown where |relevance| > 1/tau; larger than 1.

        Returns:
            Each attribute's contribution to the class that g decides, on the CPU.

        Raises:
            UserError: If the image is anything else, or tau is not larger than 1.
        """
        seen, head = self.look_at(image), self.interpreter.head
        found = Interpretation(
            seen.predictor.cpu(), seen.interpreter.cpu(), seen.attributes.cpu(), None
        )
        weights, bias = head.weights.detach().cpu(), head.bias.detach().cpu()
        return explain_locally(found, weights, bias, tau)

    def look_at(self, image: Tensor | NDArray[Any], reconstruct: bool = False) -> Interpretation:
        """What f and g make of one image, as a batch of one, in evaluation mode, without gradients. Refuses as `explain`."""
        if not isinstance(image, Tensor | np.ndarray):
            raise UserError(
                f"The image is a {type(image).__name__}; wanted a tensor or array {list(self.facts.image_shape)} in [0, 1]. "
                "torchvision.transforms.functional.to_tensor(image) makes one of PIL's."
            )
        weights = self.interpreter.head.weights
        image = torch.as_tensor(image, dtype=weights.dtype, device=weights.device)
        self._check(image)
        with evaluating(self), torch.no_grad():
            seen: Interpretation = self(image[None], reconstruct)
        return seen

    def save_pretrained(
        self,
        save_directory: str | Path,
        *,
        push_to_hub: bool = False,
        repo_id: str | None = None,
        **hub: Any,
    ) -> str | None:
        """Writes the interpreter to a folder, apart from the network: its weights, config.json, and README.md, the model card.

        With `push_to_hub`, publishes it too, as `repo_id` or the folder's name, with the options `hub` of `push_to_hub`, and
        returns the address. Raises `UserError` for an interpreter that could not be rebuilt, for a folder that holds such files
        of something else, and where it cannot be written; then whatever was there stays.
        """
        save(self, Path(save_directory))
        return (
            self.push_to_hub(repo_id or Path(save_directory).name, **hub) if push_to_hub else None
        )

    def push_to_hub(self, repo_id: str, **hub: Any) -> str:
        """Publishes what `save_pretrained` writes as a repository of the Hugging Face Hub, and returns the commit's address.

        Raises `UserError` for an interpreter that could not be rebuilt, before anything is created.
        """
        rebuildable(self)
        return super().push_to_hub(repo_id, **hub)

    @classmethod
    def from_pretrained(  # type: ignore[override]  # the mixin takes any keyword for the constructor's
        cls,
        source: str | Path,
        *,
        predictor: nn.Module | None = None,
        check_weights: bool = True,
        trust: bool = False,
        **download: Any,
    ) -> Self:
        """The model of an interpreter that was saved, and of the network that it was fitted to; in evaluation mode.

        source: a folder that `save_pretrained` wrote, or a repository of the Hugging Face Hub, where `download` may hold
            `revision`, `token`, `cache_dir`, `force_download` and `local_files_only`.
        predictor: the network, or a `Predictor`. It is used as it is, on its device, and left in evaluation mode.
        check_weights: False accepts other weights, as of a fine-tuned copy: what the scores say no longer holds then.
        trust: accepts an interpreter of other classes than this package's. Nothing is ever unpickled.

        Raises `UserError` for a folder that is no saved interpreter or is damaged, and for a network that does not fit.
        """
        folder = fetched(source, download)
        given, interpreter, config = restored(folder, predictor, check_weights, trust)
        model = cls(given, interpreter, config.facts, config.spec)
        model.scores = config.scores
        return model.eval()

    def generate_model_card(self, *_: Any, **__: Any) -> ModelCard:
        """What the folder's README.md says."""
        return card_of(Config.of(self, rebuildable(self), ""), self.interpreter.n_attributes)

    def export(self, path: str | Path) -> None:
        """Writes f and g as one program of `torch.export`, for any number of images; usually a `.pt2` file.

        It takes images [n, c, h, w] in [0, 1] and gives, by name, `predictor_logits`, `interpreter_logits` [n, C], `attributes`,
        and their `contributions` to the class that g decides [n, J]. Raises `UserError` for a model that torch cannot export, and
        where the file cannot be written.
        """
        write_program(self, Path(path))

    def export_onnx(self, path: str | Path) -> None:
        """As `export`, in the form of ONNX: the input is `images`. Raises `UserError` too where the extra `onnx` is missing."""
        write_onnx(self, Path(path))

    def _check(self, image: Tensor) -> None:
        wanted = self.facts.image_shape
        if tuple(image.shape) != tuple(wanted):
            raise UserError(
                f"This model explains one image of shape {tuple(wanted)}, not {tuple(image.shape)}."
            )
        if not ((image >= 0) & (image <= 1)).all():
            low, high = (float(value) for value in image.aminmax())
            raise UserError(
                f"Pixels must be within [0, 1], not from {low:g} to {high:g}. Divide bytes by 255; do not normalise."
            )
