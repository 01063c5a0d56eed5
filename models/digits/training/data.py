"""The pictures of scikit-learn's digits as PNG files: those to learn from, and those held out to measure with."""

import io

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

SEED = 0


def split() -> tuple[list[bytes], list[bytes], np.ndarray, np.ndarray]:
    """Pictures seen, pictures held out, and the digits on either. The same at every call."""
    digits = load_digits()
    pictures = [png_of(image) for image in digits.images]
    return train_test_split(pictures, digits.target, test_size=0.25, stratify=digits.target, random_state=SEED)


def png_of(image: np.ndarray) -> bytes:
    """A picture of the data set, 8 x 8 numbers from 0 to 16, as a PNG: dark ink on white paper, 64 x 64 pixels."""
    shades = (255 - image * 255 / 16).round().astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(shades).resize((64, 64), Image.Resampling.NEAREST).save(stream, "PNG")
    return stream.getvalue()
