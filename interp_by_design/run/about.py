"""What a run folder records about its run, for the report."""

from __future__ import annotations

from omegaconf import OmegaConf

from interp_by_design.files import reporting_damage
from interp_by_design.report.history import read_history
from interp_by_design.report.names import read_names
from interp_by_design.report.options import RunDescription
from interp_by_design.run.folder import METRICS, PROVENANCE, RunFolder


def describe_run(folder: RunFolder, title: str, n_attributes: int) -> RunDescription:
    """Return what a report states about a run in addition to its own findings.

    Args:
        folder: The run folder.
        title: The title of the report.
        n_attributes: How many attributes the model has, to check the names.

    Returns:
        Command, configuration, provenance, scores, names and history of the run.

    Raises:
        UserError: Where a file of the run is missing or damaged.
    """
    provenance = folder.read(PROVENANCE)
    return RunDescription(
        title=title,
        command=str(provenance.get("command", "")),
        config_yaml=OmegaConf.to_yaml(folder.config),
        provenance=provenance,
        scores=saved_scores(folder),
        names=read_names(folder.path, n_attributes),
        history=read_history(folder.path),
    )


def saved_scores(folder: RunFolder) -> dict[str, float]:
    """Return the numbers in a run's metrics.json.

    Args:
        folder: The run folder.

    Returns:
        Scores by keys such as `test/fidelity`; empty for an unfinished run.

    Raises:
        UserError: For a damaged file.
    """
    if not folder.has(METRICS):
        return {}
    with reporting_damage(folder.path / METRICS):
        return {str(key): float(value) for key, value in folder.read(METRICS).items()}
