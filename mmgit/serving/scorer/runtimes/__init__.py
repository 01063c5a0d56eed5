"""Runtimes without a score file: a model file in, a `run()` out that is the library's own prediction.

Each is an entry of one table. The libraries are the user's, imported when a scorer starts; nothing here needs them.
"""

from __future__ import annotations

from ..scripted import SCRIPTED  # noqa: TID252 - the package may have any name
from .interface import INPUT, Runtime, Wanted, model_file_of
from .lightgbm_models import LIGHTGBM
from .onnx_models import ONNX
from .sklearn_models import SKLEARN
from .xgboost_models import XGBOOST

__all__ = ["INPUT", "RUNTIMES", "SCRIPTED", "Runtime", "Wanted", "model_file_of"]

RUNTIMES = {"sklearn": SKLEARN, "onnx": ONNX, "xgboost": XGBOOST, "lightgbm": LIGHTGBM}
"""By the name that a manifest has for it."""
