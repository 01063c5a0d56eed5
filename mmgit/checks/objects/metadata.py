"""Names, namespaces, labels and annotations: as Kubernetes takes them, and as belongs to the one service."""

from itertools import chain

from mmgit.checks.objects.scene import Object, Scene
from mmgit.checks.objects.values import is_label_key, is_label_name, is_label_value, is_name

MAX_ANNOTATION_BYTES = 256 * 2**10
MAX_DATA_BYTES = 2**20
_RESERVED = "mmgit.dev/"
_BETWEEN = ("", "-")
"""What may follow the name of a service in that of an object."""
_SET_BY_MMGIT = frozenset({"app.kubernetes.io/name", "app.kubernetes.io/managed-by"})


def metadata_is_good(scene: Scene) -> None:
    """Every object has a good name of its own, in the environment's namespace."""
    seen: set[tuple[str, ...]] = set()
    judged: set[int] = set()  # most objects share one map of labels, and one of annotations
    namespace = scene.environment.spec.namespace
    for each in scene.objects:
        kind, metadata = each["kind"], each["metadata"]
        name = metadata.get("name", "")
        identity = (each["apiVersion"].partition("/")[0], kind, name)
        if identity in seen:
            scene.wrong("M614", each, "there are two objects of this kind and name")
        seen.add(identity)
        if metadata.get("namespace") != namespace:
            scene.wrong("M614", each, f"its namespace must be `{namespace}`")
        _name(scene, each, name)
        for field, rule in _MARKS:
            marks = metadata.get(field)
            if marks and id(marks) not in judged:
                rule(scene, each, marks)
                judged.add(id(marks))
        if kind == "ConfigMap" and _is_larger(each.get("data", {}), MAX_DATA_BYTES):
            scene.wrong("M620", each, f"its data is larger than {MAX_DATA_BYTES // 2**20} MiB")
    for field, marks in (("labels", scene.service.labels), ("annotations", scene.service.annotations)):
        for key in marks:
            if key.startswith(_RESERVED) or key in _SET_BY_MMGIT:
                message = f"`{key}` is set by mmgit; declare another label or annotation"
                scene.wrong("M615", None, message, keys=(field, key))


def _name(scene: Scene, each: Object, name: str) -> None:
    own, kind = scene.service.name, each["kind"]
    if not (is_label_name if kind == "Service" else is_name)(name):
        scene.wrong("M614", each, f"`{name}` is no name for a {kind}")
    elif not name.startswith(own) or name[len(own) : len(own) + 1] not in _BETWEEN:
        scene.wrong("M614", each, f"its name must be `{own}` or begin with `{own}-`")


def _labels(scene: Scene, each: Object, labels: dict[str, str]) -> None:
    for key, value in labels.items():
        if not is_label_key(key):
            scene.wrong("M615", each, f"`{key}` is no key of a label")
        if not is_label_value(value):
            scene.wrong("M615", each, f"`{value}` is no value of a label (`{key}`)")


def _annotations(scene: Scene, each: Object, annotations: dict[str, str]) -> None:
    for key in annotations:
        if not is_label_key(key):
            scene.wrong("M615", each, f"`{key}` is no key of an annotation")
    if _is_larger(annotations, MAX_ANNOTATION_BYTES):
        scene.wrong("M620", each, f"its annotations are larger than {MAX_ANNOTATION_BYTES // 2**10} KiB")


def _is_larger(texts: dict[str, str], most_bytes: int) -> bool:
    """Whether these keys and values have more bytes; a character has four at most."""
    if 4 * sum(map(len, chain.from_iterable(texts.items()))) <= most_bytes:
        return False
    return sum(map(len, map(str.encode, chain.from_iterable(texts.items())))) > most_bytes


_MARKS = (("labels", _labels), ("annotations", _annotations))
