"""What Lightning says in vain of a fit like ours, and would drown what a person should read."""

from __future__ import annotations

import logging
import warnings

ADVICE = (
    ".*does not have many workers.*",  # sets and passes in memory need none
    r"Found .* module\(s\) in eval mode",  # a frozen predictor's
    ".*LeafSpec.*is deprecated",  # of torch's, addressed to Lightning
    ".*The number of training batches .* is smaller than the logging interval.*",
    "Checkpoint directory .* exists and is not empty",  # a resumed run's own
)


def silence_lightning() -> None:
    """For the rest of the process, or as long as the caller keeps `warnings` and the logger's level to give back."""
    logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
    for advice in ADVICE:
        warnings.filterwarnings("ignore", advice)
