"""Which format a model file's name claims. Stands on little, as checks ask it of every file."""

from collections.abc import Mapping

from mmgit.spec.project import Format

_BY_ENDING: Mapping[str, Format] = {
    **dict.fromkeys(("pkl", "pickle", "joblib", "dill", "cloudpickle"), "pickle"),
    **dict.fromkeys(("pt", "pth", "ckpt"), "pickle"),
    "onnx": "onnx",
    "skops": "skops",
    "safetensors": "safetensors",
    **dict.fromkeys(("keras", "h5"), "keras"),
    "torchscript": "torchscript",
    **dict.fromkeys(("ubj", "xgb"), "xgboost"),
    "lgb": "lightgbm",
}
"""PyTorch's own files are pickles."""


def claimed_by(name: str) -> Format:
    """The format; `other` where no ending tells."""
    return _BY_ENDING.get(name.rpartition(".")[2].lower(), "other")
