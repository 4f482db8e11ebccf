"""Image folders: what is found, what becomes of it, and what is refused, in which words."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from interp_by_design.data import ImageData, ImageFolder
from interp_by_design.data.files import FileSplit
from interp_by_design.data.picture import Picture
from interp_by_design.terms import Normalisation, UnknownName, UserError
from interp_by_design.testing import DataModuleConformance

pytestmark = [
    pytest.mark.filterwarnings("ignore:This DataLoader will create"),  # where there is one core
    pytest.mark.filterwarnings(
        "ignore:.*use of fork.. may lead to deadlocks:DeprecationWarning"
    ),  # from Python 3.12
]


def noise(seed: int, height: int = 9, width: int = 12) -> Image.Image:
    return Image.fromarray(
        np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    )


def write(
    root: Path, part: str = "train", classes: tuple[str, ...] = ("cat", "dog"), n: int = 12
) -> Path:
    for label, name in enumerate(classes):
        folder = root / part / name
        folder.mkdir(parents=True, exist_ok=True)
        for i in range(n):
            noise(100 * label + i, height=8 + i % 3, width=8 + i % 4).save(folder / f"{i:02d}.png")
    return root


def made(root: Path, **options: Any) -> ImageFolder:
    data = ImageFolder(root, **{"size": 8, "workers": 0, **options})
    data.setup()
    return data


def refused(root: Path, message: str, **options: Any) -> None:
    with pytest.raises(UserError, match=message):
        made(root, **options)


class TestImageFolder(DataModuleConformance):
    def data(self, folder: Path, **loading: Any) -> ImageData:
        return ImageFolder(write(folder, n=30), **{"size": 8, "workers": 0, **loading})


class TestImageFolderInMemory(DataModuleConformance):
    def data(self, folder: Path, **loading: Any) -> ImageData:
        return ImageFolder(
            write(folder, n=30),
            **{"size": 8, "workers": 0, "in_memory": True, "channels": 1, **loading},
        )


def test_folders_for_test_and_validation_are_taken_whole(tmp_path: Path) -> None:
    for part, n in (("train", 12), ("val", 3), ("test", 5)):
        write(tmp_path, part, n=n)
    data = made(tmp_path)
    assert [len(data.split(name)) for name in ("train", "val", "test")] == [24, 6, 10]
    assert data.facts.class_names == ("cat", "dog")
    assert data.class_counts() == (12, 12)
    assert data.rows("val").tolist() == list(range(6))


def test_without_them_both_are_cut_from_train_in_equal_shares(tmp_path: Path) -> None:
    data = made(write(tmp_path, n=20), test=0.25, validation=6)
    assert [data.split(name).labels.bincount().tolist() for name in ("train", "val", "test")] == [
        [12, 12],
        [3, 3],
        [5, 5],
    ]
    files = [name for part in ("train", "val", "test") for name in data.split(part).names]
    assert len(set(files)) == len(files) == 40


def test_kept_in_memory_the_images_are_the_same(tmp_path: Path) -> None:
    lazily, kept = made(write(tmp_path)), made(tmp_path, in_memory=True, workers=2)
    for name in ("train", "val", "test"):
        rows = torch.arange(len(lazily.split(name)))
        assert torch.equal(
            lazily.split(name).batch(rows).images, kept.split(name).batch(rows).images
        )
        assert torch.equal(lazily.split(name).labels, kept.split(name).labels)


def test_memory_that_is_not_there_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("interp_by_design.data.files.free_memory", lambda: 100)
    refused(
        write(tmp_path), r"images of 3 x 8 x 8 need 0\.0 GB .*data\.in_memory=false", in_memory=True
    )


def test_other_files_hidden_ones_and_folders_are_no_images(tmp_path: Path) -> None:
    write(tmp_path)
    for name in ("notes.txt", ".hidden.png", "Thumbs.db", "labels.csv"):
        (tmp_path / "train" / "cat" / name).write_text("no image")
    (tmp_path / "train" / "cat" / "folder.jpg").mkdir()
    (tmp_path / "train" / ".cache").mkdir()
    (tmp_path / "train" / "README").write_text("no class")
    assert sum(made(tmp_path).class_counts()) + 5 + 2 == 24


def test_links_and_folders_within_a_class_are_followed(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "train" / "dog" / "puppies").mkdir()
    noise(1).save(tmp_path / "train" / "dog" / "puppies" / "one.PNG")
    (tmp_path / "train" / "dog" / "linked.png").symlink_to(tmp_path / "train" / "dog" / "00.png")
    data = made(tmp_path, test=2, validation=2)
    assert data.class_counts() == (10, 12)


@pytest.mark.parametrize(
    "name",
    ["with space.png", "größe 猫.png", "new\nline.png", "quo'te\".png", "%s{0}.png", "-rf.png"],
)
def test_files_may_have_any_name(tmp_path: Path, name: str) -> None:
    write(tmp_path)
    noise(3).save(tmp_path / "train" / "cat" / name)
    data = made(tmp_path)
    assert sum(data.class_counts()) == 18
    assert len(data.fingerprint()) == 64


def test_the_fingerprint_knows_names_sizes_labels_and_decoding(tmp_path: Path) -> None:
    before = made(write(tmp_path)).fingerprint()
    assert made(tmp_path, seed=9, batch_size=3).fingerprint() == before
    assert made(tmp_path, size=9).fingerprint() != before
    assert made(tmp_path, fit="squash").fingerprint() != before
    (tmp_path / "train" / "cat" / "00.png").rename(tmp_path / "train" / "cat" / "000.png")
    renamed = made(tmp_path).fingerprint()
    assert renamed != before
    noise(4, 30, 30).save(tmp_path / "train" / "cat" / "000.png")
    assert made(tmp_path).fingerprint() != renamed


def test_mean_and_deviation_are_the_models_to_apply(tmp_path: Path) -> None:
    assert made(write(tmp_path)).facts.normalisation == Normalisation((0.0,) * 3, (1.0,) * 3)
    data = made(tmp_path, mean=[0.4, 0.5, 0.6], std=[0.2, 0.2, 0.2])
    assert data.facts.normalisation == Normalisation((0.4, 0.5, 0.6), (0.2, 0.2, 0.2))
    assert made(tmp_path, std=[0.2, 0.2, 0.2]).facts.normalisation.mean == (0.0, 0.0, 0.0)
    for wrong in (
        {"mean": [0.5, 0.5]},
        {"mean": [0.1, 0.1, 0.1], "std": [1.0]},
        {"mean": [0.5], "std": [1.0]},
    ):
        with pytest.raises(UserError, match=r"normalisation needs|do not fit images of 3 channels"):
            ImageFolder(tmp_path, **wrong)


def test_refuses_options_that_name_nothing() -> None:
    with pytest.raises(UnknownName, match=r"No fit 'crp'.*Did you mean 'crop'"):
        ImageFolder("root", fit="crp")
    with pytest.raises(UserError, match="channels must be 3 for colour or 1 for gray, not 2"):
        ImageFolder("root", channels=2)
    with pytest.raises(UserError, match="size must be a whole number of at least 1, not 0"):
        ImageFolder("root", size=0)


def test_refuses_a_root_without_classes(tmp_path: Path) -> None:
    refused(tmp_path / "nowhere", r"No class folder in '.*nowhere/train'.*data\.root=")
    (tmp_path / "train").mkdir()
    refused(tmp_path, "No class folder in")
    write(tmp_path, classes=("cat",))
    refused(tmp_path, "a single class folder, 'cat'")


def test_refuses_a_class_without_images_by_name(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "train" / "emu").mkdir()
    (tmp_path / "train" / "emu" / "note.txt").write_text("none yet")
    refused(tmp_path, r"class folders 'emu' in .*hold no image.*\.jpg")


def test_refuses_test_classes_that_train_has_not(tmp_path: Path) -> None:
    write(write(tmp_path), "test", classes=("cat", "dgo"))
    refused(tmp_path, r"test' has the class folders 'dgo', which train lacks: it has 'cat', 'dog'")


def test_refuses_a_test_folder_without_images(tmp_path: Path) -> None:
    (write(tmp_path) / "test" / "cat").mkdir(parents=True)
    refused(tmp_path, "no image in '.*test'")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_refuses_what_may_not_be_read(tmp_path: Path) -> None:
    forbidden = write(tmp_path) / "train" / "cat" / "03.png"
    forbidden.chmod(0)
    refused(tmp_path, r"03\.png' cannot be read as an image \(permission denied\)")
    forbidden.parent.chmod(0)
    try:
        refused(tmp_path, "cannot be listed: Permission denied")
    finally:
        forbidden.parent.chmod(0o755)


def test_refuses_what_the_system_does_not_let_it_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "03.png")
    refused(write(tmp_path), r"03\.png' cannot be read as an image \(permission denied\)")


UNREADABLE = r"dog/05\.png' cannot be read as an image \(.*data\.skip_unreadable=true"


def truncate(path: Path) -> None:
    noise(0, 64, 64).save(path)
    path.write_bytes(path.read_bytes()[:900])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def gone(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere.png")


def text(path: Path) -> None:
    path.write_text("<html>404</html>")


@pytest.mark.parametrize("damage", [truncate, empty, gone, text])
@pytest.mark.parametrize("options", [{}, {"workers": 1}, {"in_memory": True}])
def test_an_unreadable_file_is_named(
    tmp_path: Path, damage: Callable[[Path], None], options: dict[str, Any]
) -> None:
    damage(write(tmp_path) / "train" / "dog" / "05.png")
    loading = {"test": 1, "validation": 1, **options}
    if damage in (truncate, text) and not options.get("in_memory"):
        data = made(tmp_path, **loading)
        broken = next(
            part for part in ("train", "val", "test") if "dog/05.png" in data.split(part).names
        )
        with pytest.raises(UserError, match=UNREADABLE) as raised:
            list(data.in_order(broken))
    else:  # found without decoding the files
        with pytest.raises(UserError, match=UNREADABLE) as raised:
            made(tmp_path, **loading)
    assert "Traceback" not in str(raised.value)


def test_unreadable_files_may_be_left_out(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    write(tmp_path)
    for i, damage in enumerate((truncate, empty, gone, text)):
        damage(tmp_path / "train" / "dog" / f"0{i}.png")
    with caplog.at_level(logging.WARNING):
        data = made(tmp_path, skip_unreadable=True, workers=2, test=4, validation=2)
    assert [record.message.partition(" left")[0] for record in caplog.records] == [
        f"4 of the images in '{tmp_path / 'train'}'"
    ]
    assert caplog.records[0].message.endswith(
        "not readable: 'dog/00.png', 'dog/01.png', 'dog/02.png', ..."
    )
    assert sum(len(data.split(name)) for name in ("train", "val", "test")) == 20
    for loader in (data.in_order("train"), data.in_order("val"), data.in_order("test")):
        assert len(next(iter(loader)).images)


def test_a_class_of_unreadable_images_alone_is_refused(tmp_path: Path) -> None:
    for path in (write(tmp_path) / "train" / "dog").iterdir():
        text(path)
    refused(
        tmp_path, "class folders 'dog' in .*hold no image.*readable files", skip_unreadable=True
    )


def test_real_photographs_are_read(interp_data: Path, tmp_path: Path) -> None:
    photographs = sorted((interp_data / "imagenette").glob("val/*/*"))[::100]
    if not photographs:
        pytest.skip("INTERP_DATA holds no imagenette/val")
    split = FileSplit(
        Path("/"),
        [str(path) for path in photographs],
        torch.zeros(len(photographs), dtype=torch.int64),
        Picture(64),
    )
    images = split.batch(torch.arange(len(split))).images
    assert images.flatten(1).std(dim=1).min() > 0.02
