"""The scorecard of a saved run, computed again on its own data or on other images."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from interp_by_design.activations import interpretation_table, probe_fidelities
from interp_by_design.activations.class_means import ClassMeans
from interp_by_design.api import evaluate, fitted_controls
from interp_by_design.api.evaluation import n_images, scores_of_images
from interp_by_design.data import Split
from interp_by_design.data.class_folders import class_files
from interp_by_design.explain import consistency_scores
from interp_by_design.files import write_text
from interp_by_design.metrics import scorecard
from interp_by_design.report import scorecard_table
from interp_by_design.run import control_scores
from interp_by_design.run.build import is_post_hoc
from interp_by_design.run.control_scores import Scores
from interp_by_design.run.folder import INTERPRETER, METRICS, PROVENANCE
from interp_by_design.run.saved_run import SavedRun
from interp_by_design.terms import Batch, InterpretationTable, UserError

# Scores that compare with the train images.
FROM_TRAIN = ("logit_predictability", "within_class_explained", "consistency")
BATCH_IMAGES = 64
MAX_LISTED = 6  # folders in a message

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EvaluateOptions:
    """What is done in addition to computing the scores.

    Args:
        controls: Whether the scores of the negative controls are shown.
        refit: Whether the controls are fitted although their scores are cached.
        write: Whether the scores replace those in metrics.json.
    """

    controls: bool = True
    refit: bool = False
    write: bool = False


def evaluate_run(
    run: SavedRun,
    images: Path | None = None,
    json_file: Path | None = None,
    options: EvaluateOptions | None = None,
) -> dict[str, float]:
    """Show the scores of a run's val and test images, or of other images.

    Args:
        run: The run.
        images: A folder of other images, with a folder a class.
        json_file: A file for the scores.
        options: What is done in addition.

    Returns:
        The scores by keys such as `test/fidelity`.

    Raises:
        UserError: Where images are not there, where their classes are not the model's, and where
            metrics.json would be written with scores of anything but the run's own evaluation.
    """
    options = options or EvaluateOptions()
    if options.write:
        _require_writable(run, images)
    scores = scores_of_folder(run, images) if images else own_scores(run)
    if json_file:
        write_text(json_file, json.dumps(scores, indent=2, allow_nan=False) + "\n")
    if options.write:
        _write(run, scores)
    controls = _shown_controls(run, images, options.refit) if options.controls else {}
    scorecard_table.show(scores, run.model.interpreter.n_attributes, controls=controls)
    return scores


def scores_of_controls(run: SavedRun, refit: bool = False) -> Scores:
    """Return the test scores of the run's negative controls, cached or fitted now.

    They are cached for the checkpoint and the data that the run evaluated.

    Args:
        run: The run.
        refit: Whether they are fitted although they are cached.

    Returns:
        Scores by control, and by key without prefix.

    Raises:
        UserError: Where the controls cannot be fitted.
    """
    key, own = control_scores.cache_key(run.folder, run.model, run.seed), _is_own(run)
    if own and not refit and (found := control_scores.load(run.folder, key)) is not None:
        return found
    made = fitted_controls(run.model, run.data, run.seed)
    scores = {name: dict(control.scores) for name, control in made.items()}
    if own:
        control_scores.save(run.folder, key, scores)
    return scores


def own_scores(run: SavedRun) -> dict[str, float]:
    """Return the scores of a run's val and test images, as the run measured them itself.

    Args:
        run: The run.

    Returns:
        Scores by key; those of a post-hoc run include its linear probes.

    Raises:
        UserError: Where the data is not there.
    """
    scores = evaluate(run.model, run.data, run.seed)
    if is_post_hoc(run.folder.config):
        train, test = run.data.in_order("train"), run.data.in_order("test")
        scores |= {
            f"test/{key}": value
            for key, value in probe_fidelities(run.model, train, test, run.seed).items()
        }
    return scores


def scores_of_folder(run: SavedRun, images: Path) -> dict[str, float]:
    """Return the scores of the images in class folders.

    Args:
        run: The run.
        images: A folder with a folder a class.

    Returns:
        Scores as `test/…`. Those that need the train images are absent where these are not there.

    Raises:
        UserError: Where the folder has no images, or other classes than the model.
    """
    split = folder_split(run, images)
    means, train = _of_train(run)
    table = interpretation_table(run.model, _batches(split), means)
    scores = scorecard(table, train or table, run.seed) | _of_running(run, split, train, table)
    absent = () if train is not None and means is not None else FROM_TRAIN
    return {f"test/{key}": value for key, value in scores.items() if key not in absent}


def folder_split(run: SavedRun, folder: Path) -> Split:
    """Return the images in class folders; those that cannot be read are logged and left out.

    Args:
        run: The run, whose model has the classes.
        folder: A folder with a folder a class, or with such a folder `test`.

    Returns:
        The images and their labels.

    Raises:
        UserError: Where a folder is no class of the model, and where there is no image.
    """
    names = run.model.facts.class_names
    place = folder
    if not (found := _folders(place) & set(names)) and (folder / "test").is_dir():
        place = folder / "test"
        found = _folders(place) & set(names)
    if strange := sorted(_folders(place) - set(names)):
        raise UserError(
            f"{place} has the folders {', '.join(strange[:MAX_LISTED])}, and the model knows the "
            f"classes {', '.join(names[: 2 * MAX_LISTED])}. "
            "Wanted a folder a class, by those names."
        )
    if not found:
        raise UserError(
            f"{place} has no folder of one of the model's classes, "
            f"{', '.join(names[: 2 * MAX_LISTED])}. Wanted a folder a class."
        )
    files = class_files(place, names, run.reader.picture).readable(threads=2)
    if not len(files):
        raise UserError(f"There is no image in the class folders of {place} that can be read.")
    if missing := [name for name in names if name not in found]:
        log.warning(
            "No folder for %d of the %d classes, such as %s.", len(missing), len(names), missing[0]
        )
    log.info("%s images of %d classes in %s", f"{len(files):,}", len(found), place)
    return files


def _of_running(
    run: SavedRun, split: Split, train: InterpretationTable | None, table: InterpretationTable
) -> dict[str, float]:
    """Return the scores that need images, as the run's own images get them."""
    found = scores_of_images(run.model, split, run.seed)
    return (
        found
        if train is None
        else found | consistency_scores(run.model, train, table, run.seed, n=n_images(run.model))
    )


def _shown_controls(run: SavedRun, images: Path | None, refit: bool) -> Scores:
    """Return the scores of the controls; log why where there are none."""
    if images:
        log.info(
            "The controls are of the run's own images: "
            "they are left out next to the scores of other images."
        )
        return {}
    try:
        return scores_of_controls(run, refit)
    except UserError as error:
        log.warning("The controls cannot be fitted, and are left out: %s", error)
        return {}


def _require_writable(run: SavedRun, images: Path | None) -> None:
    """Check that the evaluation is of what metrics.json is about."""
    if images or not _is_own(run):
        raise UserError(
            f"{run.folder.path / METRICS} holds the numbers of the checkpoint and the data that "
            "the run evaluated. Give --write without another --checkpoint and without other "
            "images; --json FILE writes any scores anywhere."
        )


def _write(run: SavedRun, scores: dict[str, float]) -> None:
    """Replace the scores of val and test in metrics.json; those of the training stay."""
    with run.folder.locked():
        before = run.folder.read(METRICS) if run.folder.has(METRICS) else {}
        others = {
            key: value
            for key, value in before.items()
            if key.partition("/")[0] not in ("val", "test")
        }
        run.folder.write(METRICS, scores | others)
    log.info(
        "Written: %s. interp report %s writes its page again.",
        run.folder.path / METRICS,
        run.folder.path,
    )
    if (run.folder.path / INTERPRETER).is_dir():
        log.info(
            "%s, to be published, keeps the scores that it was saved with.",
            run.folder.path / INTERPRETER,
        )


def _is_own(run: SavedRun) -> bool:
    """Return whether checkpoint and data are those that the run evaluated."""
    data_hash = run.folder.read(PROVENANCE).get("data", {}).get("hash")
    return (
        run.checkpoint in (None, run.settings.get("checkpoint"))
        and run.data.fingerprint() == data_hash
    )


def _of_train(run: SavedRun) -> tuple[ClassMeans | None, InterpretationTable | None]:
    try:
        return run.class_means, run.table("train")
    except UserError as error:
        log.warning(
            "%s\nWithout the train images, %s cannot be computed.", error, ", ".join(FROM_TRAIN)
        )
        return None, None


def _batches(split: Split) -> Iterator[Batch]:
    for start in range(0, len(split), BATCH_IMAGES):
        yield split.batch(torch.arange(start, min(start + BATCH_IMAGES, len(split))))


def _folders(place: Path) -> set[str]:
    try:
        return {
            entry.name
            for entry in place.iterdir()
            if entry.is_dir() and not entry.name.startswith(".")
        }
    except OSError as error:
        raise UserError(f"{place} cannot be read: {error.strerror or error}.") from error
