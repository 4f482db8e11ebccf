"""Saving an interpreter to a folder, without the network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from hashlib import sha256
from pathlib import Path

import torch
from safetensors.torch import save as serialised

from interp_by_design.files import replacing
from interp_by_design.interpreter import (
    Interpreter,
    InterpreterSpec,
    build_interpreter,
    instantiate,
)
from interp_by_design.model.card import card_of
from interp_by_design.model.config import Config
from interp_by_design.predictor import Predictor, mismatches, weights_hash
from interp_by_design.terms import DataFacts, UserError

WEIGHTS = "interpreter.safetensors"
CONFIG = "config.json"
CARD = "README.md"
FILES = (WEIGHTS, CONFIG, CARD)


def save(
    folder: Path,
    predictor: Predictor,
    interpreter: Interpreter,
    facts: DataFacts,
    spec: InterpreterSpec,
    scores: Mapping[str, float],
) -> None:
    """Write the interpreter's weights, config.json and the model card to a folder.

    Args:
        folder: The folder; a model that was saved there is replaced.
        predictor: f, of which only its description is saved.
        interpreter: g.
        facts: Image shape, classes, normalisation.
        spec: What the interpreter is built from; see `rebuildable`.
        scores: Measured scores by name.

    Raises:
        UserError: If the folder holds such files of something else, or they cannot be written;
            the folder is then unchanged.
    """
    _require_ours(folder)
    state = interpreter.state_dict()
    weights = serialised(
        {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}
    )
    config = Config.from_parts(predictor, facts, spec, scores, sha256(weights).hexdigest())
    contents = (
        weights,
        config.text().encode(),
        str(card_of(config, interpreter.n_attributes)).encode(),
    )
    with ExitStack() as stack:
        files = [stack.enter_context(replacing(folder / name)) for name in FILES]
        for file, content in zip(files, contents, strict=True):
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # a full disk fails here, before any file is replaced


def rebuildable(
    spec: InterpreterSpec | None,
    predictor: Predictor,
    interpreter: Interpreter,
    facts: DataFacts,
) -> InterpreterSpec:
    """Return `spec` if the interpreter can be rebuilt from it.

    Args:
        spec: What the interpreter is built from, if that is known.
        predictor: f.
        interpreter: g.
        facts: Image shape, classes, normalisation.

    Returns:
        The spec.

    Raises:
        UserError: If there is none, or it builds another interpreter.
    """
    if spec is None:
        raise UserError(
            "This model was put together by hand, and nothing says how to rebuild its "
            "interpreter. Give it a spec, as in conf/attributes and conf/interpreter: "
            "InterpretableModel(…, spec=interp_by_design.interpreter.InterpreterSpec({…}, {…}))."
        )
    with torch.random.fork_rng(devices=[]):
        again = build_interpreter(
            spec, predictor.hidden_shapes, facts, partial(instantiate, trust=True)
        )
    if wrong := mismatches(interpreter.state_dict(), again.state_dict()):
        raise UserError(
            f"The model's spec builds another interpreter than it has: {'; '.join(wrong)}. "
            "Give it its own."
        )
    return spec


def check_unchanged(predictor: Predictor, fitted_to: str | None) -> None:
    """Check that the network is the one that the interpreter was fitted to.

    Args:
        predictor: f.
        fitted_to: Hash of the weights at the fit; None if unknown.

    Raises:
        UserError: If its weights have changed.
    """
    now = weights_hash(predictor.network)
    if fitted_to is not None and now != fitted_to:
        raise UserError(
            "The network has changed since the interpreter was fitted to it: its weights were "
            f"{fitted_to[:12]} and are {now[:12]}. Restore them, or fit an interpreter to the "
            "network as it is now."
        )


def _require_ours(folder: Path) -> None:
    there = [name for name in FILES if (folder / name).exists()]
    try:
        if there:
            Config.read(folder / CONFIG)
    except UserError as error:
        raise UserError(
            f"{folder} holds {' and '.join(there)} of something else, and saving would overwrite "
            f"that. Choose another folder. ({error})"
        ) from error
