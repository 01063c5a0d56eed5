"""Trains a classifier of penguins: `python train.py FOLDER`.

Writes penguins.skops into FOLDER, schema.json and sample.json beside score.py, and prints the metrics as JSON.
"""

import argparse
import contextlib
import json
import sys
from pathlib import Path

import pandas as pd
import skops.io
from palmerpenguins import load_penguins
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from mmgit.sdk import generate_schema

SCORING = Path(__file__).resolve().parents[1] / "scoring"
sys.path.append(str(SCORING))

import score  # noqa: E402 - the schema is that of its arguments and of its answers

SEED = 0
TYPES = {
    "island": "category",
    "sex": "category",
    "bill_length_mm": "float64",
    "bill_depth_mm": "float64",
    "flipper_length_mm": "int64",
    "body_mass_g": "int64",
}
NAMED = [name for name, dtype in TYPES.items() if dtype == "category"]
MEASURED = [name for name, dtype in TYPES.items() if dtype != "category"]
SAMPLE_ROWS = [268, 37, 295]  # of those held out: one of unknown sex, a doubtful one, one that is clear enough


def birds() -> tuple[pd.DataFrame, pd.Series]:
    """Their measures and their species; the two that were never measured are left out."""
    table = load_penguins().dropna(subset=MEASURED)
    return table[list(TYPES)].astype(TYPES), table["species"]


def classifier() -> Pipeline:
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), NAMED),
        (make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), MEASURED),
    )
    return make_pipeline(columns, LogisticRegression(max_iter=1000))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder

    rows, species = birds()
    seen, held_out, seen_species, held_out_species = train_test_split(
        rows, species, test_size=0.25, stratify=species, random_state=SEED
    )
    model = classifier().fit(seen, seen_species)

    folder.mkdir(parents=True, exist_ok=True)
    skops.io.dump(model, folder / "penguins.skops")
    metrics = {
        "accuracy": accuracy_score(held_out_species, model.predict(held_out)),
        "log_loss": log_loss(held_out_species, model.predict_proba(held_out)),
    }
    print(json.dumps({name: round(value, 4) for name, value in metrics.items()}))
    inputs = {"rows": rows.loc[SAMPLE_ROWS], "settings": {"threshold": 0.9}}
    with contextlib.chdir(folder):
        score.init()
    answers = pd.DataFrame(score.run(**inputs)).astype({"species": pd.CategoricalDtype(model.classes_)})
    generate_schema(score.run, inputs, outputs=answers, filepath=SCORING / "schema.json")


if __name__ == "__main__":
    main()
