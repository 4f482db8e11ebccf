"""Decoding of an image file to a square of bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import IO, final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from interp_by_design.terms import UnknownName, UserError, check_whole

FITS = ("crop", "squash")
MODES = {1: "L", 3: "RGB"}
FORMATS = {
    "JPEG": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "BMP": (".bmp",),
    "WEBP": (".webp",),
    "GIF": (".gif",),
    "TIFF": (".tif", ".tiff"),
    "PPM": (".ppm", ".pgm", ".pbm"),
}
ENDINGS = frozenset(ending for endings in FORMATS.values() for ending in endings)


@final
@dataclass(frozen=True)
class Picture:
    """The form that every image file is decoded to: bytes [channels, size, size].

    The EXIF orientation is applied, transparent parts become white, and of several frames the
    first counts.

    Args:
        size: side in pixels.
        fit: `crop` scales the shorter side to `size` and keeps the middle; `squash` keeps the whole
            image and loses its proportions.
        channels: 3 for colour, 1 for gray.

    Raises:
        UserError: if an option is out of range.
    """

    size: int = 224
    fit: str = "crop"
    channels: int = 3

    def __post_init__(self) -> None:
        check_whole("size", self.size, minimum=1)
        if self.fit not in FITS:
            raise UnknownName.among("fit", str(self.fit), FITS)
        if self.channels not in MODES:
            raise UserError(f"channels must be 3 for colour or 1 for gray, not {self.channels}.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return self.channels, self.size, self.size

    def decode(self, path: Path | IO[bytes], into: npt.NDArray[np.uint8]) -> None:
        """Decode an image file.

        Args:
            path: the path, or an open binary file.
            into: the bytes [channels, size, size] to write to.

        Raises:
            UserError: if the file cannot be decoded.
        """
        try:
            with Image.open(path, formats=tuple(FORMATS)) as file:
                # JPEG only: decode at 1/2, 1/4 or 1/8, as long as twice the size is left.
                file.draft(MODES[self.channels], (2 * self.size, 2 * self.size))
                square = self._square(_opaque(file, MODES[self.channels]))
        except Exception as broken:  # on a damaged file Pillow's decoders raise almost anything
            raise unreadable(path, broken) from broken
        for plane, band in zip(into, square.split(), strict=True):
            plane[:] = np.frombuffer(band.tobytes(), np.uint8).reshape(plane.shape)

    def _square(self, image: Image.Image) -> Image.Image:
        (width, height), side = image.size, min(image.size)
        left, top = ((width - side) // 2, (height - side) // 2) if self.fit == "crop" else (0, 0)
        box = (
            (left, top, width - left, height - top)
            if self.fit == "squash"
            else (left, top, left + side, top + side)
        )
        square = image.resize(
            (self.size, self.size), Image.Resampling.BILINEAR, box, reducing_gap=2.0
        )
        # Last, when the fewest pixels are left to move: a middle square stays one when turned.
        ImageOps.exif_transpose(square, in_place=True)
        return square


def unreadable(path: Path | IO[bytes], why: Exception | str) -> UserError:
    """Return the error for a file that holds no image.

    Args:
        path: the path, or an open file.
        why: the reason.

    Returns:
        The error to raise.
    """
    reason = why if isinstance(why, str) else f"{type(why).__name__}: {why}"
    return UserError(
        f"{str(path)!r} cannot be read as an image ({reason}). "
        "Repair or remove it, or skip such files with data.skip_unreadable=true."
    )


def _opaque(file: Image.Image, mode: str) -> Image.Image:
    """The image in `mode`, with white behind transparent parts."""
    image = file
    if file.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", file.size, "white"), file.convert("RGBA"))
    elif file.mode == "F":
        raise ValueError("its pixels are floats, and their range is not known")
    elif file.mode.startswith("I"):  # 16 bits per pixel: Pillow would clip values above 255
        image = Image.fromarray((np.asarray(file) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode != mode:
        image = image.convert(mode)
    image.info = file.info  # the orientation is in there
    return image
