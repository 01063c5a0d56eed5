"""What a model was made with, as far as its dependency file pins it. Nothing is guessed and no model is opened."""

import re

FRAMEWORKS = frozenset(
    {
        *("scikit-learn", "xgboost", "lightgbm", "catboost", "statsmodels", "prophet"),
        *("onnxruntime", "torch", "tensorflow", "keras", "jax", "transformers", "spacy"),
    }
)

_PINNED = re.compile(
    r"^[\s\"'-]*(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[^\]]*\])?\s*==\s*(?P<version>[0-9][A-Za-z0-9.!+_-]*)",
    re.MULTILINE,
)


def framework_of(dependencies: bytes) -> tuple[str, str] | None:
    """Name and version of the one framework that requirements, a conda file's `pip:` list or a project pin with `==`.

    None if they pin none, or several: which of them made the model is then for people to say.
    """
    text = dependencies.decode(errors="replace")
    pinned = {(_normal(found["name"]), found["version"]) for found in _PINNED.finditer(text)}
    known = [(name, version) for name, version in pinned if name in FRAMEWORKS]
    return known[0] if len(known) == 1 else None


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
