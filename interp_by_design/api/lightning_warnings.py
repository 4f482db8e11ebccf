"""Lightning warnings that do not apply here."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

LOGGER = "pytorch_lightning"
IGNORED = (
    ".*does not have many workers.*",  # data sets and caches in memory need none
    r"Found .* module\(s\) in eval mode",  # a frozen predictor
    ".*LeafSpec.*is deprecated",  # of torch, addressed to Lightning
    ".*The number of training batches .* is smaller than the logging interval.*",
    "Checkpoint directory .* exists and is not empty",  # of a resumed run
)


def silence_lightning() -> None:
    """Silence Lightning warnings that do not apply here, for the rest of the process."""
    logging.getLogger(LOGGER).setLevel(logging.WARNING)
    for message in IGNORED:
        warnings.filterwarnings("ignore", message)


@contextmanager
def silent_lightning() -> Iterator[None]:
    """Silence Lightning as `silence_lightning` does, for the block."""
    logger = logging.getLogger(LOGGER)
    level = logger.level
    try:
        with warnings.catch_warnings():
            silence_lightning()
            yield
    finally:
        logger.setLevel(level)
