"""Scalars that an explanation can explain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, final, get_args

from jaxtyping import Float
from torch import Tensor

from interp_by_design.attributes import AttributeDictionary, all_features
from interp_by_design.metrics import LinearProbe
from interp_by_design.model import InterpretableModel
from interp_by_design.terms import (
    Attributes,
    ForwardPass,
    Images,
    Interpretation,
    Logits,
    UnknownName,
    UserError,
    check_whole,
)

Network = Literal["f", "g"]
PerImage = Float[Tensor, "n"]


@final
@dataclass(frozen=True, eq=False)
class Target:
    """One scalar of each image, through which gradients flow to the pixels.

    Args:
        title: What it is, in words.
        compute: The function from a model and images [n, c, h, w] to values [n].

    >>> Target.logit(3, "f").title
    'logit of class 3 under f'
    """

    title: str
    compute: Callable[[InterpretableModel, Images], PerImage]

    @classmethod
    def logit(cls, class_: int, network: Network = "g") -> Target:
        """Return the logit of a class.

        Args:
            class_: The class, from 0.
            network: f or g.
        """
        return cls(
            f"logit of class {class_} under {network}",
            lambda model, images: _logit(model, images, class_, network),
        )

    @classmethod
    def probability(cls, class_: int, network: Network = "g") -> Target:
        """Return the probability of a class: its share of the softmax.

        Args:
            class_: The class, from 0.
            network: f or g.
        """
        return cls(
            f"probability of class {class_} under {network}",
            lambda model, images: _probability(model, images, class_, network),
        )

    @classmethod
    def attribute(cls, attribute: int) -> Target:
        """Return an attribute before it competes with others: it has a gradient everywhere.

        Args:
            attribute: Its number, from 0.
        """
        return cls(
            f"attribute {attribute}",
            lambda model, images: _attribute(dense_attributes(model, images), attribute),
        )

    @classmethod
    def probe(cls, probe: LinearProbe, layer: str, class_: int, pooled: int) -> Target:
        """Return the logit of a class by a linear probe of one hidden layer.

        Args:
            probe: Fitted to the pooled features of that layer.
            layer: The layer's name, one of the predictor's hidden layers.
            class_: The class, from 0.
            pooled: Side of the grid that maps are averaged to, as for the fit.
        """

        def compute(model: InterpretableModel, images: Images) -> PerImage:
            names = model.predictor.hidden_layers
            if layer not in names:
                raise UserError(f"'{layer}' is no hidden layer of this model: {', '.join(names)}.")
            hidden = model.predictor(images).hidden[names.index(layer)]
            logits = probe.differentiable_logits(all_features([hidden], pooled))
            return logits[:, check_whole("The class of a target", class_, 0, logits.shape[1] - 1)]

        return cls(f"logit of class {class_} by a linear probe of {layer}", compute)

    def value(self, model: InterpretableModel, images: Images) -> PerImage:
        """Compute the target. Modes and gradients are the caller's.

        Args:
            model: f and g.
            images: [n, c, h, w] in [0, 1], on the model's device.

        Returns:
            One value for each image, [n].
        """
        return self.compute(model, images)


def dense_attributes(model: InterpretableModel, images: Images) -> Attributes:
    """Compute the attributes before they compete, where the interpreter has a dictionary.

    Args:
        model: f and g.
        images: [n, c, h, w] in [0, 1].

    Returns:
        The attributes, [n, J].
    """
    seen, dictionary = read(model, images), dictionary_of(model)
    attributes: Attributes = (
        model.interpreter(seen) if dictionary is None else dictionary.dense(seen.hidden)
    )
    return attributes


def weighted_attributes(model: InterpretableModel, images: Images, weights: Attributes) -> PerImage:
    """Compute a weighted sum of the attributes of each image, before they compete.

    Args:
        model: f and g.
        images: [n, c, h, w] in [0, 1].
        weights: One weight for each attribute of each image, [n, J].

    Returns:
        The sums, [n].
    """
    return (dense_attributes(model, images) * weights).sum(dim=1)


def dictionary_of(model: InterpretableModel) -> AttributeDictionary | None:
    """Return the dictionary of the model's interpreter; None if it has none.

    Args:
        model: f and g.
    """
    found = getattr(model.interpreter, "dictionary", None)
    return found if isinstance(found, AttributeDictionary) else None


def read(model: InterpretableModel, images: Images) -> ForwardPass:
    """Run f, and return its pass in the precision of h.

    Args:
        model: f and g.
        images: [n, c, h, w] in [0, 1].
    """
    seen, precision = model.predictor(images), model.interpreter.head.weights.dtype
    return ForwardPass(
        seen.logits.to(precision), tuple(layer.to(precision) for layer in seen.hidden)
    )


def _class_logit(
    model: InterpretableModel, images: Images, class_: int, network: Network
) -> tuple[Logits, int]:
    """Compute the logits of f or g; raise if they have no such class."""
    if network not in get_args(Network):
        raise UnknownName.among("network", str(network), get_args(Network), owner="a target")
    if network == "f":
        logits: Logits = model.predictor(images).logits
    else:
        seen: Interpretation = model(images, reconstruct=False)
        logits = seen.interpreter
    return logits, check_whole("The class of a target", class_, 0, logits.shape[1] - 1)


def _logit(model: InterpretableModel, images: Images, class_: int, network: Network) -> PerImage:
    logits, column = _class_logit(model, images, class_, network)
    return logits[:, column]


def _probability(
    model: InterpretableModel, images: Images, class_: int, network: Network
) -> PerImage:
    logits, column = _class_logit(model, images, class_, network)
    return logits.softmax(dim=1)[:, column]


def _attribute(attributes: Attributes, attribute: int) -> PerImage:
    return attributes[
        :, check_whole("The attribute of a target", attribute, 0, attributes.shape[1] - 1)
    ]
