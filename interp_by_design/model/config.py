"""config.json of a saved interpreter: all that is needed to rebuild it, except weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from torch import nn

from interp_by_design.files import reporting_damage
from interp_by_design.interpreter import InterpreterSpec
from interp_by_design.interpreter.renamed_targets import with_current_targets
from interp_by_design.predictor import Predictor, Preprocessing, weights_hash
from interp_by_design.terms import DataFacts, Normalisation, UserError

LIBRARY = "interp_by_design"
FORMAT = 2  # of the folder: 2 since the packages were renamed, 1 in version 0.1.0
READABLE_FORMATS = (1, FORMAT)  # of format 1, renamed targets are replaced in memory


@final
@dataclass(frozen=True)
class PredictorFacts:
    """The network that an interpreter was fitted to.

    Args:
        network: Its name.
        weights_sha256: Hash of its weights.
        hidden_layers: Names of the layers that the interpreter reads.
        hidden_shapes: Their shapes, of one image.
        preprocessing: How images become its input.
    """

    network: str
    weights_sha256: str
    hidden_layers: tuple[str, ...]
    hidden_shapes: tuple[tuple[int, ...], ...]
    preprocessing: Preprocessing


@final
@dataclass(frozen=True)
class Config:
    """All that is saved of a model in addition to its interpreter's weights.

    Args:
        facts: Image shape, classes, normalisation.
        predictor: The network.
        spec: What the interpreter is built from.
        scores: Measured scores by name.
        interpreter_sha256: Hash of the bytes of the interpreter's weights file.
    """

    facts: DataFacts
    predictor: PredictorFacts
    spec: InterpreterSpec
    scores: Mapping[str, float]
    interpreter_sha256: str

    @classmethod
    def from_parts(
        cls,
        predictor: Predictor,
        facts: DataFacts,
        spec: InterpreterSpec,
        scores: Mapping[str, float],
        interpreter_sha256: str = "",
    ) -> Config:
        """Describe a model.

        Args:
            predictor: f.
            facts: Image shape, classes, normalisation.
            spec: What the interpreter is built from.
            scores: Measured scores by name.
            interpreter_sha256: Hash of the bytes of the interpreter's weights file.

        Returns:
            The description.
        """
        network = PredictorFacts(
            name_of(predictor.network),
            weights_hash(predictor.network),
            predictor.hidden_layers,
            tuple(tuple(shape) for shape in predictor.hidden_shapes),
            predictor.preprocessing,
        )
        values = {key: float(value) for key, value in scores.items()}
        return cls(facts, network, spec, values, interpreter_sha256)

    def text(self) -> str:
        """Return the content of config.json.

        Raises:
            UserError: If a number is not finite: JSON has no such numbers.
        """
        seen = self.predictor
        content = {
            "library": LIBRARY,
            "format": FORMAT,
            "data": {
                "image_shape": self.facts.image_shape,
                "class_names": self.facts.class_names,
                **_mean_and_std(self.facts.normalisation),
            },
            "predictor": {
                "network": seen.network,
                "weights_sha256": seen.weights_sha256,
                "hidden_layers": seen.hidden_layers,
                "hidden_shapes": seen.hidden_shapes,
                "preprocessing": {
                    **_mean_and_std(seen.preprocessing.normalisation),
                    "size": seen.preprocessing.size,
                    "colour_order": seen.preprocessing.colour_order,
                },
            },
            "attributes": self.spec.attributes,
            "interpreter": self.spec.interpreter,
            "interpreter_sha256": self.interpreter_sha256,
            "scores": dict(self.scores),
        }
        try:
            return json.dumps(content, indent=2, allow_nan=False) + "\n"
        except ValueError as error:
            raise UserError(
                "A score or an option of this model is NaN or infinite, which config.json cannot "
                f"hold: {error}."
            ) from error

    @classmethod
    def read(cls, file: Path) -> Config:
        """Read a config.json.

        Args:
            file: The file.

        Returns:
            Its content.

        Raises:
            UserError: If it cannot be read, is damaged, or has an unknown format.
        """
        with reporting_damage(file):
            content = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("library") != LIBRARY:
            raise UserError(
                f"{file} is not of an interpreter that {LIBRARY} saved. Give a folder that "
                "save_pretrained wrote."
            )
        if (found := content.get("format")) not in READABLE_FORMATS:
            raise UserError(
                f"{file} was written in format {found}, and this version reads formats "
                f"{', '.join(map(str, READABLE_FORMATS))}. Use the version that wrote it, or save "
                "the interpreter again."
            )
        with reporting_damage(file):
            spec = InterpreterSpec(
                *map(with_current_targets, (content["attributes"], content["interpreter"]))
            )
            scores = {str(key): float(value) for key, value in content["scores"].items()}
            return cls(
                _facts(content["data"]),
                _predictor(content["predictor"]),
                spec,
                scores,
                content["interpreter_sha256"],
            )


def name_of(network: nn.Module) -> str:
    """Return the name of a network.

    Args:
        network: Any module.

    Returns:
        timm's name and weights tag where the network has them, else the name of its class.
    """
    known = getattr(network, "pretrained_cfg", None) or {}
    names = [str(known[key]) for key in ("architecture", "tag") if known.get(key)]
    return ".".join(names) if known.get("architecture") else type(network).__name__


def _mean_and_std(normalisation: Normalisation) -> dict[str, Any]:
    return {"mean": normalisation.mean, "std": normalisation.std}


def _normalisation(content: Mapping[str, Any]) -> Normalisation:
    return Normalisation(tuple(map(float, content["mean"])), tuple(map(float, content["std"])))


def _facts(content: Mapping[str, Any]) -> DataFacts:
    channels, height, width = map(int, content["image_shape"])
    return DataFacts(
        (channels, height, width), tuple(map(str, content["class_names"])), _normalisation(content)
    )


def _predictor(content: Mapping[str, Any]) -> PredictorFacts:
    given = content["preprocessing"]
    size = given["size"] and (int(given["size"][0]), int(given["size"][1]))
    return PredictorFacts(
        str(content["network"]),
        str(content["weights_sha256"]),
        tuple(map(str, content["hidden_layers"])),
        tuple(tuple(map(int, shape)) for shape in content["hidden_shapes"]),
        Preprocessing(_normalisation(given), size, given["colour_order"]),
    )
