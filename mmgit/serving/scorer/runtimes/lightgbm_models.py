"""Boosters of LightGBM, in its own text form."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .interface import Runtime, Wanted, chosen, file_in, refused

if TYPE_CHECKING:
    from collections.abc import Callable


def _load(wanted: Wanted) -> Callable[..., Any]:
    names = chosen(wanted, LIGHTGBM)
    lightgbm = importlib.import_module("lightgbm")
    booster = lightgbm.Booster(model_file=str(file_in(wanted, LIGHTGBM)))

    def run(**arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - arrays and frames of libraries that are not ours
        [rows] = arguments.values()
        try:
            return {name: booster.predict(rows, raw_score=name == "raw_score") for name in names}
        except (ValueError, lightgbm.basic.LightGBMError) as error:
            raise refused(error) from error

    return run


LIGHTGBM = Runtime(
    "lightgbm", endings=("txt", "lgb"), libraries=("lightgbm",), outputs=("predict", "raw_score"), load=_load
)
