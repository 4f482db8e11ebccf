"""Factors of one's own images: kinds of columns, order of rows, and files that are refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from interp_by_design.data import Digits, ImageFolder
from interp_by_design.data.factor_file import read_factor_file
from interp_by_design.terms import UnknownName, UserError

HEADING = "file,shape [causal],rotation [angle],size,level,side"


def image(root: Path, name: str) -> str:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((4, 4, 3), 90, np.uint8)).save(path)
    return name


def folder(root: Path, parts: tuple[str, ...] = ("train",), n: int = 10) -> list[str]:
    """An image folder of two classes, and a line of factors for each of its images."""
    names = [
        image(root, f"{part}/{label}/{i}.png")
        for part in parts
        for label in ("cat", "dog")
        for i in range(n)
    ]
    shapes, sides = ("square", "disc", "ring"), ("left", "right")
    return [
        f"{name},{shapes[i % 3]},{0.1 * i:g},{i / 7},{10 + i % 4},{sides[i % 2]}"
        for i, name in enumerate(names)
    ]


def write(root: Path, lines: list[str], heading: str = HEADING) -> Path:
    path = root / "factors.csv"
    path.write_text("\n".join([heading, *lines]) + "\n")
    return path


def made(root: Path, **options: object) -> ImageFolder:
    data = ImageFolder(root, **{"size": 4, "workers": 0, **options})  # type: ignore[arg-type]
    data.setup()
    return data


def test_the_kind_of_a_column_follows_from_its_values_and_marks(tmp_path: Path) -> None:
    factors = read_factor_file(write(tmp_path, folder(tmp_path))).factors
    assert factors.names == ("shape", "rotation", "size", "level", "side")
    assert factors.kinds == ("discrete", "angle", "continuous", "discrete", "binary")
    assert factors.causal == (True, False, False, False, False)
    assert factors.value_names == {
        "shape": ("disc", "ring", "square"),
        "level": ("10", "11", "12", "13"),
        "side": ("left", "right"),
    }
    assert factors.column("shape").tolist()[:3] == [2, 0, 1]
    assert factors.column("size").tolist() == [i / 7 for i in range(20)]
    assert factors.value_of("level", 5) == "11"


def test_marks_overrule_the_values(tmp_path: Path) -> None:
    lines = [f"{image(tmp_path, f'train/a/{i}.png')},{i % 4},{i / 2}" for i in range(8)]
    path = write(tmp_path, lines, "file,count [continuous causal],half [discrete]")
    factors = read_factor_file(path).factors
    assert factors.kinds == ("continuous", "discrete")
    assert factors.causal == (True, False)
    assert factors.value_names["half"] == ("0", "0.5", "1", "1.5", "2", "2.5", "3", "3.5")


def test_many_whole_numbers_are_continuous(tmp_path: Path) -> None:
    lines = [f"{image(tmp_path, f'train/a/{i}.png')},{i}" for i in range(21)]
    assert read_factor_file(write(tmp_path, lines, "file,x")).factors.kinds == ("continuous",)
    assert read_factor_file(write(tmp_path, lines[:20], "file,x")).factors.kinds == ("discrete",)


def test_an_empty_cell_is_an_unknown_value(tmp_path: Path) -> None:
    lines = [f"{image(tmp_path, f'train/a/{i}.png')},{x}" for i, x in enumerate(("u", "", "v"))]
    factors = read_factor_file(write(tmp_path, lines, "file,x")).factors
    assert math.isnan(factors.column("x")[1])
    assert factors.value_of("x", 1) is None
    assert factors.concepts().present.tolist() == [[True, False], [False, False], [False, True]]


@pytest.mark.parametrize("parts", [("train",), ("train", "test"), ("train", "val", "test")])
@pytest.mark.parametrize("in_memory", [False, True])
def test_rows_follow_the_images_of_a_split(
    tmp_path: Path, parts: tuple[str, ...], in_memory: bool
) -> None:
    # The brightness of every image is a factor, so that pixels and factors can be compared.
    lines = folder(tmp_path, parts)
    for i, line in enumerate(lines):
        pixels = np.full((4, 4, 3), 2 * i + 1, np.uint8)
        Image.fromarray(pixels).save(tmp_path / line.split(",")[0])
    lines = [f"{line.split(',')[0]},{2 * i + 1}" for i, line in enumerate(lines)]
    write(tmp_path, lines[::-1], "file,brightness [continuous]")
    data = made(tmp_path, in_memory=in_memory)
    for name in ("train", "val", "test"):
        factors, split = data.factors(name), data.split(name)
        assert factors is not None
        assert len(factors) == len(split)
        brightness = split.batch(torch.arange(len(split))).images[:, 0, 0, 0] * 255
        assert torch.equal(factors.column("brightness"), brightness.round().double())


def test_concepts_are_the_values_of_discrete_factors(tmp_path: Path) -> None:
    write(tmp_path, folder(tmp_path))
    concepts = made(tmp_path).concepts("val")
    assert concepts is not None
    assert concepts.names[:3] == ("shape is disc", "shape is ring", "shape is square")
    assert (concepts.present.sum(dim=1) == 3).all()  # shape, level, side


def test_data_without_factors_has_none(tmp_path: Path) -> None:
    folder(tmp_path)
    data = made(tmp_path)
    assert data.factors("train") is None
    assert data.concepts("train") is None
    digits = Digits()
    digits.setup()
    assert digits.factors("test") is None


def test_an_unreadable_image_may_have_a_line(tmp_path: Path) -> None:
    lines = folder(tmp_path)
    (tmp_path / "train/cat/0.png").write_bytes(b"")
    write(tmp_path, lines)
    data = made(tmp_path, skip_unreadable=True)
    assert sum(len(data.factors(name) or ()) for name in ("train", "val", "test")) == 19


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda lines: lines[:-2], r"no line for 'train/dog/8\.png', 'train/dog/9\.png'\. Add"),
        (lambda lines: [*lines, lines[0]], r"two lines for 'train/cat/0\.png'"),
        (lambda lines: [*lines, "train/cat/77.png,disc,1,1,1,left"], r"77\.png', which does not"),
        (lambda lines: [*lines[:-1], "train/dog/9.png,disc,1,inf,1,left"], "'size'.*'inf'.*finite"),
        (lambda lines: [*lines[:-1], "train/dog/9.png,disc,nan,1,1,left"], "'rotation'.*'nan'"),
        (
            lambda lines: [*lines[:-1], "train/dog/9.png,disc,up,1,1,left"],
            "is angle and holds 'up'",
        ),
        (lambda lines: [*lines, "train/dog/9.png,disc"], "Line 22 of .* has 2 cells"),
    ],
)
def test_lines_that_do_not_fit_are_refused(
    tmp_path: Path, change: Callable[[list[str]], list[str]], message: str
) -> None:
    write(tmp_path, change(folder(tmp_path)))
    with pytest.raises(UserError, match=message):
        made(tmp_path)


@pytest.mark.parametrize(
    ("heading", "message"),
    [
        ("path,a,b,c,d,e", "Name one column 'file'"),
        ("file,a,a,c,d,e", "all different"),
        ("file,a [angle discrete],b,c,d,e", "at most one of"),
        ("file,a],b,c,d,e", "has a column"),
    ],
)
def test_headings_that_do_not_fit_are_refused(tmp_path: Path, heading: str, message: str) -> None:
    path = write(tmp_path, folder(tmp_path), heading)
    with pytest.raises(UserError, match=message):
        read_factor_file(path)


def test_an_unknown_mark_or_another_file_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, folder(tmp_path), "file,a [causl],b,c,d,e")
    with pytest.raises(UnknownName, match="Did you mean 'causal'"):
        read_factor_file(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="cannot be read"):
        read_factor_file(path)
