"""Options of a fit from Python."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from interp_by_design.activations import CacheSettings
from interp_by_design.terms import Normalisation, UnknownName, UserError, check_whole


@dataclass(frozen=True)
class FitOptions:
    """The options of `interpret`; each is one of its keywords.

    Args:
        active: How many attributes are active on each image.
        epochs: How many epochs to fit.
        batch_size: Images of a batch.
        learning_rate: The largest rate of the one-cycle schedule.
        reconstruction: The weight γ of the reconstruction of images, against 1 for the decisions.
        seed: The seed of everything random, also of which images are held out.
        validation: Images held out for validation: a count, or a fraction below 1.
        test: Images held out for the scores: a count, or a fraction below 1.
        normalisation: Of the network's input; None takes it from the data set's transform, or from
            timm for a network of timm's.
        class_names: The network's classes; None takes the data set's `classes`, or numbers.
        attributes: Another dictionary, as a file in conf/attributes describes it.
        interpreter: Another head or decoder, as a file in conf/interpreter describes it.
        cache: Where the network's activations are cached during the fit: "auto", "ram", "disk",
            "off", or `CacheSettings`.
        accelerator: Lightning's accelerator.
        progress: Whether to show a progress bar.

    Raises:
        UserError: A value is of the wrong type, or out of its range.
    """

    active: int = 5
    epochs: int = 20
    batch_size: int = 128
    learning_rate: float = 3e-3
    reconstruction: float = 10.0
    seed: int = 0
    validation: int | float = 0.1
    test: int | float = 0.1
    normalisation: Normalisation | None = None
    class_names: Sequence[str] | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)
    interpreter: Mapping[str, Any] = field(default_factory=dict)
    cache: str | CacheSettings = "auto"
    accelerator: str = "auto"
    progress: bool = True

    def __post_init__(self) -> None:
        for name, wanted in {
            "attributes": Mapping,
            "interpreter": Mapping,
            "normalisation": Normalisation | None,
        }.items():
            if not isinstance(given := getattr(self, name), wanted):
                wants = f"a mapping, as in a file of conf/{name}"
                if name == "normalisation":
                    wants = "Normalisation(mean, std)"
                raise UserError(f"{name} must be {wants}, not {given!r}.")
        for name in ("epochs", "batch_size"):
            check_whole(name, getattr(self, name), minimum=1)
        if not 0 < self.learning_rate < math.inf:
            raise UserError(
                f"learning_rate must be a finite number > 0, not {self.learning_rate!r}."
            )

    @classmethod
    def from_keywords(cls, given: Mapping[str, Any]) -> FitOptions:
        """Return the options that are given by name.

        Args:
            given: Values by the name of the option; the others keep their defaults.

        Returns:
            The options.

        Raises:
            UnknownName: A name is no option.
            UserError: A value is of the wrong type, or out of its range.

        >>> FitOptions.from_keywords({"epochs": 5}).epochs
        5
        """
        known = [option.name for option in fields(cls)]
        for name in given:
            if name not in known:
                raise UnknownName.among("option", name, known, owner="interpret")
        return cls(**given)

    @property
    def cache_settings(self) -> CacheSettings:
        """Where activations are cached."""
        if isinstance(self.cache, CacheSettings):
            return self.cache
        return CacheSettings(kind=self.cache)
