"""An interpreter into a folder, apart from the network it was fitted to: whole, or not at all."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save as serialised

from interp_by_design.files import replacing
from interp_by_design.interpreter import InterpreterSpec, build_interpreter, instantiate
from interp_by_design.model.card import card_of
from interp_by_design.model.config import Config
from interp_by_design.predictor import mismatches, weights_hash
from interp_by_design.terms import UserError

if TYPE_CHECKING:
    from interp_by_design.model.interpretable import InterpretableModel

WEIGHTS, CONFIG, CARD = "interpreter.safetensors", "config.json", "README.md"
FILES = (WEIGHTS, CONFIG, CARD)


def save(model: InterpretableModel, folder: Path) -> None:
    """Writes the three files into `folder`, over those of a model that was saved there before.

    Raises `UserError` for an interpreter that could not be rebuilt, for a folder that holds such files of something else, and
    where they cannot be written; then whatever was there stays.
    """
    spec = rebuildable(model)
    _require_unchanged(model)
    _require_ours(folder)
    state = model.interpreter.state_dict()
    weights = serialised(
        {name: value.detach().cpu().contiguous().clone() for name, value in state.items()}
    )
    config = Config.of(model, spec, sha256(weights).hexdigest())
    contents = (
        weights,
        config.text().encode(),
        str(card_of(config, model.interpreter.n_attributes)).encode(),
    )
    with ExitStack() as stack:
        files = [stack.enter_context(replacing(folder / name)) for name in FILES]
        for file, content in zip(files, contents, strict=True):
            file.write(content)
            file.flush()
            os.fsync(file.fileno())  # a full disk is told before the first of them takes its place


def rebuildable(model: InterpretableModel) -> InterpreterSpec:
    """Return the model's spec; `UserError` where it has none, or one that does not build its interpreter."""
    if model.spec is None:
        raise UserError(
            "This model was put together by hand, and nothing says how to rebuild its interpreter. Give it a spec, as in "
            "conf/attributes and conf/interpreter: "
            "InterpretableModel(…, spec=interp_by_design.interpreter.InterpreterSpec({…}, {…}))."
        )
    with torch.random.fork_rng(devices=[]):
        again = build_interpreter(
            model.spec, model.predictor.hidden_shapes, model.facts, partial(instantiate, trust=True)
        )
    if wrong := mismatches(model.interpreter.state_dict(), again.state_dict()):
        raise UserError(
            f"The model's spec builds another interpreter than it has: {'; '.join(wrong)}. Give it its own."
        )
    return model.spec


def _require_unchanged(model: InterpretableModel) -> None:
    now = weights_hash(model.predictor.network)
    if model.fitted_to is not None and now != model.fitted_to:
        raise UserError(
            f"The network has changed since the interpreter was fitted to it: its weights were {model.fitted_to[:12]} and are "
            f"{now[:12]}. Restore them, or fit an interpreter to the network as it is now."
        )


def _require_ours(folder: Path) -> None:
    there = [name for name in FILES if (folder / name).exists()]
    try:
        if there:
            Config.read(folder / CONFIG)
    except UserError as error:
        raise UserError(
            f"{folder} holds {' and '.join(there)} of something else, and saving would overwrite that. "
            f"Choose another folder. ({error})"
        ) from error
