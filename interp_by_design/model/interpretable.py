"""A predictor and its interpreter as one module."""

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
from interp_by_design.model.forward import interpret
from interp_by_design.model.restoring import fetched, restored
from interp_by_design.model.saving import check_unchanged, rebuildable, save
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
    """A predictor f and its interpreter g. Images are [n, c, h, w] in [0, 1].

    Args:
        predictor: f; it normalises the images itself.
        interpreter: g.
        facts: Image shape, classes, normalisation.
        spec: What the interpreter is rebuilt from. Without it, the model cannot be saved.

    Attributes:
        scores: Measured scores by name, such as `fidelity`; saved and loaded with the model.
        fitted_to: Hash of the predictor's weights that the interpreter was fitted to, if known.
            A model whose predictor has other weights is not saved.
    """

    # Set, it keeps the mixin from encoding the constructor's arguments.
    _hub_mixin_config: dict[str, Any] = {}  # noqa: RUF012  # the mixin's own attribute
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
        self.predictor = predictor
        self.interpreter = interpreter
        self.facts = facts
        self.spec = spec
        self.scores, self.fitted_to = {}, None

    @property
    def device(self) -> torch.device:
        """The device of g."""
        return self.interpreter.head.weights.device

    def forward(self, images: Images, reconstruct: bool = True) -> Interpretation:
        """Run f and g on images.

        Args:
            images: [n, c, h, w] in [0, 1].
            reconstruct: Whether the decoder runs.

        Returns:
            Logits of f and g [n, C], attributes [n, J], and the decoder's image or None.
        """
        return self.interpret(self.predictor(images), reconstruct)

    def interpret(self, seen: ForwardPass, reconstruct: bool = True) -> Interpretation:
        """Run g on a forward pass of f, in the precision of h.

        Args:
            seen: Logits [n, C] and hidden layers of f.
            reconstruct: Whether the decoder runs.

        Returns:
            Logits of f and g [n, C], attributes [n, J], and the decoder's image or None.
        """
        return interpret(self.interpreter, seen, reconstruct)

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
        """Run f and g on one image in evaluation mode, without gradients.

        Args:
            image: A tensor or an array of any floating type, [c, h, w] in [0, 1].
            reconstruct: Whether the decoder runs.

        Returns:
            The interpretation, as of a batch of one.

        Raises:
            UserError: If the image is anything else.
        """
        if not isinstance(image, Tensor | np.ndarray):
            raise UserError(
                f"The image is a {type(image).__name__}; wanted a tensor or array "
                f"{list(self.facts.image_shape)} in [0, 1]. "
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
        """Save the interpreter to a folder, without the network.

        The folder gets its weights, config.json, and README.md, the model card.

        Args:
            save_directory: The folder; a model that was saved there is replaced.
            push_to_hub: Whether it is published too.
            repo_id: Name of the repository on the Hugging Face Hub; by default the folder's name.
            hub: Options of `push_to_hub`.

        Returns:
            The address of the published commit; None if nothing is published.

        Raises:
            UserError: If the interpreter cannot be rebuilt, the network has changed since the
                fit, the folder holds such files of something else, or they cannot be written;
                the folder is then unchanged.
        """
        spec = self._rebuildable()
        check_unchanged(self.predictor, self.fitted_to)
        folder = Path(save_directory)
        save(folder, self.predictor, self.interpreter, self.facts, spec, self.scores)
        return (
            self.push_to_hub(repo_id or Path(save_directory).name, **hub) if push_to_hub else None
        )

    def push_to_hub(self, repo_id: str, **hub: Any) -> str:
        """Publish what `save_pretrained` writes on the Hugging Face Hub.

        Args:
            repo_id: Name of the repository.
            hub: Options of huggingface_hub's `push_to_hub`.

        Returns:
            The address of the commit.

        Raises:
            UserError: If the interpreter cannot be rebuilt, before anything is created.
        """
        self._rebuildable()
        return super().push_to_hub(repo_id, **hub)

    # The mixin takes any keyword for one of the constructor's.
    @classmethod
    def from_pretrained(  # type: ignore[override]
        cls,
        source: str | Path,
        *,
        predictor: nn.Module | None = None,
        check_weights: bool = True,
        trust: bool = False,
        **download: Any,
    ) -> Self:
        """Load a saved interpreter onto the network that it was fitted to, in evaluation mode.

        Args:
            source: A folder that `save_pretrained` wrote, or a repository of the Hugging Face Hub.
            predictor: The network, or a `Predictor`. It is used in place, on its device, and
                left in evaluation mode.
            check_weights: Whether the network must have the weights of the fit. If False, the
                scores do not hold for other weights, such as those of a fine-tuned copy.
            trust: Whether classes from outside this package are accepted. Nothing is unpickled.
            download: `revision`, `token`, `cache_dir`, `force_download`, `local_files_only`.

        Returns:
            The model.

        Raises:
            UserError: If there is no saved interpreter, it is damaged, or the network does not
                fit it.
        """
        folder = fetched(source, download)
        given, interpreter, config = restored(folder, predictor, check_weights, trust)
        model = cls(given, interpreter, config.facts, config.spec)
        model.scores = config.scores
        return model.eval()

    def generate_model_card(self, *_: Any, **__: Any) -> ModelCard:
        """Return the model card, README.md of a saved model."""
        config = Config.from_parts(self.predictor, self.facts, self._rebuildable(), self.scores)
        return card_of(config, self.interpreter.n_attributes)

    def export(self, path: str | Path) -> None:
        """Write f and g as one program of `torch.export`, for any number of images.

        Its input is [n, c, h, w] in [0, 1]. Its outputs are, by name, `predictor_logits` and
        `interpreter_logits` [n, C], `attributes`, and their `contributions` to the class that g
        decides [n, J].

        Args:
            path: The file, usually `.pt2`.

        Raises:
            UserError: If torch cannot export the model, or the file cannot be written.
        """
        write_program(self.predictor, self.interpreter, self.facts, Path(path))

    def export_onnx(self, path: str | Path) -> None:
        """Write f and g as `export` does, in ONNX; the input is `images`.

        Args:
            path: The file, usually `.onnx`.

        Raises:
            UserError: As `export`, and if the extra `onnx` is not installed.
        """
        write_onnx(self.predictor, self.interpreter, self.facts, Path(path))

    def _rebuildable(self) -> InterpreterSpec:
        return rebuildable(self.spec, self.predictor, self.interpreter, self.facts)

    def _check(self, image: Tensor) -> None:
        wanted = self.facts.image_shape
        if tuple(image.shape) != tuple(wanted):
            raise UserError(
                f"This model explains one image of shape {tuple(wanted)}, not {tuple(image.shape)}."
            )
        if not ((image >= 0) & (image <= 1)).all():
            low, high = (float(value) for value in image.aminmax())
            raise UserError(
                f"Pixels must be within [0, 1], not from {low:g} to {high:g}. Divide bytes by "
                "255; do not normalise."
            )
