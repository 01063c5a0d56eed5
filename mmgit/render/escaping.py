"""The last step for values: what a target would expand once more is written so that it arrives as it is.

Only where the target expands: Kubernetes in `env`, `args` and `command`; compose in every value.
"""

from typing import Any

from mmgit.render.shapes import Object, containers_of, map_at, maps_at

FLUX_SWITCH = "kustomize.toolkit.fluxcd.io/substitute"


def kubernetes(each: Object) -> Object:
    """`each`, changed in place so that no `$(NAME)` in a container is expanded.

    Kubernetes reads `$$` as `$`; so where `$(` or `$$` occurs, every `$` is doubled.
    """
    for container in containers_of(each):
        for key in ("command", "args"):
            if isinstance(words := container.get(key), list):
                container[key] = [_doubled(word) for word in words]
        if variables := maps_at(container, "env"):
            container["env"] = [
                {**variable, "value": _doubled(variable["value"])} if "value" in variable else variable
                for variable in variables
            ]
    return each


def flux(objects: list[Object], text: str) -> bool:
    """Marks the objects that hold `${`, so that no Kustomization substitutes in them. Whether there were any.

    `text` is all of them as written; ours substitute nothing, but somebody may apply the folder with one that does.
    """
    if "$" not in text or "${" not in text:  # one character is found ten times as fast as two
        return False
    for each in objects:
        if _holds(each, "${"):
            annotations = map_at(each, "metadata", "annotations")
            each["metadata"] = {**map_at(each, "metadata"), "annotations": {**annotations, FLUX_SWITCH: "disabled"}}
    return True


def compose(value: Any) -> Any:  # noqa: ANN401 - any plain data
    """A copy of `value` in which Compose interpolates nothing."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: compose(item) for key, item in value.items()}
    return [compose(item) for item in value] if isinstance(value, list) else value


def _doubled(text: Any) -> Any:  # noqa: ANN401 - of any shape
    return text.replace("$", "$$") if isinstance(text, str) and ("$(" in text or "$$" in text) else text


def _holds(value: Any, text: str) -> bool:  # noqa: ANN401 - any plain data
    if isinstance(value, dict):
        return any(_holds(item, text) for item in value.values())
    if isinstance(value, list):
        return any(_holds(item, text) for item in value)
    return isinstance(value, str) and text in value
