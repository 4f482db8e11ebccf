"""A process of a run that another one leads: `python -m interp_by_design.run.worker RUN`. It trains, and writes nothing."""

from __future__ import annotations

import sys


def main() -> None:
    """Takes part in the fit of the run folder that is named on the command line."""
    from interp_by_design.run.training import follow

    follow(sys.argv[1])


if __name__ == "__main__":
    main()
