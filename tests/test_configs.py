"""Every experiment composes, says what it claims, and builds its model."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from interp_by_design.run.build import build_learning, build_model
from interp_by_design.terms import DataFacts, Normalisation

CONF = Path(__file__).parents[1] / "conf"
EXPERIMENTS = sorted(path.stem for path in (CONF / "experiment").glob("*.yaml"))
LEARNING = sorted(path.stem for path in (CONF / "learning").glob("*.yaml"))
SHAPES = {
    "digits": (1, 8, 8),
    "factors": (3, 32, 32),
    "factors_concepts": (3, 32, 32),
    "cifar10": (3, 32, 32),
    "cifar10_jpeg": (3, 32, 32),
    "cifar10_resnet20_post_hoc": (3, 32, 32),
    "imagenette": (3, 224, 224),
    "imagenette_squeezenet_post_hoc": (3, 227, 227),
}


GO_WITH = {  # what an interpreter cannot do without
    "prototypes": [
        "attributes=prototypes",
        "predictor.network.width=40",
        "predictor.hidden_layers=[fc1]",
    ],
    "concept_bottleneck": ["attributes=concepts"],
    "learnable_concepts": ["attributes=learnable_concepts"],
}


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_says_what_it_claims_and_what_it_costs(experiment: str) -> None:
    lines = (CONF / f"experiment/{experiment}.yaml").read_text().splitlines()
    assert lines[0] == "# @package _global_"
    said = [line.split(":")[0] for line in lines if line.startswith("# ") and ":" in line]
    assert [word for word in said if word in ("# Claim", "# Command", "# Cost", "# Measured")] == [
        "# Claim",
        "# Command",
        "# Cost",
        "# Measured",
    ]


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_composes_and_builds(experiment: str, tmp_path: Path) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", [f"experiment={experiment}", f"folder={tmp_path}", "name=test"])
    if OmegaConf.is_missing(config.predictor, "path"):
        config.predictor.path = None  # its name says what it is; the weights are random then
    shape = SHAPES.get(experiment, (1, 28, 28))
    names = tuple(f"class {i}" for i in range(10))
    facts = DataFacts(shape, names, Normalisation((0.5,) * shape[0], (0.5,) * shape[0]))
    model = build_model(config, facts)
    build_learning(config, model, [1] * 10)
    seen = model.eval()(torch.rand(2, *shape))
    assert seen.interpreter.shape == (2, 10)
    assert seen.attributes.shape == (2, config.attributes.n_attributes)
    assert seen.reconstruction.shape == (2, *shape)


@pytest.mark.parametrize("learning", LEARNING)
def test_every_way_of_learning_builds(learning: str, tmp_path: Path) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("train", [f"learning={learning}", f"folder={tmp_path}", "name=test"])
    module = build_learning(
        config,
        build_model(config, DataFacts((1, 8, 8), ("a", "b", "c"), Normalisation())),
        [1, 1, 1],
    )
    assert sum(module.objective.factors(1e6).values()) > 1


@pytest.mark.parametrize(
    "interpreter", sorted(path.stem for path in (CONF / "interpreter").glob("*.yaml"))
)
def test_every_interpreter_builds(interpreter: str, tmp_path: Path) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        needed = GO_WITH.get(interpreter, [])
        config = compose(
            "train", [f"interpreter={interpreter}", f"folder={tmp_path}", "name=test", *needed]
        )
    model = build_model(config, DataFacts((1, 8, 8), ("a", "b", "c"), Normalisation()))
    assert model(torch.rand(4, 1, 8, 8)).interpreter.shape == (4, 3)


def test_the_published_schedules_are_the_official_codes() -> None:
    """By epoch, in FLINT's code: β L_of, γ L_if, L1 coefficient δη, the entropies' δ."""
    published = {
        "flint_mnist": {
            1: (0, 0.8, 0, 0),
            2: (0, 0.8, 0, 0),
            3: (0.5, 0.8, 0.1, 0),
            5: (0.5, 0.8, 0.1, 0.2),
        },
        "flint_quickdraw": {
            1: (0, 5, 0, 0),
            2: (0, 5, 0.02, 0),
            3: (0.1, 5, 0.3, 0),
            4: (0.1, 5, 0.3, 0.1),
        },
        "flint_cifar10": {
            1: (0, 2, 0, 0),
            2: (0, 2, 0.001, 0),
            3: (0.6, 2, 0.15, 0),
            4: (0.6, 2, 0.15, 0.2),
        },
    }
    for learning, epochs in published.items():
        with initialize_config_dir(str(CONF), version_base="1.3"):
            config = compose("train", [f"learning={learning}", "folder=.", "name=test"])
        module = build_learning(
            config,
            build_model(config, DataFacts((1, 8, 8), ("a", "b", "c"), Normalisation())),
            [1, 1, 1],
        )
        for epoch, expected in epochs.items():
            factors = module.objective.factors(float(epoch))
            found = tuple(
                factors[term]
                for term in ("output_fidelity", "input_fidelity", "magnitude", "conciseness")
            )
            assert found == pytest.approx(expected, rel=1e-4), (learning, epoch)
