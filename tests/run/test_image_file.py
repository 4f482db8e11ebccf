"""Files that were never in the data set, brought to what a model takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from interp_by_design.run.image_file import ImageReader, image_files
from interp_by_design.terms import UserError

GRAY = ImageReader((1, 8, 8))
COLOUR = ImageReader((3, 8, 8))
RAMP = np.arange(64, dtype=np.uint8).reshape(8, 8) * 4


def saved(path: Path, mode: str = "L", size: tuple[int, int] = (8, 8), **options: object) -> Path:
    image = Image.fromarray(RAMP).resize(size, Image.Resampling.NEAREST)
    image.convert(mode).save(path, **options)
    return path


def test_an_image_of_the_models_size_comes_as_it_is(tmp_path: Path) -> None:
    pixels = GRAY.read(saved(tmp_path / "a.png"))
    assert torch.equal(pixels, torch.from_numpy(RAMP)[None] / 255)


@pytest.mark.parametrize("reader", [GRAY, COLOUR])
@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("a.png", "L"),
        ("a.png", "RGB"),
        ("a.png", "RGBA"),
        ("a.png", "LA"),
        ("a.png", "P"),
        ("a.png", "1"),
        ("a.jpg", "CMYK"),
        ("a.gif", "P"),
        ("a.bmp", "RGB"),
        ("a.webp", "RGB"),
        ("a.tif", "RGB"),
    ],
)
def test_every_kind_of_file_becomes_the_models_shape(
    name: str, mode: str, reader: ImageReader, tmp_path: Path
) -> None:
    pixels = reader.read(saved(tmp_path / name, mode, (40, 24)))
    assert pixels.shape == reader.shape
    assert pixels.dtype == torch.float32
    assert 0 <= pixels.min() < 0.2 < 0.8 < pixels.max() <= 1
    if mode != "1":
        assert pixels[:, 0].mean() < pixels[:, -1].mean(), "upright"


def test_sixteen_bits_keep_their_range(tmp_path: Path) -> None:
    Image.fromarray(RAMP.astype(np.uint16) << 8).save(tmp_path / "deep.png")
    assert torch.equal(GRAY.read(tmp_path / "deep.png"), torch.from_numpy(RAMP)[None] / 255)


def test_a_photo_is_turned_as_its_exif_says(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    saved(tmp_path / "turned.png", exif=exif)
    assert torch.equal(
        GRAY.read(tmp_path / "turned.png"), torch.from_numpy(RAMP[::-1, ::-1].copy())[None] / 255
    )


@pytest.mark.parametrize(("fit", "dark"), [("crop", False), ("squash", True)])
def test_what_is_not_square_is_cropped_or_squashed_as_the_data_was(
    fit: str, dark: bool, tmp_path: Path
) -> None:
    wide = np.full((8, 24), 255, np.uint8)
    wide[:, :8] = 0  # the left third
    Image.fromarray(wide).save(tmp_path / "wide.png")
    reader = ImageReader.from_options((1, 8, 8), {"fit": fit})
    assert (reader.read(tmp_path / "wide.png")[0, :, 0].mean() < 0.5) == dark


def test_a_model_whose_images_are_no_squares_gets_all_of_the_image(tmp_path: Path) -> None:
    pixels = ImageReader((1, 4, 8)).read(saved(tmp_path / "a.png", size=(80, 40)))
    assert pixels.shape == (1, 4, 8)
    assert pixels[0, 0].mean() < 0.3 < 0.7 < pixels[0, -1].mean()
    with pytest.raises(UserError, match="takes 4 x 8 pixels"):
        _ = ImageReader((1, 4, 8)).picture


def test_a_model_of_other_channels_is_reported() -> None:
    with pytest.raises(UserError, match=r"takes images of 5 channels, .* model.explain\(image\)"):
        ImageReader((5, 8, 8))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "UnidentifiedImageError"),
        (b"hello", "UnidentifiedImageError"),
        (None, "No such file or directory"),
    ],
)
def test_a_file_that_is_no_image_is_reported_by_its_name(
    content: bytes | None, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "broken.png"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(
        UserError, match=rf"broken\.png cannot be read as an image \(.*{message}"
    ) as raised:
        GRAY.read(file)
    assert "skip_unreadable" not in str(raised.value)


def test_a_truncated_file_is_reported(tmp_path: Path) -> None:
    file = saved(tmp_path / "cut.png", size=(200, 200))
    file.write_bytes(file.read_bytes()[:150])
    with pytest.raises(UserError, match=r"cut\.png cannot be read"):
        GRAY.read(file)


def test_folders_give_their_images_sorted_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "in/.hidden").mkdir(parents=True)
    for name in ("b.png", "in/a.JPG", "notes.txt", ".c.png", "in/.hidden/d.png"):
        (tmp_path / name).write_bytes(b"")
    found = image_files([tmp_path / "notes.txt", tmp_path, tmp_path / "b.png"])
    assert found == [tmp_path / "notes.txt", tmp_path / "b.png", tmp_path / "in/a.JPG"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="There is no image in"):
        image_files([tmp_path / "empty"])
