from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from interp_by_design.attributes import TopKDictionary
from interp_by_design.interpreter import DenseDecoder, LinearHead, LinearInterpreter
from interp_by_design.learning import Objective, PostHoc
from interp_by_design.model import InterpretableModel
from interp_by_design.predictor import Predictor, weights_hash
from interp_by_design.terms import Batch, BatchWithActivations, DataFacts, Normalisation, UserError
from tests.learning.test_by_design import loader, stripes, trainer

FACTS = DataFacts((1, 8, 8), ("a", "b", "c"), Normalisation())


def drifting_model() -> InterpretableModel:
    """A network whose statistics drift and whose units drop out in training mode."""
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.Linear(144, 3),
    )
    predictor = Predictor(network, ["1", "4"], FACTS)
    dictionary = TopKDictionary(predictor.hidden_shapes, 6, k=2)
    interpreter = LinearInterpreter(
        dictionary, LinearHead(6, 3), DenseDecoder(6, (1, 8, 8), width=16)
    )
    return InterpretableModel(predictor, interpreter, FACTS)


def module(model: InterpretableModel | None = None, **weights: float) -> PostHoc:
    return PostHoc(
        model or drifting_model(), Objective(**weights), partial(torch.optim.AdamW, lr=1e-2)
    )  # type: ignore[arg-type]


def seen(model: InterpretableModel, batch: Batch) -> DataLoader[Any]:
    with torch.no_grad():
        passed = model.predictor.eval()(batch.images)
    return DataLoader(
        [BatchWithActivations(batch, passed)], batch_size=None, collate_fn=lambda same: same
    )  # type: ignore[arg-type]


class TestPostHoc:
    def test_the_predictor_stays_to_the_last_bit_and_the_rest_learns(self, tmp_path: Path) -> None:
        learning = module()
        before = {name: value.clone() for name, value in learning.model.state_dict().items()}
        fit = trainer(tmp_path, max_epochs=2, num_sanity_val_steps=0)
        fit.fit(learning, loader(stripes()), loader(stripes()))
        still = {
            name
            for name, value in learning.model.state_dict().items()
            if torch.equal(value, before[name])
        }
        predictors = {name for name in before if name.startswith("predictor.")}
        assert still == predictors

    def test_stays_in_evaluation_mode_in_any_case(self) -> None:
        learning = module()
        learning.train()
        assert learning.model.interpreter.training
        assert not any(part.training for part in learning.model.predictor.modules())

    def test_learns_g_and_has_no_prediction_term(self, tmp_path: Path) -> None:
        fit = trainer(tmp_path, max_epochs=60, num_sanity_val_steps=0)
        fit.fit(module(), loader(stripes()), loader(stripes()))
        logged = {key: float(value) for key, value in fit.callback_metrics.items()}
        assert logged["val/fidelity"] > 0.9
        assert "train/output_fidelity" in logged
        assert "train/prediction" not in logged

    def test_passes_that_were_recorded_give_the_same_fit_without_the_network(
        self, tmp_path: Path
    ) -> None:
        live, recorded = module(), module()
        passes = seen(recorded.model, stripes())
        network = recorded.model.predictor.network
        network.forward = refuses  # type: ignore[method-assign, assignment]
        for learning, batches in ((live, loader(stripes())), (recorded, passes)):
            pl.seed_everything(0, verbose=False)
            trainer(tmp_path, max_epochs=3, num_sanity_val_steps=0).fit(learning, batches, batches)
        for (name, one), other in zip(
            live.model.state_dict().items(), recorded.model.state_dict().values(), strict=True
        ):
            assert torch.equal(one, other), name

    def test_a_predictor_that_changes_meanwhile_is_an_error(self, tmp_path: Path) -> None:
        class Meddler(pl.Callback):
            def on_train_batch_end(
                self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: object
            ) -> None:
                assert isinstance(pl_module, PostHoc)
                network = pl_module.model.predictor.network
                network[1].running_mean += 1  # type: ignore[index, operator]

        fit = trainer(tmp_path, max_epochs=1, num_sanity_val_steps=0, callbacks=[Meddler()])
        with pytest.raises(
            UserError, match="The predictor changed while the interpreter was fitted"
        ):
            fit.fit(module(), loader(stripes()), loader(stripes()))

    def test_checkpoints_hold_the_hash_of_the_predictor_instead_of_its_weights(self) -> None:
        learning = module()
        checkpoint: dict[str, Any] = {"state_dict": learning.state_dict()}
        learning.on_save_checkpoint(checkpoint)
        assert not any("predictor" in name for name in checkpoint["state_dict"])
        assert checkpoint["predictor_hash"] == weights_hash(learning.model.predictor.network)
        learning.on_load_checkpoint(checkpoint)
        learning.load_state_dict(checkpoint["state_dict"])

    def test_class_weights_are_refused(self) -> None:
        with pytest.raises(UserError, match="class_weights"):
            PostHoc(drifting_model(), Objective(), torch.optim.SGD, class_weights=torch.ones(3))


def refuses(_: Tensor) -> Tensor:
    raise AssertionError("the network was run")
