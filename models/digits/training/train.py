"""Trains a reader of handwritten digits: `mmgit retrain digits`, or `python train.py --classifier linear FOLDER`.

Writes digits.skops and metrics.json into FOLDER, or where mmgit says; schema.json and sample.json beside score.py.
Version 1 is the linear classifier, version 2 the kernel one.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np
import skops.io
from data import SEED, split
from sklearn.kernel_approximation import Nystroem
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.pipeline import make_pipeline

from mmgit.sdk import DataTypes, SampleDefinition, generate_schema

SCORING = Path(__file__).resolve().parents[1] / "scoring"
sys.path.append(str(SCORING))

from pictures import features  # noqa: E402 - training sees pictures exactly as scoring does
from score import run  # noqa: E402 - the schema is that of its arguments

SAMPLE = 256  # of the held-out pictures: a 2 that the linear classifier takes for a 1

# The numbers were chosen by cross-validation on the pictures that are not held out.
CLASSIFIERS = {
    "linear": LogisticRegression(max_iter=1000),
    "kernel": make_pipeline(
        Nystroem(gamma=0.25, n_components=300, random_state=SEED), LogisticRegression(C=100, max_iter=2000)
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=os.environ.get("MMGIT_OUTPUTS", "."))
    parser.add_argument("--classifier", choices=CLASSIFIERS, default="kernel")
    options = parser.parse_args()

    seen, held_out, seen_digits, held_out_digits = split()
    model = CLASSIFIERS[options.classifier]
    model.fit(np.concatenate([features(png) for png in seen]), seen_digits)

    options.folder.mkdir(parents=True, exist_ok=True)
    skops.io.dump(model, options.folder / "digits.skops")
    probabilities = model.predict_proba(np.concatenate([features(png) for png in held_out]))
    metrics = {
        "accuracy": accuracy_score(held_out_digits, probabilities.argmax(axis=1)),
        "log_loss": log_loss(held_out_digits, probabilities),
    }
    rounded = {name: round(float(value), 4) for name, value in metrics.items()}
    (options.folder / "metrics.json").write_text(json.dumps(rounded) + "\n")
    print(rounded)
    inputs = {"image": SampleDefinition(DataTypes.BYTES, held_out[SAMPLE])}
    right = int(held_out_digits[SAMPLE])
    outputs = {"digit": right, "probabilities": [float(digit == right) for digit in range(10)]}
    generate_schema(run, inputs, outputs, filepath=SCORING / "schema.json")


if __name__ == "__main__":
    main()
