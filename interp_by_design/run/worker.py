"""A process that trains along with a leading one: `python -m interp_by_design.run.worker RUN`."""

from __future__ import annotations

import sys


def main() -> None:
    """Take part in the training of the run folder that the command line names; write nothing."""
    from interp_by_design.callbacks import Interrupted
    from interp_by_design.run.folder import RunFolder
    from interp_by_design.run.training import train

    folder = RunFolder.existing(sys.argv[1])
    config = folder.config
    config.folder, config.resume = str(folder.path), None
    try:
        train(config)
    except Interrupted:  # the leading process reports it
        return


if __name__ == "__main__":
    main()
