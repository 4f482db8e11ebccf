"""The two controls of a model: interpreters of the same f that explain nothing, to read the model's scores beside.

relabelled:    Φ = softmax(50 · logits) R, a fixed code of f's answer.
frozen_random: Ψ of the model's own class and settings, with weights as they were drawn: it never learns.

Head and decoder of both are fitted as well as they can be, so that a score that a control reaches too tells nothing of Φ.
Does not know run folders, nor which scores are held to a gate.
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
from interp_by_design.terms import (
    Attributes,
    Batch,
    Indices,
    Interpretation,
    Logits,
    UserError,
)

RELABELLED, FROZEN_RANDOM = CONTROLS = ("relabelled", "frozen_random")
ROWS = 20_000  # train images that controls are fitted to
DRAWN_BYTES = 2**28  # of the images among them that decoders are fitted to, which lie in memory
STATISTICS = 4096  # train images that a dictionary's batch statistics are taken of
MAX_PASS_VALUES = 2**22  # of the images in one pass

log = logging.getLogger(__name__)


def controls(model: InterpretableModel, data: Any, **options: Any) -> dict[str, InterpretableModel]:
    """The controls `relabelled` and `frozen_random` of `model`, fitted to `data`, each with its test scores in `scores`.

    They share the model's predictor, which stays as it is, and have its number of attributes; `frozen_random` has its dictionary
    class and settings, with freshly drawn weights. A score of the model means something where the controls' is far off.

    data: as `interpret` takes it; best what the model was fitted to.
    options: those of `FitOptions` that say how `data` is read and cut, and `seed`, which decides everything random.

    Raises `UserError` for a model that was put together by hand without `parts`, and for data of other images or classes.
    """
    if isinstance(data, ImageData):
        chosen = FitOptions.of(options)
        data.setup()
        return fitted_controls(model, data, chosen.seed)
    known = {"class_names": model.facts.class_names, "normalisation": model.facts.normalisation}
    chosen = FitOptions.of(known | options)
    read = in_memory_data(model.predictor.network, model.predictor.hidden_layers, data, chosen)
    read.setup()
    return fitted_controls(model, read, chosen.seed)


def fitted_controls(
    model: InterpretableModel, data: ImageData | Source, seed: int
) -> dict[str, InterpretableModel]:
    """The controls of `model` by name, with their test scores, from data that is read. `model` is left as it was.

    Fitted to at most 20,000 train images, spread evenly; their decoders to as many of these as 256 MB hold. Beyond that and the
    tables of test, memory does not grow.
    """
    _require_fitting(model, data)
    made = _made(model, seed)
    train, test = data.split("train"), data.split("test")
    rows = _spread(len(train), ROWS)
    log.info(
        "Fitting the two controls to %s images, to read the scores beside theirs", f"{len(rows):,}"
    )
    _adapt(model, made[FROZEN_RANDOM].interpreter, train, rows, seed)
    looked = {"train": _look(made, train, rows)}
    _fit(made, looked["train"], seed)
    looked["test"] = _look(made, test, torch.arange(len(test)))
    means = class_mean_images(data.in_order("train"), data.facts.n_classes)
    for name, control in made.items():
        control.scores = _scores(name, control, data, looked, means, seed)
    return made


def _fit(made: Mapping[str, InterpretableModel], train: _Looked, seed: int) -> None:
    """Head and decoder of each control."""
    drawn = _spread(
        len(train.rows), max(1, DRAWN_BYTES // train.split.pixels(train.rows[:1]).nbytes)
    )
    pixels = train.split.pixels(train.rows[drawn])
    for name, control in made.items():
        attributes = train.attributes[name]
        fit_head(control.interpreter.head, attributes, train.logits)
        fit_decoder(
            control.interpreter.decoder, attributes[drawn.to(attributes.device)], pixels, seed
        )


@dataclass(frozen=True, eq=False)
class _Looked:
    """What f says of some images of a split, and each control's attributes of them."""

    split: Split
    rows: Indices
    logits: Logits
    attributes: dict[str, Attributes]

    def interpretations(
        self, name: str, control: Interpreter
    ) -> Iterator[tuple[Batch, Interpretation]]:
        """Yield the images with what the control makes of its attributes of them."""
        start, device = 0, control.head.weights.device
        for rows in _portions(self.split, self.rows):
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
    """The controls before they are fitted."""
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
    """The model's own head and decoder under either control; of an interpreter of another build, those usual for its images."""
    if model.spec is None:
        raise UserError(
            "This model was put together by hand, and nothing says how to build another dictionary like its own. Give it a spec: "
            "InterpretableModel(…, spec=interp_by_design.interpreter.InterpreterSpec({…}, {…})), as conf/ has them."
        )
    alike = isinstance(model.interpreter, LinearInterpreter | RelabelledInterpreter)
    given = model.spec.interpreter if alike else usual_interpreter(model.facts)
    own = {"_partial_": True, "head": given["head"], "decoder": given["decoder"]}
    kinds: dict[str, tuple[type[Interpreter], dict[str, Any]]] = {
        RELABELLED: (RelabelledInterpreter, {"sharpness": 50.0}),
        FROZEN_RANDOM: (LinearInterpreter, {"frozen_dictionary": True}),
    }
    room = "interp_by_design.interpreter"
    return {
        name: InterpreterSpec(
            model.spec.attributes, {"_target_": f"{room}.{kind.__name__}", **own, **options}
        )
        for name, (kind, options) in kinds.items()
    }


def _adapt(
    model: InterpretableModel, control: Interpreter, train: Split, rows: Indices, seed: int
) -> None:
    """Lets the random dictionary of `control` know the statistics of some of these rows."""
    precision = control.head.weights.dtype

    def hidden() -> Iterator[list[Tensor]]:
        some = rows[_spread(len(rows), STATISTICS)]
        for given in forward_passes(
            model.predictor, (train.batch(part) for part in _portions(train, some)), model.device
        ):
            yield [layer.to(precision) for layer in given.seen.hidden]

    if isinstance(control, LinearInterpreter):
        adapt(control.dictionary, hidden, seed)


def _look(made: Mapping[str, InterpretableModel], split: Split, rows: Indices) -> _Looked:
    """One pass of f over these rows: what it says, and what the controls make of that."""
    one = made[RELABELLED]  # any of them: they share f
    logits: list[Tensor] = []
    attributes: dict[str, list[Tensor]] = {name: [] for name in made}
    with torch.no_grad():
        for given in forward_passes(
            one.predictor, (split.batch(part) for part in _portions(split, rows)), one.device
        ):
            logits.append(given.seen.logits)
            for name, control in made.items():
                attributes[name].append(control.interpret(given.seen, reconstruct=False).attributes)
    return _Looked(
        split,
        rows,
        torch.cat(logits),
        {name: torch.cat(parts) for name, parts in attributes.items()},
    )


def _scores(
    name: str,
    control: InterpretableModel,
    data: ImageData | Source,
    looked: Mapping[str, _Looked],
    means: ClassMeans,
    seed: int,
) -> dict[str, float]:
    """The test scores of a control, by keys without prefix."""
    interpreter = control.interpreter
    with evaluating(interpreter), torch.no_grad():
        tables = {
            split: table_of_interpretations(
                some.interpretations(name, interpreter), interpreter.head, means
            )
            for split, some in looked.items()
        }
    scores = scores_of(tables, seed) | scores_of_running(control, data, tables, seed)
    return {key.removeprefix("test/"): value for key, value in scores.items()}


def _spread(n: int, most: int) -> Indices:
    """At most `most` of n rows, evenly spread: a data set may be sorted by class."""
    return torch.arange(n) if n <= most else torch.arange(most) * n // most


def _portions(split: Split, rows: Indices) -> tuple[Indices, ...]:
    """`rows` as many at once as a pass of f can do with."""
    return torch.split(rows, images_per_pass(split.image_shape, max_values=MAX_PASS_VALUES))


def _require_fitting(model: InterpretableModel, data: ImageData | Source) -> None:
    """`UserError` unless `data` has images and classes as the model was made for."""
    if (
        data.facts.image_shape != model.facts.image_shape
        or data.facts.n_classes != model.facts.n_classes
    ):
        raise UserError(
            f"The data has images of {data.facts.image_shape} in {data.facts.n_classes} classes; the model takes "
            f"{model.facts.image_shape}, and knows {model.facts.n_classes}. Give what it was fitted to."
        )
