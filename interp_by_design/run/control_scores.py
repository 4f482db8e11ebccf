"""What the controls of a run score, kept in the run folder as `controls.json` until what they belong to is another.

Knows nothing of how controls are fitted, nor of who shows their scores.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256

from interp_by_design.api import CONTROLS
from interp_by_design.files import reading
from interp_by_design.metrics import SCORES
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import weights_hash
from interp_by_design.run.folder import PROVENANCE, RunFolder
from interp_by_design.terms import UserError

FILE = "controls.json"
VERSION = 1  # of how controls are fitted and scored: raised where their numbers become others for the same keys

Scores = dict[str, dict[str, float]]

log = logging.getLogger(__name__)


def belonging(folder: RunFolder, model: InterpretableModel, seed: int) -> str:
    """A hash of all that the controls' scores hang on: f, what the controls are built like, the data, the seed, the scorecard."""
    spec = None if model.spec is None else asdict(model.spec)
    data = folder.read(PROVENANCE).get("data")
    layers = list(model.predictor.hidden_layers)
    hanging = [
        VERSION,
        [score.key for score in SCORES],
        weights_hash(model.predictor.network),
        layers,
        spec,
        data,
        seed,
    ]
    return sha256(json.dumps(hanging, sort_keys=True).encode()).hexdigest()


def kept(folder: RunFolder, belongs_to: str) -> Scores | None:
    """The test scores of each control by name, without prefix; None where none are kept of that. A damaged file is told."""
    if not folder.has(FILE):
        return None
    try:
        content = folder.read(FILE)
        with reading(folder.path / FILE):
            scores = (
                None if content.get("belongs_to") != belongs_to else _checked(content.get("test"))
            )
    except UserError as error:
        log.warning("%s `interp evaluate` writes it anew.", error)
        return None
    if scores is None:
        log.info("%s is of another model, other data or an earlier scorecard.", folder.path / FILE)
    return scores


def keep(folder: RunFolder, belongs_to: str, scores: Mapping[str, Mapping[str, float]]) -> None:
    """Writes them, whole or not at all; where that cannot be, says so and goes on."""
    try:
        folder.write(
            FILE,
            {"belongs_to": belongs_to, "test": {name: dict(of) for name, of in scores.items()}},
        )
    except UserError as error:
        log.warning("%s The controls' scores are shown, and not kept.", error)


def _checked(given: object) -> Scores:
    if not isinstance(given, dict) or set(given) != set(CONTROLS):
        raise UserError(f"it lacks the scores of {' and '.join(CONTROLS)}")
    for of in given.values():
        values = of.values() if isinstance(of, dict) else [None]
        if not all(isinstance(value, int | float) and math.isfinite(value) for value in values):
            raise UserError("it holds a score that is no finite number")
    return {
        name: {str(key): float(value) for key, value in given[name].items()} for name in CONTROLS
    }
