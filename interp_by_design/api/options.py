"""What can be chosen of a fit from Python. Knows nothing of what is done with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from interp_by_design.activations import CacheSettings
from interp_by_design.terms import Normalisation, UnknownName, UserError, check_whole


@dataclass(frozen=True)
class FitOptions:
    """How `interpret` fits; each is a keyword of it.

    active: attributes that are active on each image.
    epochs, batch_size, learning_rate: of the fit, with a one-cycle rate.
    reconstruction: what the images count against the decisions (γ).
    seed: decides everything random, also which images are held out.
    validation, test: images held out, a count or a fraction below 1; scores are of the latter.
    normalisation: of the network's input; None takes it from the data set's transform, or from timm where the network is its.
    class_names: the network's classes; None takes the data set's `classes`, or numbers.
    attributes, interpreter: parts as in conf/attributes and conf/interpreter, for another dictionary, head or decoder.
    cache: where the network's passes are kept meanwhile: "auto", "ram", "disk", "off", or `CacheSettings`.
    accelerator, progress: Lightning's, and whether to show a progress bar.
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
                wants = (
                    "Normalisation(mean, std)"
                    if name == "normalisation"
                    else f"a mapping, as a file of conf/{name} holds it"
                )
                raise UserError(f"{name} is {wants}, not {given!r}.")
        for name in ("epochs", "batch_size"):
            check_whole(name, getattr(self, name), minimum=1)
        if not 0 < self.learning_rate < math.inf:
            raise UserError(
                f"learning_rate must be a finite number > 0, not {self.learning_rate!r}."
            )

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> FitOptions:
        """The options `given` by name; raises `UnknownName` for one that is none."""
        known = [option.name for option in fields(cls)]
        for name in given:
            if name not in known:
                raise UnknownName.among("option", name, known, owner="interpret")
        return cls(**given)

    @property
    def cache_settings(self) -> CacheSettings:
        """Where passes are kept."""
        return (
            self.cache if isinstance(self.cache, CacheSettings) else CacheSettings(kind=self.cache)
        )
