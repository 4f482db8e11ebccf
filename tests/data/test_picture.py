"""Decoding: what each kind of file becomes, against Pillow's plainest way to the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from PIL import ExifTags, Image

from interp_by_design.data.picture import Picture
from interp_by_design.terms import UserError

Bytes = npt.NDArray[np.uint8]


def scene(width: int, height: int) -> Image.Image:
    """Smooth, and different in each corner, so that a turned or shrunk one is recognised."""
    across, down = np.linspace(0, 255, width)[None, :], np.linspace(0, 255, height)[:, None]
    return Image.fromarray(
        np.stack(np.broadcast_arrays(across, down, (across * down) / 255), axis=2).astype(np.uint8)
    )


def decoded(path: Path, picture: Picture) -> Bytes:
    into = np.zeros(picture.shape, np.uint8)
    picture.decode(path, into)
    return into


def planes(image: Image.Image) -> npt.NDArray[np.int64]:
    return np.asarray(image).reshape(*image.size[::-1], -1).transpose(2, 0, 1).astype(np.int64)


def apart(first: Bytes, second: npt.NDArray[np.int64]) -> float:
    return float(np.abs(first - second).mean())


@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "ppm", "webp", "gif", "jpg", "JPEG"])
def test_every_format_shows_the_same(tmp_path: Path, ending: str) -> None:
    scene(32, 32).save(tmp_path / f"a.{ending}", **({"lossless": True} if ending == "webp" else {}))
    limit = {"jpg": 3.0, "JPEG": 3.0, "gif": 8.0}.get(ending, 0.0)
    assert apart(decoded(tmp_path / f"a.{ending}", Picture(32)), planes(scene(32, 32))) <= limit


@pytest.mark.parametrize("size", [(300, 200), (200, 300), (1000, 640)])
@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_crop_keeps_the_middle_and_the_proportions(
    tmp_path: Path, size: tuple[int, int], ending: str
) -> None:
    scene(*size).save(tmp_path / f"a.{ending}", quality=95)
    side, (width, height) = min(size), size
    middle = scene(*size).crop(
        ((width - side) // 2, (height - side) // 2, (width + side) // 2, (height + side) // 2)
    )
    assert (
        apart(
            decoded(tmp_path / f"a.{ending}", Picture(32)),
            planes(middle.resize((32, 32), Image.Resampling.BOX)),
        )
        < 1.5
    )


def test_squash_keeps_everything(tmp_path: Path) -> None:
    scene(400, 100).save(tmp_path / "a.png")
    expected = planes(scene(400, 100).resize((20, 20), Image.Resampling.BOX))
    assert apart(decoded(tmp_path / "a.png", Picture(20, fit="squash")), expected) < 1.5


def test_fine_stripes_become_gray_not_moire(tmp_path: Path) -> None:
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    for ending in ("png", "jpg"):
        Image.fromarray(stripes).save(tmp_path / f"a.{ending}", quality=95)
        assert np.abs(decoded(tmp_path / f"a.{ending}", Picture(50)).astype(int) - 127).max() < 10


def test_small_images_grow(tmp_path: Path) -> None:
    scene(5, 4).save(tmp_path / "a.png")
    assert decoded(tmp_path / "a.png", Picture(16)).shape == (3, 16, 16)
    Image.new("RGB", (1, 1), "red").save(tmp_path / "b.png")
    assert (decoded(tmp_path / "b.png", Picture(4)).reshape(3, -1).T == [255, 0, 0]).all()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "tif"])
def test_images_stand_as_their_orientation_says(
    tmp_path: Path, orientation: int, ending: str
) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    scene(64, 48).save(tmp_path / f"a.{ending}", exif=exif, quality=95)
    across = planes(scene(64, 48).crop((8, 0, 56, 48)).resize((16, 16)))[0]
    upright = {
        1: across, 2: across[:, ::-1], 3: across[::-1, ::-1], 4: across[::-1],
        5: across.T, 6: across.T[:, ::-1], 7: across.T[::-1, ::-1], 8: across.T[::-1],
    }  # fmt: skip
    assert apart(decoded(tmp_path / f"a.{ending}", Picture(16))[0], upright[orientation]) < 2


def test_gray_palette_and_one_bit_images_become_colour(tmp_path: Path) -> None:
    gray = scene(16, 16).convert("L")
    for name, image in (
        ("gray", gray),
        ("palette", gray.convert("P")),
        ("bits", gray.convert("1")),
    ):
        image.save(tmp_path / f"{name}.png")
        expected = planes(image.convert("RGB"))
        assert apart(decoded(tmp_path / f"{name}.png", Picture(16)), expected) == 0


def test_colour_becomes_gray(tmp_path: Path) -> None:
    for ending in ("png", "jpg"):
        scene(16, 16).save(tmp_path / f"a.{ending}", quality=95)
        assert (
            apart(
                decoded(tmp_path / f"a.{ending}", Picture(16, channels=1)),
                planes(scene(16, 16).convert("L")),
            )
            < 2
        )


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_transparent_is_white(tmp_path: Path, channels: int) -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    clear.save(tmp_path / "rgba.png")
    clear.convert("LA").save(tmp_path / "la.png")
    Image.new("P", (8, 8), 0).save(tmp_path / "palette.png", transparency=0)
    Image.new("RGB", (8, 8), (1, 2, 3)).save(tmp_path / "key.png", transparency=(1, 2, 3))
    for path in tmp_path.iterdir():
        assert (decoded(path, Picture(8, channels=channels)) == 255).all(), path.name
    Image.new("RGBA", (8, 8), (0, 0, 0, 128)).save(tmp_path / "half.png")
    assert (decoded(tmp_path / "half.png", Picture(8)) == 127).all()


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    ramp = (np.arange(256, dtype=np.uint16) * 257).reshape(16, 16)
    for ending in ("png", "tif", "pgm"):
        Image.fromarray(ramp).save(tmp_path / f"a.{ending}")
        for channels in (1, 3):
            assert (
                decoded(tmp_path / f"a.{ending}", Picture(16, channels=channels))
                == np.arange(256).reshape(16, 16)
            ).all()


def test_cmyk_becomes_colour(tmp_path: Path) -> None:
    scene(16, 16).convert("CMYK").save(tmp_path / "a.jpg", quality=95)
    assert apart(decoded(tmp_path / "a.jpg", Picture(16)), planes(scene(16, 16))) < 4


def test_refuses_pixels_of_no_known_range(tmp_path: Path) -> None:
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(UserError, match=r"a\.tif' cannot be read.*floats"):
        decoded(tmp_path / "a.tif", Picture(4))


def test_refuses_a_decompression_bomb_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    scene(64, 64).save(tmp_path / "bomb.png")
    with pytest.raises(
        UserError,
        match=r"bomb\.png' cannot be read.*DecompressionBombError.*could be decompression bomb",
    ):
        decoded(tmp_path / "bomb.png", Picture(4))


def test_a_name_does_not_make_postscript_an_image(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n"
    )
    with pytest.raises(UserError, match="UnidentifiedImageError"):
        decoded(tmp_path / "a.jpg", Picture(4))
