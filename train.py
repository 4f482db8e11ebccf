"""Train an image classifier together with its interpreter; the same as `interp train`."""

import sys

from interp_by_design.commands.train import run_training

if __name__ == "__main__":
    run_training("python train.py", sys.argv[1:])
