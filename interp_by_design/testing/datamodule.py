"""Conformance suite for data sets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch import Tensor

from interp_by_design.data import ImageData, RandomShift
from interp_by_design.terms import Batch, UnknownName, UserError


class DataModuleConformance(ABC):
    """Tests that every data set passes."""

    @abstractmethod
    def data(self, folder: Path, **loading: Any) -> ImageData:
        """Return a new data set, not set up.

        Args:
            folder: An empty folder, for data sets that are read from files.
            loading: Options of `ImageData`, passed on to it: batch_size, seed, validation, ...
        """

    def set_up(self, folder: Path, **loading: Any) -> ImageData:
        """Return a new data set with its splits.

        Args:
            folder: An empty folder, for data sets that are read from files.
            loading: Options of `ImageData`.
        """
        data = self.data(folder, **loading)
        data.setup()
        return data

    def epoch_batches(self, data: ImageData, epoch: int) -> list[Batch]:
        """Return the training batches of one epoch.

        Args:
            data: A data set that is set up.
            epoch: Number of the epoch, from 0.
        """
        loader = data.train_dataloader()
        _set_epoch(loader, epoch)
        return list(loader)

    def test_facts_describe_the_images(self, tmp_path: Path) -> None:
        data = self.set_up(tmp_path)
        assert (
            data.facts.image_shape
            == data.split("train").image_shape
            == data.split("test").image_shape
        )
        assert len(data.facts.normalisation.mean) in (1, data.facts.image_shape[0])
        for name in ("train", "val", "test"):
            labels = data.split(name).labels
            assert set(labels.tolist()) <= set(range(data.facts.n_classes))

    def test_factors_have_a_row_per_image(self, tmp_path: Path) -> None:
        data = self.set_up(tmp_path)
        for name in ("train", "val", "test"):
            factors = data.factors(name)
            assert factors is None or len(factors) == len(data.split(name))

    def test_batches_are_float_images_with_labels_and_their_indices(self, tmp_path: Path) -> None:
        data = self.set_up(tmp_path)
        for name, loader in (
            ("train", data.train_dataloader()),
            ("train", data.in_order("train")),
            ("val", data.val_dataloader()),
            ("test", data.test_dataloader()),
        ):
            batch = next(iter(loader))
            assert isinstance(batch, Batch)
            assert batch.images.dtype == torch.float32
            assert batch.images.shape == (len(batch.labels), *data.facts.image_shape)
            assert 0 <= batch.images.min() < batch.images.max() <= 1
            assert batch.labels.dtype == batch.indices.dtype == torch.int64
            assert torch.equal(batch.labels, data.split(name).labels[batch.indices])
            assert torch.equal(batch.images, data.split(name).batch(batch.indices).images)

    def test_evaluation_covers_each_image_once_in_order(self, tmp_path: Path) -> None:
        data = self.set_up(tmp_path)
        loaders = {
            "train": data.in_order("train"),
            "val": data.val_dataloader(),
            "test": data.test_dataloader(),
        }
        for name, loader in loaders.items():
            batches = list(loader)
            assert len(batches) == len(loader)
            assert torch.equal(
                torch.cat([batch.indices for batch in batches]), torch.arange(len(data.split(name)))
            )

    def test_train_and_validation_are_disjoint(self, tmp_path: Path) -> None:
        data = self.set_up(tmp_path, validation=0.25)
        train, val = data.rows("train"), data.rows("val")
        assert torch.equal(
            torch.cat([train, val]).sort().values, torch.arange(len(train) + len(val))
        )
        assert len(val) == round(0.25 * (len(train) + len(val)))

    def test_validation_may_be_a_count(self, tmp_path: Path) -> None:
        assert len(self.set_up(tmp_path, validation=7).split("val")) == 7

    def test_data_are_independent_of_the_training_seed(self, tmp_path: Path) -> None:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        one, other = self.set_up(tmp_path / "a", seed=1), self.set_up(tmp_path / "b", seed=2)
        assert one.fingerprint() == other.fingerprint()
        assert torch.equal(one.rows("val"), other.rows("val"))

    def test_a_second_setup_changes_nothing(self, tmp_path: Path) -> None:
        data = self.set_up(tmp_path)
        before = data.split("train")
        data.setup("fit")
        assert data.split("train") is before

    def test_training_order_is_a_function_of_seed_and_epoch(self, tmp_path: Path) -> None:
        def order(seed: int, epoch: int) -> Tensor:
            return torch.cat(
                [
                    batch.indices
                    for batch in self.epoch_batches(
                        self.set_up(tmp_path, seed=seed, batch_size=4), epoch
                    )
                ]
            )

        assert torch.equal(order(0, 1), order(0, 1))
        assert not torch.equal(order(0, 0), order(0, 1))
        assert not torch.equal(order(0, 1), order(1, 0))
        assert len(set(order(0, 0).tolist())) == len(order(0, 0))

    def test_training_batches_have_one_size(self, tmp_path: Path) -> None:
        data = self.set_up(tmp_path, batch_size=3)
        n = len(data.split("train"))
        loader = data.train_dataloader()
        assert [len(batch.labels) for batch in loader] == [3] * (n // 3)
        assert len(loader) == n // 3

    def test_fewer_images_than_a_batch_make_one_batch(self, tmp_path: Path) -> None:
        data = self.set_up(tmp_path, batch_size=10**6)
        loader = data.train_dataloader()
        assert [len(batch.labels) for batch in loader] == [len(data.split("train"))]
        assert len(loader) == 1

    def test_augmentation_is_for_training_only_and_repeatable(self, tmp_path: Path) -> None:
        data = self.set_up(tmp_path, augmentation=RandomShift(1), batch_size=16)
        first, again, later = (
            self.epoch_batches(data, 0)[0],
            self.epoch_batches(data, 0)[0],
            self.epoch_batches(data, 1)[0],
        )
        assert torch.equal(first.images, again.images)
        assert not torch.equal(first.images, data.split("train").batch(first.indices).images)
        assert not torch.equal(first.images, later.images)
        for name, loader in (
            ("train", data.in_order("train")),
            ("val", data.val_dataloader()),
            ("test", data.test_dataloader()),
        ):
            batch = next(iter(loader))
            assert torch.equal(batch.images, data.split(name).batch(batch.indices).images)

    def test_loading_leaves_the_global_random_state_unchanged(self, tmp_path: Path) -> None:
        data = self.set_up(tmp_path, augmentation=RandomShift(1))
        before = torch.get_rng_state()
        for loader in (data.train_dataloader(), data.val_dataloader(), data.in_order("test")):
            next(iter(loader))
        assert torch.equal(torch.get_rng_state(), before)

    def test_a_worker_process_gives_the_same_batches(self, tmp_path: Path) -> None:
        data = self.set_up(tmp_path, augmentation=RandomShift(1), batch_size=16)
        here, there = (
            self.set_up(tmp_path, augmentation=RandomShift(1), batch_size=16, workers=0),
            data,
        )
        there.workers = 1
        for first, second in zip(
            islice(here.train_dataloader(), 2), islice(there.train_dataloader(), 2), strict=True
        ):
            assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))

    def test_a_state_dict_resumes_an_epoch(self, tmp_path: Path) -> None:
        data = self.set_up(tmp_path, batch_size=4)
        loader = data.train_dataloader()
        _set_epoch(loader, 1)
        whole = [batch.indices.tolist() for batch in islice(loader, 3)]
        resumed = data.train_dataloader()
        _set_epoch(loader, 2)
        _ = list(islice(loader, 1))
        resumed.load_state_dict({**loader.state_dict(), "epoch": 1})
        _set_epoch(resumed, 1)
        assert [batch.indices.tolist() for batch in islice(resumed, 2)] == whole[1:]

    def test_images_of_each_class_are_counted(self, tmp_path: Path) -> None:
        data = self.set_up(tmp_path)
        labels = data.split("train").labels.tolist()
        assert data.class_counts() == tuple(
            labels.count(label) for label in range(data.facts.n_classes)
        )

    @pytest.mark.filterwarnings("ignore:.*does not have many workers")
    @pytest.mark.filterwarnings("ignore:The number of training batches")
    @pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning")
    def test_lightning_passes_the_epoch_to_the_sampler(self, tmp_path: Path) -> None:
        data, recorder = self.data(tmp_path), _BatchRecorder()
        trainer = pl.Trainer(
            max_epochs=2,
            limit_train_batches=1,
            limit_val_batches=1,
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(recorder, datamodule=data)
        assert [indices.tolist() for indices in recorder.indices] == [
            self.epoch_batches(data, epoch)[0].indices.tolist() for epoch in (0, 1)
        ]

    def test_unknown_splits_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match="Call setup"):
            _ = self.data(tmp_path).facts
        with pytest.raises(UnknownName, match="Did you mean 'train'"):
            self.set_up(tmp_path).split("training")

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("batch_size", 0),
            ("batch_size", -1),
            ("batch_size", True),
            ("seed", -1),
            ("workers", -1),
        ],
    )
    def test_invalid_loading_options_are_refused(
        self, tmp_path: Path, option: str, value: int
    ) -> None:
        with pytest.raises(UserError, match=f"{option} must be .* at least .*{value}"):
            self.data(tmp_path, **{option: value})

    @pytest.mark.parametrize("validation", [0, -5, 10**6, 0.0, 1.0, 1.5, -0.1, float("nan")])
    def test_a_validation_split_that_empties_a_side_is_refused(
        self, tmp_path: Path, validation: float
    ) -> None:
        with pytest.raises(UserError, match="validation="):
            self.set_up(tmp_path, validation=validation)


def _set_epoch(loader: Any, epoch: int) -> None:
    """Set the epoch of the sampler of a loader, as Lightning does."""
    loader.sampler.set_epoch(epoch)


class _BatchRecorder(pl.LightningModule):
    """A module that trains nothing and keeps the indices of its training images."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.indices: list[Tensor] = []

    def training_step(self, batch: Batch, number: int) -> Tensor:
        self.indices.append(batch.indices)
        return self.weight * batch.images.mean()

    def validation_step(self, batch: Batch, number: int) -> None:
        assert len(batch.labels) == len(batch.images)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)
