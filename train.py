"""Train an image classifier together with its interpreter; `python train.py --help` says how."""

from pathlib import Path

import hydra
from omegaconf import DictConfig

from interp_by_design.run.command import explaining_mistakes


@hydra.main(version_base="1.3", config_path="conf", config_name="train")
def main(config: DictConfig) -> None:
    """One run, from its configuration."""
    from interp_by_design.run import train  # heavy, and not needed for --help

    train(config)


if __name__ == "__main__":
    explaining_mistakes(main, str(Path(__file__).parent / "conf"))
