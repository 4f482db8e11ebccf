"""Negative controls of a model: interpreters of the same f that explain nothing.

relabelled:    Φ = softmax(50 · logits) R, a fixed code of f's answer.
frozen_random: Ψ of the model's own class and settings, with random weights that never learn.

Head and decoder of both are fitted, so that a score that a control reaches too says nothing about
Φ.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from interp_by_design.activations import (
    ClassMeans,
    class_mean_images,
    forward_passes,
    table_of_interpretations,
)
from interp_by_design.api.control_fit import adapt, fit_decoder, fit_head
from interp_by_design.api.evaluation import scores_of, scores_of_running
from interp_by_design.api.in_memory import in_memory_data
from interp_by_design.api.options import FitOptions
from interp_by_design.api.post_hoc import usual_interpreter
from interp_by_design.api.source import Source
from interp_by_design.data.datamodule import ImageData
from interp_by_design.data.pass_size import images_per_pass
from interp_by_design.data.split import Split
from interp_by_design.interpreter import (
    Interpreter,
    InterpreterSpec,
    LinearInterpreter,
    RelabelledInterpreter,
    build_interpreter,
    instantiate,
)
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import evaluating, weights_hash
from interp_by_design.statistics import evenly_spaced
from interp_by_design.terms import (
    Attributes,
    Batch,
    Indices,
    Interpretation,
    Logits,
    UserError,
)

RELABELLED = "relabelled"
FROZEN_RANDOM = "frozen_random"
CONTROLS = (RELABELLED, FROZEN_RANDOM)
MAX_FIT_IMAGES = 20_000  # train images that controls are fitted to
MAX_DECODER_BYTES = 2**28  # of the train images that decoders are fitted to, held in memory
MAX_STATISTICS_IMAGES = 4096  # train images that a dictionary's batch statistics are taken of
MAX_PASS_VALUES = 2**22  # of the images in one pass

log = logging.getLogger(__name__)


def controls(model: InterpretableModel, data: Any, **options: Any) -> dict[str, InterpretableModel]:
    """Fit the negative controls `relabelled` and `frozen_random` of a model.

    They share the model's predictor, which is not changed, and have its number of attributes;
    `frozen_random` has its dictionary class and settings, with new random weights. A score of the
    model is meaningful where the controls' scores are far from it.

    Args:
        model: The model.
        data: Data as `interpret` accepts it, preferably what the model was fitted to.
        **options: Options of `FitOptions` that say how `data` is read and split, and `seed`.

    Returns:
        The controls, by name, each with its test scores in `scores`.

    Raises:
        UserError: The model has no `spec`, or the images or classes of the data are not the
            model's.
    """
    if isinstance(data, ImageData):
        chosen = FitOptions.from_keywords(options)
        data.setup()
        return fitted_controls(model, data, chosen.seed)
    known = {"class_names": model.facts.class_names, "normalisation": model.facts.normalisation}
    chosen = FitOptions.from_keywords(known | options)
    read = in_memory_data(model.predictor.network, model.predictor.hidden_layers, data, chosen)
    read.setup()
    return fitted_controls(model, read, chosen.seed)


def fitted_controls(
    model: InterpretableModel, data: ImageData | Source, seed: int
) -> dict[str, InterpretableModel]:
    """Fit the negative controls of a model to data that is set up.

    They are fitted to at most 20,000 train images, evenly spread; their decoders to as many of
    these as 256 MB hold. Beyond that and the tables of test, memory does not grow.

    Args:
        model: The model, which is not changed.
        data: The data, set up.
        seed: The seed of everything random.

    Returns:
        The controls, by name, each with its test scores in `scores`.

    Raises:
        UserError: As `controls` does.
    """
    _require_fitting(model, data)
    made = _made(model, seed)
    train, test = data.split("train"), data.split("test")
    rows = evenly_spaced(len(train), MAX_FIT_IMAGES)
    log.info("Fitting the two negative controls to %s images, to compare scores", f"{len(rows):,}")
    _adapt(model, made[FROZEN_RANDOM].interpreter, train, rows, seed)
    interpreted = {"train": _interpret(made, train, rows)}
    _fit(made, interpreted["train"], seed)
    interpreted["test"] = _interpret(made, test, torch.arange(len(test)))
    means = class_mean_images(data.in_order("train"), data.facts.n_classes)
    for name, control in made.items():
        control.scores = _scores(name, control, data, interpreted, means, seed)
    return made


def _fit(made: Mapping[str, InterpretableModel], train: _Interpreted, seed: int) -> None:
    """Fit head and decoder of each control."""
    drawn = evenly_spaced(
        len(train.rows), max(1, MAX_DECODER_BYTES // train.split.pixels(train.rows[:1]).nbytes)
    )
    pixels = train.split.pixels(train.rows[drawn])
    for name, control in made.items():
        attributes = train.attributes[name]
        fit_head(control.interpreter.head, attributes, train.logits)
        fit_decoder(
            control.interpreter.decoder, attributes[drawn.to(attributes.device)], pixels, seed
        )


@dataclass(frozen=True, eq=False)
class _Interpreted:
    """f's logits and each control's attributes for some images of a split."""

    split: Split
    rows: Indices
    logits: Logits
    attributes: dict[str, Attributes]

    def interpretations(
        self, name: str, control: Interpreter
    ) -> Iterator[tuple[Batch, Interpretation]]:
        """Return the images with the control's interpretations, batch by batch."""
        start, device = 0, control.head.weights.device
        for rows in _pass_rows(self.split, self.rows):
            part = slice(start, start + len(rows))
            attributes, batch = self.attributes[name][part], self.split.batch(rows)
            yield (
                Batch(*(values.to(device) for values in batch)),
                Interpretation(
                    self.logits[part].to(attributes),
                    control.head(attributes),
                    attributes,
                    control.decoder(attributes),
                ),
            )
            start += len(rows)


def _made(model: InterpretableModel, seed: int) -> dict[str, InterpretableModel]:
    """Build the controls, not yet fitted."""
    made: dict[str, InterpretableModel] = {}
    like, fitted_to = model.interpreter.head.weights, weights_hash(model.predictor.network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, spec in _specs(model).items():
            interpreter = build_interpreter(
                spec, model.predictor.hidden_shapes, model.facts, partial(instantiate, trust=True)
            )
            made[name] = InterpretableModel(
                model.predictor, interpreter.to(like.device, like.dtype).eval(), model.facts, spec
            )
            made[name].fitted_to = fitted_to
    return made


def _specs(model: InterpretableModel) -> dict[str, InterpreterSpec]:
    """Return each control's spec: with the model's own head and decoder, or the default ones."""
    if model.spec is None:
        raise UserError(
            "This model was put together by hand, and nothing says how to build another dictionary "
            "like its own. Give it a spec: InterpretableModel(…, "
            "spec=interp_by_design.interpreter.InterpreterSpec({…}, {…})), as conf/ has them."
        )
    alike = isinstance(model.interpreter, LinearInterpreter | RelabelledInterpreter)
    given = model.spec.interpreter if alike else usual_interpreter(model.facts)
    own = {"_partial_": True, "head": given["head"], "decoder": given["decoder"]}
    kinds: dict[str, tuple[type[Interpreter], dict[str, Any]]] = {
        RELABELLED: (RelabelledInterpreter, {"sharpness": 50.0}),
        FROZEN_RANDOM: (LinearInterpreter, {"frozen_dictionary": True}),
    }
    package = "interp_by_design.interpreter"
    return {
        name: InterpreterSpec(
            model.spec.attributes, {"_target_": f"{package}.{kind.__name__}", **own, **options}
        )
        for name, (kind, options) in kinds.items()
    }


def _adapt(
    model: InterpretableModel, control: Interpreter, train: Split, rows: Indices, seed: int
) -> None:
    """Adapt the random dictionary of a control to the statistics of some of these rows."""
    precision = control.head.weights.dtype

    def hidden() -> Iterator[list[Tensor]]:
        chosen = rows[evenly_spaced(len(rows), MAX_STATISTICS_IMAGES)]
        for passed in forward_passes(
            model.predictor, (train.batch(part) for part in _pass_rows(train, chosen)), model.device
        ):
            yield [layer.to(precision) for layer in passed.seen.hidden]

    if isinstance(control, LinearInterpreter):
        adapt(control.dictionary, hidden, seed)


def _interpret(made: Mapping[str, InterpretableModel], split: Split, rows: Indices) -> _Interpreted:
    """Run f once over these rows, and the controls on its hidden layers."""
    one = made[RELABELLED]  # any of them: they share f
    logits: list[Tensor] = []
    attributes: dict[str, list[Tensor]] = {name: [] for name in made}
    with torch.no_grad():
        for passed in forward_passes(
            one.predictor, (split.batch(part) for part in _pass_rows(split, rows)), one.device
        ):
            logits.append(passed.seen.logits)
            for name, control in made.items():
                attributes[name].append(
                    control.interpret(passed.seen, reconstruct=False).attributes
                )
    return _Interpreted(
        split,
        rows,
        torch.cat(logits),
        {name: torch.cat(parts) for name, parts in attributes.items()},
    )


def _scores(
    name: str,
    control: InterpretableModel,
    data: ImageData | Source,
    interpreted: Mapping[str, _Interpreted],
    means: ClassMeans,
    seed: int,
) -> dict[str, float]:
    """Compute the test scores of a control, by keys without the split."""
    interpreter = control.interpreter
    with evaluating(interpreter), torch.no_grad():
        tables = {
            split: table_of_interpretations(
                some.interpretations(name, interpreter), interpreter.head, means
            )
            for split, some in interpreted.items()
        }
    scores = scores_of(tables, seed) | scores_of_running(control, data, tables, seed)
    return {key.removeprefix("test/"): value for key, value in scores.items()}


def _pass_rows(split: Split, rows: Indices) -> tuple[Indices, ...]:
    """Split rows into those of one forward pass each."""
    return torch.split(rows, images_per_pass(split.image_shape, max_values=MAX_PASS_VALUES))


def _require_fitting(model: InterpretableModel, data: ImageData | Source) -> None:
    """Refuse data whose images or classes are not the model's."""
    if (
        data.facts.image_shape != model.facts.image_shape
        or data.facts.n_classes != model.facts.n_classes
    ):
        raise UserError(
            f"The data has images of {data.facts.image_shape} in {data.facts.n_classes} classes; "
            f"the model takes {model.facts.image_shape}, and knows {model.facts.n_classes}. "
            "Give the data that it was fitted to."
        )
