"""Fitting attributes in groups to a frozen predictor, so that they are what its answers are made of.

Fitted to f's softened answer from several starts, of which the one that follows f best is kept. No label enters, and no factor.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim import AdamW

from interp_by_design.api.control_fit import adapt, fit_decoder, fit_head
from interp_by_design.attributes import GroupedDictionary, all_features
from interp_by_design.data.split import Split
from interp_by_design.interpreter import DenseDecoder, LinearHead, LinearInterpreter
from interp_by_design.learning import one_cycle
from interp_by_design.losses import output_fidelity
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import Predictor, evaluating
from interp_by_design.terms import Logits, Scalar, UserError

AT_ONCE, BATCH, RATE = 256, 128, 1e-2
GROUP_GRID = 3  # of GroupedDictionary by default


@dataclass(frozen=True)
class FactoredOptions:
    """groups: attributes of each group. starts: how often it begins anew. rows: train images that it is fitted to at most.

    temperature: what f's logits are divided by. At 1 f's answer names its class alone, and any code of the classes follows it; at
    10 it also tells which classes f takes for neighbours.
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
                f"starts, epochs and rows are 1 or more, and temperature is positive; not {self}."
            )


def factored(
    model: InterpretableModel, train: Split, options: FactoredOptions | None = None
) -> tuple[InterpretableModel, list[float]]:
    """A model of the same f with grouped attributes fitted to it on `train`, and the loss that each start ended with.

    `L = T² cross-entropy(softmax(f / T), softmax(g / T))`, less the entropy of f's part: 0 where g follows f to the last bit. The
    start with the least L on all rows is kept. `model` is left as it was; memory grows with `rows` alone.

    Source: distillation, Hinton, Vinyals and Dean (2015), arXiv 1503.02531, section 2.
    """
    options = options or FactoredOptions()
    rows = torch.arange(min(options.rows, len(train)))
    cells, logits = _look(model.predictor, train, rows)
    tried = [
        _fitted(cells, logits, model, options, options.seed * options.starts + k)
        for k in range(options.starts)
    ]
    losses = [loss for loss, _ in tried]
    interpreter = tried[losses.index(min(losses))][1]
    with torch.no_grad():
        attributes = interpreter.dictionary([cells])
    fit_decoder(interpreter.decoder, attributes, train.pixels(rows), options.seed)
    return InterpretableModel(model.predictor, interpreter.eval(), model.facts), losses


def softened(interpreter: Logits, predictor: Logits, temperature: float) -> Scalar:
    """T² KL(softmax(f / T) ‖ softmax(g / T)), mean over the batch, in nats."""
    soft = predictor.detach() / temperature
    entropy = -(soft.softmax(dim=1) * soft.log_softmax(dim=1)).sum(dim=1).mean()
    return temperature**2 * (output_fidelity(interpreter / temperature, soft) - entropy)


def _fitted(
    cells: Tensor, logits: Logits, model: InterpretableModel, options: FactoredOptions, seed: int
) -> tuple[float, LinearInterpreter]:
    """One start: its loss on all rows, and what it ended with."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(seed)
        dictionary = GroupedDictionary(model.predictor.hidden_shapes, options.groups)
        head = LinearHead(dictionary.n_attributes, logits.shape[1])
        decoder = DenseDecoder(dictionary.n_attributes, model.facts.image_shape, BATCH)
        steps = options.epochs * max(1, len(cells) // BATCH)
        optimizer = AdamW([*dictionary.parameters(), *head.parameters()], RATE, weight_decay=0.01)
        rate = one_cycle(optimizer, steps, pct_start=0.2)
        for rows in _batches(len(cells), steps):
            optimizer.zero_grad()
            loss = softened(head(dictionary([cells[rows]])), logits[rows], options.temperature)
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            rate.step()
    dictionary.eval()
    with torch.no_grad():
        final = float(softened(head(dictionary([cells])), logits, options.temperature))
    return final, LinearInterpreter(dictionary, head, decoder)


def _batches(n: int, steps: int) -> Iterator[Tensor]:
    size = min(BATCH, n)
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        order = order if len(order) >= size else torch.randperm(n)
        yield order[:size]
        order = order[size:]


def _look(predictor: Predictor, train: Split, rows: Tensor) -> tuple[Tensor, Logits]:
    """The pooled cells of f's hidden layers, and its logits."""
    cells: list[Tensor] = []
    logits: list[Tensor] = []
    with evaluating(predictor), torch.no_grad():
        for some in torch.split(rows, AT_ONCE):
            seen = predictor(train.batch(some).images)
            cells.append(all_features(seen.hidden, GROUP_GRID))
            logits.append(seen.logits)
    return torch.cat(cells), torch.cat(logits)


def random_groups(
    model: InterpretableModel, train: Split, options: FactoredOptions | None = None
) -> InterpretableModel:
    """The control: Ψ of the same class as it was drawn, with the statistics of `train`, and the h that follows f best over it."""
    options = options or FactoredOptions()
    cells, logits = _look(model.predictor, train, torch.arange(min(options.rows, len(train))))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(options.seed)
        dictionary = GroupedDictionary(model.predictor.hidden_shapes, options.groups)
        head = LinearHead(dictionary.n_attributes, logits.shape[1])
        decoder = DenseDecoder(dictionary.n_attributes, model.facts.image_shape, BATCH)
    adapt(dictionary, lambda: ([part] for part in torch.split(cells, AT_ONCE)), options.seed)
    with torch.no_grad():
        attributes = dictionary([cells])
    fit_head(head, attributes, logits)
    return InterpretableModel(
        model.predictor, LinearInterpreter(dictionary, head, decoder, True).eval(), model.facts
    )
