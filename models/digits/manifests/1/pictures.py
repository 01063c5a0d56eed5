"""A PNG in, the 64 numbers that the model was trained on out: 8 rows of 8 pixels, 0 for paper and 1 for ink."""

import io

import numpy as np
from PIL import Image, ImageOps

PIXELS_MAX = 16_000_000
FAINTEST_INK = 16  # of 255: one of the 16 steps that the training pictures know
MIDDLE_SHADE = 127


def features(png: bytes) -> np.ndarray:
    """The model's input, shape (1, 64). The digit may stand anywhere, dark on light or light on dark."""
    picture = _on_white_paper(png)
    if _is_light(picture):
        picture = ImageOps.invert(picture)
    square = _cut_out(picture)
    small = square.resize((8, 8), Image.Resampling.BOX)  # the data set was made by averaging blocks too
    return np.asarray(small, dtype=np.float64).reshape(1, 64) / 255


def _on_white_paper(png: bytes) -> Image.Image:
    """The picture in shades of grey; white where it is transparent."""
    with Image.open(io.BytesIO(png), formats=["PNG"]) as picture:
        if picture.width * picture.height > PIXELS_MAX:
            raise ValueError(f"the picture has {picture.width} x {picture.height} pixels, more than {PIXELS_MAX}")
        if picture.mode == "I;16":  # Pillow would cut 16 bits off at 255
            return Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
        drawn = picture.convert("RGBA")
    paper = Image.new("RGBA", drawn.size, "white")
    return Image.alpha_composite(paper, drawn).convert("L")


def _is_light(picture: Image.Image) -> bool:
    """Whether the border, which is paper for the most part, is light."""
    shades = np.asarray(picture)
    border = np.concatenate([shades[0], shades[-1], shades[:, 0], shades[:, -1]])
    return bool(np.median(border) > MIDDLE_SHADE)


def _cut_out(picture: Image.Image) -> Image.Image:
    """The smallest square with all ink in it, the ink in its middle; a blank picture as it is."""
    box = picture.point(lambda shade: 255 if shade >= FAINTEST_INK else 0).getbbox()
    if box is None:
        return picture
    ink = picture.crop(box)
    side = max(ink.size)
    square = Image.new("L", (side, side))
    square.paste(ink, ((side - ink.width) // 2, (side - ink.height) // 2))
    return square
