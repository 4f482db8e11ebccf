"""Cached scores of a run's negative controls, invalidated when model, data or scorecard change."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256

from interp_by_design.api import CONTROLS
from interp_by_design.files import reporting_damage
from interp_by_design.metrics import SCORES
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import weights_hash
from interp_by_design.run.folder import PROVENANCE, RunFolder
from interp_by_design.terms import UserError

FILE = "controls.json"
VERSION = 1  # raised where fitting or scoring changes the numbers of the same keys

Scores = dict[str, dict[str, float]]

log = logging.getLogger(__name__)


def cache_key(folder: RunFolder, model: InterpretableModel, seed: int) -> str:
    """Return a hash of all that the scores of the controls depend on.

    That is the predictor, the spec that the controls copy, the data, the seed and the scorecard.

    Args:
        folder: The run folder.
        model: The model of the run.
        seed: The seed of the controls.

    Returns:
        A SHA-256 in hexadecimal digits.

    Raises:
        UserError: For damaged provenance.
    """
    spec = None if model.spec is None else asdict(model.spec)
    data = folder.read(PROVENANCE).get("data")
    layers = list(model.predictor.hidden_layers)
    dependencies = [
        VERSION,
        [score.key for score in SCORES],
        weights_hash(model.predictor.network),
        layers,
        spec,
        data,
        seed,
    ]
    return sha256(json.dumps(dependencies, sort_keys=True).encode()).hexdigest()


def load(folder: RunFolder, key: str) -> Scores | None:
    """Load the cached scores. A damaged file is logged.

    Args:
        folder: The run folder.
        key: The hash that `cache_key` gives.

    Returns:
        The test scores of each control by name and by key without prefix; None where there are
        none of this hash.
    """
    if not folder.has(FILE):
        return None
    try:
        content = folder.read(FILE)
        with reporting_damage(folder.path / FILE):
            scores = None if content.get("belongs_to") != key else _checked(content.get("test"))
    except UserError as error:
        log.warning("%s `interp evaluate` writes it again.", error)
        return None
    if scores is None:
        log.info("%s is of another model, other data or an earlier scorecard.", folder.path / FILE)
    return scores


def save(folder: RunFolder, key: str, scores: Mapping[str, Mapping[str, float]]) -> None:
    """Save the scores, whole or not at all. A failure is logged.

    Args:
        folder: The run folder.
        key: The hash that `cache_key` gives.
        scores: The test scores of each control, by name and by key without prefix.
    """
    try:
        content = {name: dict(values) for name, values in scores.items()}
        folder.write(FILE, {"belongs_to": key, "test": content})
    except UserError as error:
        log.warning("%s The scores of the controls are shown, and not saved.", error)


def _checked(given: object) -> Scores:
    if not isinstance(given, dict) or set(given) != set(CONTROLS):
        raise UserError(f"it lacks the scores of {' and '.join(CONTROLS)}")
    for scores in given.values():
        values = scores.values() if isinstance(scores, dict) else [None]
        if not all(isinstance(value, int | float) and math.isfinite(value) for value in values):
            raise UserError("it holds a score that is no finite number")
    return {
        name: {str(key): float(value) for key, value in given[name].items()} for name in CONTROLS
    }
