"""Boosters of XGBoost, in its own JSON or UBJSON. Early stopping counts, as in XGBoost's classes for scikit-learn."""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

from .interface import Runtime, Wanted, chosen, file_in, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def _load(wanted: Wanted) -> Callable[..., Any]:
    names = chosen(wanted, XGBOOST)
    xgboost = importlib.import_module("xgboost")
    booster = xgboost.Booster(model_file=str(file_in(wanted, XGBOOST)))
    best = booster.attr("best_iteration")
    rounds = (0, int(best) + 1) if best is not None else (0, 0)
    is_linear = json.loads(booster.save_config())["learner"]["gradient_booster"]["name"] == "gblinear"
    features = booster.feature_names or []

    def predicted(rows: Any, name: str) -> Any:  # noqa: ANN401 - arrays and frames of libraries that are not ours
        is_margin = name == "margin"
        if is_linear:  # trees alone are asked without a matrix, which takes a quarter less
            own = features if features and not hasattr(rows, "columns") else None
            matrix = xgboost.DMatrix(rows, feature_names=own)
            return booster.predict(matrix, output_margin=is_margin, iteration_range=rounds)
        kind = "margin" if is_margin else "value"
        return booster.inplace_predict(rows, predict_type=kind, iteration_range=rounds)

    def run(**arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
        [rows] = arguments.values()
        rows = array_of(rows, features)
        try:
            return {name: predicted(rows, name) for name in names}
        except ValueError as error:  # XGBoostError is one
            raise refused(error) from error

    return run


def array_of(rows: Any, features: Sequence[str]) -> Any:  # noqa: ANN401 - as above
    """A frame of numbers in the booster's own order as an array, which XGBoost takes in a third of the time."""
    if not hasattr(rows, "columns") or list(rows.columns) != list(features):
        return rows
    is_plain = all(hasattr(dtype, "isbuiltin") and dtype.kind in "iuf" for dtype in rows.dtypes)  # a dtype of numpy
    return rows.to_numpy() if is_plain else rows


XGBOOST = Runtime(
    "xgboost",
    endings=("json", "ubj"),
    libraries=("xgboost", "xgboost-cpu"),
    outputs=("predict", "margin"),
    load=_load,
)
