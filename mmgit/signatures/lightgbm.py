"""A booster of LightGBM in its text form in, its signature out: the lines before the first tree, and the last one.

Names that LightGBM gave by itself (`Column_0`) are none. Source: LightGBM's src/boosting/gbdt_model_text.cpp.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import IO, Any

from mmgit.signatures.signature import Column, Frame, Named, Signature, Tensor, UnreadableError, matrix

_HEAD_BYTES_MAX = 2**24
_TAIL_BYTES = 2**20
_CATEGORIES = b"\npandas_categorical:"
_RANGE = re.compile(r"\[(.+):(.+)\]")
_ONE_A_ROW = frozenset(
    {
        *("regression", "regression_l1", "huber", "fair", "poisson", "quantile", "mape", "gamma", "tweedie"),
        *("binary", "cross_entropy", "cross_entropy_lambda", "lambdarank", "rank_xendcg"),
    }
)


def read(file: IO[bytes]) -> Signature:
    """The signature."""
    head = _head(file)
    names, infos = head["feature_names"].split(" "), head["feature_infos"].split(" ")
    width = int(head["max_feature_idx"]) + 1
    if len(names) != width or len(infos) != width:
        raise ValueError(f"it has {width} features, {len(names)} names and {len(infos)} ranges")
    outputs = _outputs(head)
    if names == [f"Column_{index}" for index in range(width)]:
        return Signature((matrix(width, [_middle(info) for info in infos]),), outputs)
    columns = _columns(names, infos, _categories(file))
    return Signature((Named(Frame(columns)),), outputs)


def _head(file: IO[bytes]) -> dict[str, str]:
    file.seek(0)
    data = file.read(_HEAD_BYTES_MAX)
    if not data.startswith(b"tree\n"):
        raise ValueError("its first line is not `tree`")
    lines = data.partition(b"\nTree=")[0].decode().splitlines()
    return {name: value for name, is_pair, value in (line.partition("=") for line in lines) if is_pair}


def _categories(file: IO[bytes]) -> list[list[Any]]:
    """The categories of each column that pandas had as such, in the order of columns."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL_BYTES))
    _, _, text = file.read().rpartition(_CATEGORIES)
    return json.loads(text) or []


def _columns(names: Sequence[str], infos: Sequence[str], categories: Sequence[list[Any]]) -> tuple[Column, ...]:
    is_category = [info != "none" and _RANGE.fullmatch(info) is None for info in infos]
    if sum(is_category) != len(categories):
        raise UnreadableError("which of its features are categories is not told")
    remaining = iter(categories)
    return tuple(
        _category(name, next(remaining)) if is_one else Column(name, example=_middle(info))
        for name, info, is_one in zip(names, infos, is_category, strict=True)
    )


def _category(name: str, categories: Sequence[Any]) -> Column:
    return Column(name, "category", tuple(categories), categories[0])


def _middle(info: str) -> float:
    """A value in the middle of a feature's range, with three digits; 0 for one without a range."""
    found = _RANGE.fullmatch(info)
    middle = (float(found[1]) + float(found[2])) / 2 if found else 0.0
    return float(f"{middle:.3g}") if math.isfinite(middle) else 0.0


def _outputs(head: Mapping[str, str]) -> dict[str, Tensor]:
    """What is known of them: one number a row, or one for each class."""
    objective = head.get("objective", "").split(" ")[0]
    classes = int(head["num_class"])
    if objective in ("multiclass", "multiclassova") and classes > 1:
        shape: tuple[int | None, ...] = (None, classes)
    elif objective in _ONE_A_ROW:
        shape = (None,)
    else:
        return {}
    return dict.fromkeys(("predict", "raw_score"), Tensor("float64", shape))
