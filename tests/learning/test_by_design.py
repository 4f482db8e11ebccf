from functools import partial
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from interp_by_design.learning import ByDesign, Objective, one_cycle
from interp_by_design.terms import Batch, UserError
from tests.small import small_model


def stripes(n: int = 60) -> Batch:
    """Three easy classes: bright rows at the top, in the middle, at the bottom."""
    torch.manual_seed(0)
    labels = torch.arange(n) % 3
    images = 0.2 * torch.rand(n, 1, 8, 8)
    for i, label in enumerate(labels.tolist()):
        images[i, :, 3 * label : 3 * label + 2] += 0.7
    return Batch(images, labels, torch.arange(n))


def loader(batch: Batch) -> DataLoader[Batch]:
    return DataLoader([batch], batch_size=None, collate_fn=lambda same: same)


def trainer(folder: Path, **options: object) -> pl.Trainer:
    quiet = {
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
    }
    return pl.Trainer(
        **quiet,
        accelerator="cpu",
        devices=1,
        log_every_n_steps=1,
        default_root_dir=folder,
        **options,
    )  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:.*have no `val_dataloader`")
class TestByDesign:
    def module(self, **objective: float) -> ByDesign:
        module = ByDesign(
            small_model(), Objective(**objective), partial(torch.optim.AdamW, lr=1e-2)
        )  # type: ignore[arg-type]
        return module

    def test_one_optimiser_teaches_all_four_parts(self, tmp_path: Path) -> None:
        module, batch = self.module(), stripes()
        before = {name: value.clone() for name, value in module.model.named_parameters()}
        trainer(tmp_path, max_epochs=1).fit(module, loader(batch))
        still = [
            name
            for name, value in module.model.named_parameters()
            if torch.equal(value, before[name])
        ]
        assert not still

    def test_learns_f_and_g_and_logs_the_numbers_that_matter(self, tmp_path: Path) -> None:
        fit = trainer(tmp_path, max_epochs=60, num_sanity_val_steps=0)
        fit.fit(self.module(), loader(stripes()), loader(stripes()))
        logged = {key: float(value) for key, value in fit.callback_metrics.items()}
        assert logged["val/predictor_accuracy"] == 1
        assert logged["val/fidelity"] == 1
        assert {
            "train/prediction",
            "train/output_fidelity",
            "train/input_fidelity",
            "train/conciseness",
            "train/loss",
        } <= set(logged)

    def test_stops_at_a_loss_that_is_not_finite_and_names_the_term(self, tmp_path: Path) -> None:
        module = self.module()
        module.model.interpreter.decoder = Poisoned(module.model.interpreter.decoder)
        with pytest.raises(
            UserError, match=r"not finite at step 0 \(epoch 1\): input_fidelity = nan"
        ):
            trainer(tmp_path, max_epochs=1).fit(module, loader(stripes()))

    def test_the_scheduler_gets_the_number_of_steps(self, tmp_path: Path) -> None:
        given: list[int] = []

        def scheduler(
            optimizer: torch.optim.Optimizer, total_steps: int
        ) -> torch.optim.lr_scheduler.LRScheduler:
            given.append(total_steps)
            return torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps)

        module = ByDesign(
            small_model(), Objective(), partial(torch.optim.AdamW, lr=1e-2), scheduler
        )
        trainer(tmp_path, max_epochs=5).fit(module, loader(stripes()))
        assert given == [5]

    def test_the_predictor_can_have_a_rate_of_its_own(self, tmp_path: Path) -> None:
        module = ByDesign(
            small_model(),
            Objective(),
            partial(torch.optim.AdamW, lr=1e-2),
            one_cycle,
            predictor_lr=0.0,
        )
        before = {name: value.clone() for name, value in module.model.named_parameters()}
        trainer(tmp_path, max_epochs=2).fit(module, loader(stripes()))
        moved = {
            name
            for name, value in module.model.named_parameters()
            if not torch.equal(value, before[name])
        }
        assert moved == {name for name in before if name.startswith("interpreter.")}

    @pytest.mark.parametrize("rate", [-1.0, float("nan"), "slow"])
    def test_a_rate_that_is_none_is_refused(self, rate: object) -> None:
        with pytest.raises(UserError, match="predictor_lr must be a finite number >= 0"):
            ByDesign(
                small_model(), Objective(), partial(torch.optim.AdamW, lr=1e-2), predictor_lr=rate
            )  # type: ignore[arg-type]


class Poisoned(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, attributes: Tensor) -> Tensor:
        image: Tensor = self.inner(attributes)
        return image * torch.nan
