"""Reads one handwritten digit from a PNG picture."""

import os
from pathlib import Path

import skops.io
from pictures import features


def init() -> None:
    global model
    model = skops.io.load(Path(os.environ["MMGIT_MODEL_DIGITS"], "digits.skops"))


def run(image: bytes) -> dict:
    probabilities = model.predict_proba(features(image))[0]
    return {"digit": int(probabilities.argmax()), "probabilities": [round(float(p), 4) for p in probabilities]}
