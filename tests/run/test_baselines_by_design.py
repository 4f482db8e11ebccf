"""Baselines by design through the same job as ours: trained, written, loaded again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from interp_by_design.report.names import read_names
from interp_by_design.run import load, train
from interp_by_design.run.build import build_learning, build_model
from interp_by_design.terms import DataFacts, Normalisation, UserError
from tests.small import composed

FACTS = DataFacts((1, 8, 8), ("a", "b", "c"), Normalisation())
PROTOTYPES = (
    "attributes=prototypes",
    "attributes.n_attributes=15",
    "interpreter=prototypes",
    "predictor.network.width=40",
    "predictor.hidden_layers=[fc1]",
    "learning.objective.beta=0",
    "learning.objective.delta=0",
)


@pytest.mark.slow
def test_prototypes_learn_the_digits_as_one_with_f_and_come_back_so(tmp_path: Path) -> None:
    scores = train(composed(tmp_path, *PROTOTYPES, "trainer.max_epochs=25"))
    assert scores["test/fidelity"] == 1
    assert scores["test/kl"] == pytest.approx(0, abs=1e-6)
    assert scores["test/interpreter_accuracy"] > 0.9
    model = load(tmp_path)
    seen = model(torch.rand(5, 1, 8, 8))
    torch.testing.assert_close(seen.predictor, seen.interpreter)
    logged = (tmp_path / "csv/metrics.csv").read_text().splitlines()[0].split(",")
    assert {"train/r1", "train/r2", "train/prediction"} <= set(logged)


def test_layers_that_the_head_is_not_given_are_refused(tmp_path: Path) -> None:
    same_size = composed(
        tmp_path,
        *PROTOTYPES,
        "predictor.network.channels=[20,10]",
        "predictor.hidden_layers=[conv2]",
    )
    other_size = composed(
        tmp_path,
        *PROTOTYPES,
        "predictor.hidden_layers=[fc1,conv2]",
        "interpreter.decoder.latent=240",
    )
    for config in (same_size, other_size):
        with pytest.raises(
            UserError, match=r"decides for f itself, .* Name the stage before the head alone"
        ):
            build_model(config, FACTS)


def test_where_f_is_g_there_is_nothing_to_explain_post_hoc(tmp_path: Path) -> None:
    config = composed(tmp_path, *PROTOTYPES[:-2], "learning=post_hoc")
    with pytest.raises(UserError, match="PrototypeInterpreter decides for f itself"):
        build_learning(config, build_model(config, FACTS), [1, 1, 1])


def test_a_concept_bottleneck_is_named_by_what_it_was_taught(tmp_path: Path) -> None:
    small = ("data.n_train=300", "data.n_test=60", "trainer.max_epochs=1")
    scores = train(composed(tmp_path, "experiment=factors_concepts", *small))
    assert "train/seconds" in scores
    names = read_names(tmp_path)
    assert names.get(5) == "texture is striped"
    assert load(tmp_path).interpreter.n_attributes == len(names.names) == 10


def test_a_concept_bottleneck_needs_data_with_concepts(tmp_path: Path) -> None:
    config = composed(tmp_path, "attributes=concepts", "interpreter=concept_bottleneck")
    with pytest.raises(UserError, match="This data set has no concept labels"):
        train(config)
