"""CIFAR-10 from small files in the published format."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from torchvision import datasets

from interp_by_design.data import CIFAR10, ImageData
from interp_by_design.terms import UserError
from interp_by_design.testing import DataModuleConformance


class FewImages(datasets.CIFAR10):
    """CIFAR-10 of a few images in two files; torchvision reads the format and checks it."""

    train_list: ClassVar = [["data_batch_1", ""]]
    test_list: ClassVar = [["test_batch", ""]]
    meta: ClassVar = {"filename": "batches.meta", "key": "label_names", "md5": ""}

    @classmethod
    def write(cls, root: Path) -> None:
        folder, draws = root / cls.base_folder, np.random.default_rng(0)
        folder.mkdir(exist_ok=True)
        for listed, n in ((cls.train_list[0], 60), (cls.test_list[0], 20)):
            pixels = draws.integers(0, 256, (n, 3072), dtype=np.uint8)
            listed[1] = cls.publish(
                folder / listed[0], {"data": pixels, "labels": [i % 10 for i in range(n)]}
            )
        cls.meta["md5"] = cls.publish(
            folder / cls.meta["filename"], {"label_names": [f"class {i}" for i in range(10)]}
        )

    @staticmethod
    def publish(path: Path, content: object) -> str:
        path.write_bytes(pickle.dumps(content))
        return hashlib.md5(path.read_bytes()).hexdigest()


class TestCIFAR10(DataModuleConformance):
    @pytest.fixture(autouse=True)
    def _few(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(CIFAR10, "source", FewImages)

    def data(self, folder: Path, **loading: Any) -> ImageData:
        FewImages.write(folder)
        return CIFAR10(folder, **loading)

    def test_pixels_are_red_green_and_blue_planes_by_rows(self, tmp_path: Path) -> None:
        data = self.set_up(tmp_path)
        with (tmp_path / "cifar-10-batches-py" / "test_batch").open("rb") as file:
            published = pickle.load(file)
        assert np.array_equal(data.split("test").images.flatten(1).numpy(), published["data"])
        assert data.split("test").labels.tolist() == published["labels"]
        assert data.facts.class_names[:2] == ("class 0", "class 1")
        assert data.facts.normalisation.mean == (0.4914, 0.4822, 0.4465)

    def test_a_changed_file_is_never_unpickled(self, tmp_path: Path) -> None:
        data = self.data(tmp_path)
        for name in ("data_batch_1", "test_batch", "batches.meta"):
            FewImages.write(tmp_path)
            (tmp_path / "cifar-10-batches-py" / name).write_bytes(pickle.dumps(Alarm()))
            with pytest.raises(
                UserError, match=r"(?s)No .* in .*whole and as published.*data\.download=true"
            ):
                data.setup()


class Alarm:
    def __reduce__(self) -> tuple[Any, ...]:
        return pytest.fail, ("unpickled",)
