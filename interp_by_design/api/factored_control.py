"""Grouped attributes fitted to the softened answer of a frozen predictor, and their random control.

No label and no factor enters the fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import AdamW

from interp_by_design.api.control_fit import adapt, fit_decoder, fit_head, shuffled_batches
from interp_by_design.attributes import GroupedDictionary, all_features
from interp_by_design.data.split import Split
from interp_by_design.interpreter import DenseDecoder, LinearHead, LinearInterpreter
from interp_by_design.learning import one_cycle
from interp_by_design.losses import output_fidelity
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import Predictor, evaluating
from interp_by_design.terms import Logits, Scalar, UserError

BATCH_IMAGES = 256  # of a forward pass
BATCH_SIZE = 128
DECODER_WIDTH = 128
LEARNING_RATE = 1e-2
GROUP_GRID = 3  # of GroupedDictionary by default


@dataclass(frozen=True)
class FactoredOptions:
    """Options of `factored`.

    Args:
        groups: The number of attributes of each group.
        starts: How many random starts are fitted.
        epochs: How many epochs each start is fitted.
        temperature: What f's logits are divided by. At 1 f's answer names its class alone, and any
            code of the classes follows it; at 10 it also says which classes f finds similar.
        rows: The most train images to fit to.
        seed: The seed of the starts.

    Raises:
        UserError: A number is out of its range.
    """

    groups: tuple[int, ...] = (3, 2)
    starts: int = 16
    epochs: int = 6
    temperature: float = 10.0
    rows: int = 6000
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.starts, self.epochs, self.rows) < 1 or not self.temperature > 0:
            raise UserError(
                f"starts, epochs and rows must be 1 or more, and temperature positive; not {self}."
            )


def factored(
    model: InterpretableModel, train: Split, options: FactoredOptions | None = None
) -> tuple[InterpretableModel, list[float]]:
    """Fit grouped attributes to f from several starts, and keep the start that follows f best.

    `L = T² cross-entropy(softmax(f / T), softmax(g / T))`, less the entropy of softmax(f / T): 0
    where g equals f. Memory grows with `options.rows` alone.

    Args:
        model: The model whose predictor is f; it is not changed.
        train: The train split.
        options: The options; None for the defaults.

    Returns:
        A model of the same f with the best grouped attributes, and the final L of each start.

    Source: distillation, Hinton, Vinyals and Dean (2015), arXiv 1503.02531, section 2.
    """
    options = options or FactoredOptions()
    rows = torch.arange(min(options.rows, len(train)))
    features, logits = _features_and_logits(model.predictor, train, rows)
    starts = [
        _fitted(features, logits, model, options, options.seed * options.starts + k)
        for k in range(options.starts)
    ]
    losses = [loss for loss, _ in starts]
    interpreter = starts[losses.index(min(losses))][1]
    with torch.no_grad():
        attributes = interpreter.dictionary([features])
    fit_decoder(interpreter.decoder, attributes, train.pixels(rows), options.seed)
    return InterpretableModel(model.predictor, interpreter.eval(), model.facts), losses


def softened(interpreter: Logits, predictor: Logits, temperature: float) -> Scalar:
    """Compute `T² KL(softmax(f / T) ‖ softmax(g / T))`, the mean over the batch.

    Args:
        interpreter: The logits of g, [n, C].
        predictor: The logits of f, [n, C]; they get no gradient.
        temperature: T, positive.

    Returns:
        The loss, in nats, >= 0.
    """
    soft = predictor.detach() / temperature
    entropy = -(soft.softmax(dim=1) * soft.log_softmax(dim=1)).sum(dim=1).mean()
    return temperature**2 * (output_fidelity(interpreter / temperature, soft) - entropy)


def _fitted(
    features: Tensor, logits: Logits, model: InterpretableModel, options: FactoredOptions, seed: int
) -> tuple[float, LinearInterpreter]:
    """Fit one start, and return its loss on all rows and its interpreter."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        dictionary = GroupedDictionary(model.predictor.hidden_shapes, options.groups)
        head = LinearHead(dictionary.n_attributes, logits.shape[1])
        decoder = DenseDecoder(dictionary.n_attributes, model.facts.image_shape, DECODER_WIDTH)
        steps = options.epochs * max(1, len(features) // BATCH_SIZE)
        optimizer = AdamW(
            [*dictionary.parameters(), *head.parameters()], LEARNING_RATE, weight_decay=0.01
        )
        rate = one_cycle(optimizer, steps, pct_start=0.2)
        for rows in shuffled_batches(len(features), BATCH_SIZE, steps):
            optimizer.zero_grad()
            loss = softened(head(dictionary([features[rows]])), logits[rows], options.temperature)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            rate.step()
    dictionary.eval()
    with torch.no_grad():
        final = float(softened(head(dictionary([features])), logits, options.temperature))
    return final, LinearInterpreter(dictionary, head, decoder)


def _features_and_logits(predictor: Predictor, train: Split, rows: Tensor) -> tuple[Tensor, Logits]:
    """Return the pooled features of f's hidden layers, and its logits."""
    features: list[Tensor] = []
    logits: list[Tensor] = []
    with evaluating(predictor), torch.no_grad():
        for batch in torch.split(rows, BATCH_IMAGES):
            forward = predictor(train.batch(batch).images)
            features.append(all_features(forward.hidden, GROUP_GRID))
            logits.append(forward.logits)
    return torch.cat(features), torch.cat(logits)


def random_groups(
    model: InterpretableModel, train: Split, options: FactoredOptions | None = None
) -> InterpretableModel:
    """Return the negative control of `factored`: a random Ψ, and the h that follows f best over it.

    Args:
        model: The model whose predictor is f; it is not changed.
        train: The train split, to whose statistics Ψ is adapted.
        options: The options of `factored`; None for the defaults.

    Returns:
        A model of the same f with random grouped attributes.
    """
    options = options or FactoredOptions()
    features, logits = _features_and_logits(
        model.predictor, train, torch.arange(min(options.rows, len(train)))
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        dictionary = GroupedDictionary(model.predictor.hidden_shapes, options.groups)
        head = LinearHead(dictionary.n_attributes, logits.shape[1])
        decoder = DenseDecoder(dictionary.n_attributes, model.facts.image_shape, DECODER_WIDTH)
    adapt(
        dictionary, lambda: ([part] for part in torch.split(features, BATCH_IMAGES)), options.seed
    )
    with torch.no_grad():
        attributes = dictionary([features])
    fit_head(head, attributes, logits)
    return InterpretableModel(
        model.predictor, LinearInterpreter(dictionary, head, decoder, True).eval(), model.facts
    )
