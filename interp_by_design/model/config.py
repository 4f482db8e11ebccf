"""config.json of a saved interpreter: what it takes to rebuild it, in plain values. Knows nothing of weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from torch import nn

from interp_by_design.files import reading
from interp_by_design.interpreter import InterpreterSpec
from interp_by_design.interpreter.renamed_targets import with_current_targets
from interp_by_design.predictor import Preprocessing, weights_hash
from interp_by_design.terms import DataFacts, Normalisation, UserError

if TYPE_CHECKING:
    from interp_by_design.model.interpretable import InterpretableModel

LIBRARY = "interp_by_design"
FORMAT = 2  # of the folder: 2 since the packages were renamed, 1 in version 0.1.0
READABLE_FORMATS = (1, FORMAT)  # of format 1, renamed targets are replaced in memory


@final
@dataclass(frozen=True)
class PredictorFacts:
    """What is known of the network that an interpreter was fitted to: its name, what tells its weights, and how it is read."""

    network: str
    weights_sha256: str
    hidden_layers: tuple[str, ...]
    hidden_shapes: tuple[tuple[int, ...], ...]
    preprocessing: Preprocessing


@final
@dataclass(frozen=True)
class Config:
    """All that is saved of a model beside its interpreter's weights, whose bytes have the hash `interpreter_sha256`."""

    facts: DataFacts
    predictor: PredictorFacts
    spec: InterpreterSpec
    scores: Mapping[str, float]
    interpreter_sha256: str

    @classmethod
    def of(
        cls, model: InterpretableModel, spec: InterpreterSpec, interpreter_sha256: str
    ) -> Config:
        """What is to be saved of `model`."""
        seen = model.predictor
        shapes = tuple(tuple(shape) for shape in seen.hidden_shapes)
        digest = weights_hash(seen.network)
        predictor = PredictorFacts(
            name_of(seen.network), digest, seen.hidden_layers, shapes, seen.preprocessing
        )
        return cls(
            model.facts,
            predictor,
            spec,
            {key: float(value) for key, value in model.scores.items()},
            interpreter_sha256,
        )

    def text(self) -> str:
        """The content of the file. Raises `UserError` for a number that is not finite, which JSON does not have."""
        seen = self.predictor
        content = {
            "library": LIBRARY,
            "format": FORMAT,
            "data": {
                "image_shape": self.facts.image_shape,
                "class_names": self.facts.class_names,
                **_plain(self.facts.normalisation),
            },
            "predictor": {
                "network": seen.network,
                "weights_sha256": seen.weights_sha256,
                "hidden_layers": seen.hidden_layers,
                "hidden_shapes": seen.hidden_shapes,
                "preprocessing": {
                    **_plain(seen.preprocessing.normalisation),
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
                f"A score or an option of this model is NaN or infinite, which config.json cannot hold: {error}."
            ) from error

    @classmethod
    def read(cls, file: Path) -> Config:
        """What `file` says. Raises `UserError` for one that cannot be read, is damaged, or of another format."""
        with reading(file):
            content = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(content, dict) or content.get("library") != LIBRARY:
            raise UserError(
                f"{file} is not of an interpreter that {LIBRARY} saved. Give a folder that save_pretrained wrote."
            )
        if (found := content.get("format")) not in READABLE_FORMATS:
            raise UserError(
                f"{file} was written in format {found}, and this version reads formats "
                f"{', '.join(map(str, READABLE_FORMATS))}. Use the version that wrote it, or save "
                "the interpreter again."
            )
        with reading(file):
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
    """What a network is called: timm's or torchvision's name with the tag of its weights, where it knows it, else its class."""
    known = getattr(network, "pretrained_cfg", None) or {}
    names = [str(known[key]) for key in ("architecture", "tag") if known.get(key)]
    return ".".join(names) if known.get("architecture") else type(network).__name__


def _plain(normalisation: Normalisation) -> dict[str, Any]:
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
