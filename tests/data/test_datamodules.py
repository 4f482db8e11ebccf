"""Every data set against the conformance suite, and what is particular to each."""

from __future__ import annotations

import inspect
import urllib.error
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hydra.utils import instantiate
from omegaconf import OmegaConf
from sklearn.datasets import load_digits

from interp_by_design.data import (
    MNIST,
    Digits,
    FactorImages,
    FashionMNIST,
    ImageData,
    ImageFolder,
    QuickDraw,
    TensorData,
)
from interp_by_design.data.datamodule import Loading
from interp_by_design.data.image_folder import FolderOptions
from interp_by_design.terms import Batch, Normalisation, UnknownName, UserError
from interp_by_design.testing import DataModuleConformance

CONF = Path(__file__).parents[2] / "conf" / "data"


def random_images(n: int = 90, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    draws = torch.Generator().manual_seed(seed)
    return torch.rand(n, 2, 6, 5, generator=draws), torch.arange(n) % 3


def write_idx(path: Path, array: np.ndarray[Any, Any]) -> None:
    """The idx format: two zero bytes, 8 for uint8, the number of axes, their lengths, bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = bytes([0, 0, 8, array.ndim]) + b"".join(
        length.to_bytes(4, "big") for length in array.shape
    )
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def write_mnist(root: Path, name: str) -> None:
    draws = np.random.default_rng(0)
    for part, n in (("train", 60), ("t10k", 20)):
        write_idx(
            root / name / "raw" / f"{part}-images-idx3-ubyte", draws.integers(0, 256, (n, 28, 28))
        )
        write_idx(root / name / "raw" / f"{part}-labels-idx1-ubyte", np.arange(n) % 10)


def write_quickdraw(
    root: Path, names: tuple[str, ...] = ("ant", "apple", "cow"), n: int = 40
) -> None:
    draws = np.random.default_rng(1)
    (root / "quickdraw").mkdir(exist_ok=True)
    for name in names:
        np.save(
            root / "quickdraw" / f"{name}.npy", draws.integers(0, 256, (n, 784), dtype=np.uint8)
        )


class TestDigits(DataModuleConformance):
    def data(self, folder: Path, **loading: Any) -> ImageData:
        return Digits(**loading)

    def test_the_test_split_is_360_images_with_every_class_in_its_share(
        self, tmp_path: Path
    ) -> None:
        data = self.set_up(tmp_path)
        counts, whole = (
            data.split("test").labels.bincount(),
            torch.from_numpy(load_digits().target).bincount(),
        )
        assert counts.sum() == 360
        assert (counts - whole * 360 / 1797).abs().max() <= 1

    def test_every_digit_is_there_once(self, tmp_path: Path) -> None:
        data = self.set_up(tmp_path)
        ours = torch.cat([data.split(name).images.flatten(1) for name in ("train", "val", "test")])
        theirs = torch.from_numpy(load_digits().data).float() / 16
        assert sorted(map(tuple, ours.tolist())) == sorted(map(tuple, theirs.tolist()))


class TestFactors(DataModuleConformance):
    def data(self, folder: Path, **loading: Any) -> ImageData:
        return FactorImages(n_train=90, n_test=30, **loading)


class TestTensorData(DataModuleConformance):
    def data(self, folder: Path, **loading: Any) -> ImageData:
        return TensorData(*random_images(), class_names=["a", "b", "c"], **loading)

    def test_a_test_split_may_be_given(self) -> None:
        given = random_images(12, seed=1)
        data = TensorData(
            *random_images(),
            class_names=["a", "b", "c"],
            test=given,
            normalisation=Normalisation((0.5,), (0.2,)),
        )
        data.setup()
        assert torch.equal(data.split("test").images, given[0])
        assert data.facts.normalisation == Normalisation((0.5,), (0.2,))

    def test_bytes_become_floats_in_0_1(self) -> None:
        images = torch.arange(256, dtype=torch.uint8).view(64, 1, 2, 2)
        data = TensorData(images, torch.arange(64) % 2, ["a", "b"])
        data.setup()
        batch: Batch = next(iter(data.in_order("train")))
        assert torch.equal(batch.images, data.split("train").images / 255)

    @pytest.mark.parametrize(
        ("broken", "message"),
        [
            (
                lambda x, y: (x.index_fill(0, torch.tensor([4]), float("nan")), y),
                "image 4, runs from nan",
            ),
            (lambda x, y: (x * 255, y), r"leave \[0, 1\].*normalisation is the model's work"),
            (lambda x, y: (x - 0.5, y), r"leave \[0, 1\]"),
            (lambda x, y: (x[:, 0], y), r"Gray images want a channel"),
            (lambda x, y: (x.long(), y), "wanted uint8 in 0..255 or floats"),
            (lambda x, y: (x[:0], y[:0]), "none of them 0"),
            (lambda x, y: (x, y + 1), "outside 0..2; the first, of image 2, is 3"),
            (lambda x, y: (x, y - 1), "outside 0..2; the first, of image 0, is -1"),
            (lambda x, y: (x, y[:-1]), "90 (given|test) images and 89 labels"),
            (lambda x, y: (x, y.float()), "float32.*wanted int64"),
        ],
    )
    def test_refuses_what_is_no_data_set(self, broken: Callable[..., Any], message: str) -> None:
        for as_test in (False, True):
            given = broken(*random_images())
            first, test = (random_images(), given) if as_test else (given, 0.2)
            with pytest.raises(UserError, match=message):
                TensorData(*first, class_names=["a", "b", "c"], test=test).setup()

    def test_refuses_class_names_that_name_nothing(self) -> None:
        for names in (["only"], ["twice", "twice", "other"]):
            with pytest.raises(UserError, match="cannot name classes"):
                TensorData(*random_images(), class_names=names, test=random_images()).setup()

    def test_refuses_two_shapes_of_image(self) -> None:
        images, labels = random_images()
        with pytest.raises(
            UserError, match=r"Train images are \(2, 6, 5\) and test images \(2, 6, 4\)"
        ):
            TensorData(images, labels, ["a", "b", "c"], test=(images[..., :4], labels)).setup()


class TestQuickDraw(DataModuleConformance):
    def data(self, folder: Path, **loading: Any) -> ImageData:
        write_quickdraw(folder)
        return QuickDraw(folder, **loading)

    def test_the_last_rows_of_each_class_are_the_test_split(self, tmp_path: Path) -> None:
        write_quickdraw(tmp_path)
        for test, n in ((0.25, 10), (6, 6)):
            data = QuickDraw(tmp_path, test=test)
            data.setup()
            expected = [
                np.load(tmp_path / "quickdraw" / f"{name}.npy")[-n:]
                for name in ("ant", "apple", "cow")
            ]
            assert np.array_equal(
                data.split("test").images.flatten(1).numpy(), np.concatenate(expected)
            )
            assert data.split("test").labels.tolist() == [0] * n + [1] * n + [2] * n

    def test_classes_and_rows_may_be_chosen(self, tmp_path: Path) -> None:
        write_quickdraw(tmp_path)
        data = QuickDraw(tmp_path, classes=["cow", "ant"], per_class=20, test=5, validation=10)
        data.setup()
        assert data.facts.class_names == ("cow", "ant")
        assert (len(data.split("train")), len(data.split("val")), len(data.split("test"))) == (
            20,
            10,
            10,
        )
        cows = np.load(tmp_path / "quickdraw" / "cow.npy")
        assert np.array_equal(data.split("test").images[:5].flatten(1).numpy(), cows[15:20])

    def test_refuses_a_class_without_a_file(self, tmp_path: Path) -> None:
        write_quickdraw(tmp_path)
        with pytest.raises(UnknownName, match=r"No class 'aple'.*Did you mean 'apple'"):
            QuickDraw(tmp_path, classes=["aple", "cow"]).setup()

    def test_refuses_a_folder_without_files(self, tmp_path: Path) -> None:
        with pytest.raises(UserError, match=r"No .npy file in .*quickdraw.*data.root="):
            QuickDraw(tmp_path).setup()

    def test_refuses_a_file_of_another_shape_by_name(self, tmp_path: Path) -> None:
        write_quickdraw(tmp_path)
        np.save(tmp_path / "quickdraw" / "apple.npy", np.zeros((40, 28, 28), np.uint8))
        with pytest.raises(UserError, match=r"apple.npy' holds uint8 of shape \(40, 28, 28\)"):
            QuickDraw(tmp_path).setup()
        (tmp_path / "quickdraw" / "apple.npy").write_bytes(b"<html>not found</html>")
        with pytest.raises(UserError, match=r"apple.npy' is no readable"):
            QuickDraw(tmp_path).setup()

    def test_refuses_options_that_leave_nothing(self, tmp_path: Path) -> None:
        write_quickdraw(tmp_path)
        with pytest.raises(UserError, match="test=40 of 40"):
            QuickDraw(tmp_path, test=40).setup()
        with pytest.raises(UserError, match=r"per_class must be .*1"):
            QuickDraw(tmp_path, per_class=1)
        with pytest.raises(UserError, match="Name at least two"):
            QuickDraw(tmp_path, classes=["ant"])


class TestMNIST(DataModuleConformance):
    def data(self, folder: Path, **loading: Any) -> ImageData:
        write_mnist(folder, "MNIST")
        return MNIST(folder, **loading)

    def test_says_what_to_do_where_there_are_no_files(self, tmp_path: Path) -> None:
        with pytest.raises(
            UserError, match=r"No MNIST in .*data\.root=\.\.\..*data\.download=true"
        ):
            MNIST(tmp_path).setup()

    def test_says_what_to_do_where_the_download_fails(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def offline(*_: Any, **__: Any) -> None:
            raise urllib.error.URLError("no network")

        monkeypatch.setattr("torchvision.datasets.mnist.download_and_extract_archive", offline)
        with pytest.raises(
            UserError, match=r"(?s)could not be downloaded.*no network.*data\.root="
        ):
            MNIST(tmp_path, download=True).prepare_data()

    def test_downloads_only_what_is_missing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        def fetch(url: str, download_root: str, **_: Any) -> None:
            asked.append(url)
            write_mnist(tmp_path, "MNIST")

        monkeypatch.setattr("torchvision.datasets.mnist.download_and_extract_archive", fetch)
        data = MNIST(tmp_path, download=True, validation=10)
        data.prepare_data()
        assert len(asked) == 4
        data.setup()
        assert len(asked) == 4


class TestFashionMNIST(DataModuleConformance):
    def data(self, folder: Path, **loading: Any) -> ImageData:
        write_mnist(folder, "FashionMNIST")
        return FashionMNIST(folder, **loading)


@pytest.mark.parametrize("kind", [MNIST, FashionMNIST])
def test_the_published_files_are_read_whole(
    kind: type[MNIST | FashionMNIST], interp_data: Path
) -> None:
    data = kind(interp_data, validation=5000)
    data.setup()
    assert [len(data.split(name)) for name in ("train", "val", "test")] == [55_000, 5_000, 10_000]
    assert data.split("test").labels.bincount().tolist()[0] == (980 if kind is MNIST else 1000)
    raw = (interp_data / kind.__name__ / "raw" / "t10k-images-idx3-ubyte").read_bytes()[16:]
    assert data.split("test").images.numpy().tobytes() == raw


def test_validation_has_every_class_in_its_share() -> None:
    labels = torch.cat([torch.zeros(900), torch.ones(90), torch.full((10,), 2.0)]).long()
    data = TensorData(
        torch.rand(1000, 1, 2, 2), labels, ["a", "b", "c"], test=random_like(), validation=0.1
    )
    data.setup()
    assert data.split("val").labels.bincount().tolist() == [90, 9, 1]


def random_like() -> tuple[torch.Tensor, torch.Tensor]:
    return torch.rand(6, 1, 2, 2), torch.arange(6) % 3


@pytest.mark.parametrize("path", sorted(CONF.glob("*.yaml")), ids=lambda path: path.stem)
def test_each_config_names_every_option_at_its_default(path: Path) -> None:
    config = OmegaConf.create({"seed": 3, "data": OmegaConf.load(path)})
    data = instantiate(config.data)
    assert isinstance(data, ImageData)
    assert data.seed == 3
    own = inspect.signature(type(data)).parameters
    named = {name for name, value in own.items() if value.kind is not inspect.Parameter.VAR_KEYWORD}
    shared = inspect.get_annotations(FolderOptions if isinstance(data, ImageFolder) else Loading)
    assert set(config.data) - {"_target_", "_convert_"} == named | set(shared) | set(
        Loading.__annotations__
    )
    plain = type(data)(**({"root": config.data.root} if "root" in config.data else {}), seed=3)
    assert settings(data) == settings(plain)


def settings(data: ImageData) -> dict[str, Any]:
    """What a data set was made with, apart from what Lightning and itself keep."""
    return {name: value for name, value in vars(data).items() if not name.startswith("_")}
