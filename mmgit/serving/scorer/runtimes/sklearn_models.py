"""Models of scikit-learn, as skops wrote them or as pickles. Of a skops file only trusted types are made."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .interface import Runtime, Wanted, chosen, file_in, refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

_NAMED_MAX = 10


def _load(wanted: Wanted) -> Callable[..., Any]:
    names = chosen(wanted, SKLEARN)
    file = file_in(wanted, SKLEARN)
    model = (
        _skops(file, wanted.trusted)
        if file.suffix.lower() == ".skops"
        else importlib.import_module("joblib").load(file)
    )
    methods = {name: getattr(model, name, None) for name in names}
    for name, method in methods.items():
        if not callable(method):
            raise TypeError(f"{file.name}: {type(model).__name__} has no {name}()")

    def run(**arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - arrays and frames of libraries that are not ours
        [rows] = arguments.values()
        if hasattr(rows, "infer_objects"):
            rows = rows.infer_objects()  # columns of any type get the one that pandas would read them with
        try:
            return {name: method(rows) for name, method in methods.items()}  # type: ignore[misc]
        except ValueError as error:
            raise refused(error) from error

    return run


def _skops(file: Path, trusted: Iterable[str]) -> object:
    """The model of a skops file, if all its types are trusted by skops itself or by the manifest."""
    skops = importlib.import_module("skops.io")
    doubtful = set(skops.get_untrusted_types(file=file))
    if untrusted := sorted(doubtful - set(trusted)):
        named = ", ".join(untrusted[:_NAMED_MAX])
        hint = f"if you trust their code, freeze it with --trust {untrusted[0]}"
        raise TypeError(f"{file.name} holds types that skops does not trust: {named}; {hint}")
    return skops.load(file, trusted=sorted(doubtful))


SKLEARN = Runtime(
    "sklearn",
    endings=("skops", "joblib", "pkl", "pickle"),
    libraries=("scikit-learn",),
    outputs=("predict", "predict_proba", "decision_function"),
    load=_load,
)
