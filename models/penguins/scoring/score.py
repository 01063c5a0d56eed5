"""The species of penguins from where they were met and how they measure."""

import numpy as np
import pandas as pd
import skops.io


def init() -> None:
    global model
    model = skops.io.load("penguins.skops", trusted=["numpy.dtype"])


def run(rows: pd.DataFrame, settings: dict) -> list[dict]:
    """One answer a row; `species` is null where the model is less sure than the settings' threshold (default 0)."""
    if rows.empty:
        return []
    threshold = settings.get("threshold", 0.0)
    return [_answer(probabilities, threshold) for probabilities in model.predict_proba(rows)]


def _answer(probabilities: np.ndarray, threshold: float) -> dict:
    best = probabilities.argmax()
    probability = round(float(probabilities[best]), 4)
    return {"species": str(model.classes_[best]) if probability >= threshold else None, "probability": probability}
