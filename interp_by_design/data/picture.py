"""An image file as a square of bytes. Knows nothing of labels, folders or batches."""

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
    """What every file is brought to: bytes [channels, size, size], upright as its EXIF orientation says.

    fit: `crop` brings the shorter side to `size` and keeps the middle; `squash` keeps all and loses the proportions.
    channels: 3 for colour, 1 for gray. What is transparent is laid on white; of several frames the first counts.
    """

    size: int = 224
    fit: str = "crop"
    channels: int = 3

    def __post_init__(self) -> None:
        check_whole("size", self.size, minimum=1)
        if self.fit not in FITS:
            raise UnknownName.among("fit", str(self.fit), FITS)
        if self.channels not in MODES:
            raise UserError(
                f"channels={self.channels} cannot be. Give 3 for colour, or 1 for gray."
            )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width."""
        return self.channels, self.size, self.size

    def decode(self, path: Path | IO[bytes], into: npt.NDArray[np.uint8]) -> None:
        """Reads the image at `path`, or in an open file, into bytes [channels, size, size]. Raises UserError if it cannot be."""
        try:
            with Image.open(path, formats=tuple(FORMATS)) as file:
                # JPEG alone: decodes a half, a quarter or an eighth of it where at least twice the size is left.
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
        # Last, where it moves the fewest pixels: a middle square stays one however it is turned.
        ImageOps.exif_transpose(square, in_place=True)
        return square


def unreadable(path: Path | IO[bytes], why: Exception | str) -> UserError:
    """The error for a file that holds no image."""
    reason = why if isinstance(why, str) else f"{type(why).__name__}: {why}"
    return UserError(
        f"{str(path)!r} cannot be read as an image ({reason}). "
        "Repair it or take it away, or go on without such files by data.skip_unreadable=true."
    )


def _opaque(file: Image.Image, mode: str) -> Image.Image:
    """The image in `mode`, on white where it is transparent."""
    image = file
    if file.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", file.size, "white"), file.convert("RGBA"))
    elif file.mode == "F":
        raise ValueError("its pixels are floats, and their range is not known")
    elif file.mode.startswith(
        "I"
    ):  # 16 bits a pixel, of which Pillow would clip all that is above 255
        image = Image.fromarray((np.asarray(file) >> 8).clip(0, 255).astype(np.uint8))
    if image.mode != mode:
        image = image.convert(mode)
    image.info = file.info  # the orientation is in there
    return image
