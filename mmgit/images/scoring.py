"""The layers of a manifest's own files: scoring files with the facts that the server reads, and model files.

A new version of a model changes its own layers only: everything else reaches model files through links.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import IO

from mmgit.errors import BuildError
from mmgit.images.conda.place import Prefix
from mmgit.images.layers import LayerPlan, plan
from mmgit.images.tar import Entry, blocks_of, file, folder, link, stream
from mmgit.recipe import Inputs, RecipeFile, RecipeModel, rows

SCORING = "srv/scoring"
FACTS = "srv/mmgit.json"
MODELS = "models"
OWN_LAYER_BYTES = 32 * 2**20
"""A model file of this size or more has a layer of its own."""

Open = Callable[[], IO[bytes]]


def scoring_plan(inputs: Inputs, opened: Mapping[str, Open], documents: Mapping[str, bytes]) -> LayerPlan:
    """The layer of what people edit; `opened` has the scoring files, path -> how to open each.

    Raises:
        BuildError: a scoring file lies where model files go.
    """
    paths = [*documents, *(each.path for each in inputs.files)]
    if clash := [path for path in paths if _top(path) == MODELS]:
        raise BuildError(
            f"scoring file {clash[0]} lies in {MODELS}/, where model files go", "give the folder a new name"
        )
    links = links_of(inputs, paths)
    facts = json.dumps(facts_of(inputs), sort_keys=True, indent=1).encode() + b"\n"

    def entries(_: object) -> Iterator[Entry]:
        yield folder(f"{SCORING}/{MODELS}")
        yield file(FACTS, facts)
        for path, target in links.items():
            yield link(f"{SCORING}/{path}", target)
        for each in inputs.files:
            yield _file(f"{SCORING}/{each.path}", each, opened[each.path])
        for path, data in documents.items():
            yield file(f"{SCORING}/{path}", data)

    content = {path: hashlib.sha256(data).hexdigest() for path, data in documents.items()}
    made_of = {"files": rows(inputs.files), "documents": content, "links": links, "facts": facts.decode()}
    return plan("scoring", made_of, entries, is_assembled=False)


def model_plans(
    models: Iterable[RecipeModel], opened: Mapping[tuple[str, str], Open], *, is_volume: bool = False
) -> list[LayerPlan]:
    """The layers of model files, large ones first; `opened` has (model, path) -> how to open it.

    Those of a volume lie at its top.
    """
    files = sorted((model.name, each) for model in models for each in model.files)
    large = [[(name, each)] for name, each in files if each.size_bytes >= OWN_LAYER_BYTES]
    small = [(name, each) for name, each in files if each.size_bytes < OWN_LAYER_BYTES]
    return [_model_plan(group, opened, is_volume=is_volume) for group in (*large, small) if group]


def facts_of(inputs: Inputs) -> dict[str, object]:
    """What the server must know of the image; nothing that a new version of a model changes."""
    return {
        "runtime": inputs.runtime,
        "scoring": inputs.scoring,
        "models": {model.name: f"{MODELS}/{model.name}" for model in inputs.models},
        "python": inputs.python,
        "schema": inputs.schema,
        "sample": inputs.sample,
        **inputs.choices,
        **({"interpreter": Prefix(inputs.python).interpreter} if inputs.conda else {}),
    }


def links_of(inputs: Inputs, taken: Iterable[str]) -> dict[str, str]:
    """Plain names beside the scoring script, `name -> models/<model>/name`, where nothing else has the name.

    `taken` are the paths of all other files of the scoring folder.
    """
    tops = [(model.name, top) for model in inputs.models for top in {_top(each.path) for each in model.files}]
    uses = Counter([top for _, top in tops] + [_top(path) for path in taken] + [MODELS])
    return {top: f"{MODELS}/{name}/{top}" for name, top in sorted(tops) if uses[top] == 1}


def _model_plan(
    files: list[tuple[str, RecipeFile]], opened: Mapping[tuple[str, str], Open], *, is_volume: bool
) -> LayerPlan:
    top = "" if is_volume else f"{SCORING}/{MODELS}/"

    def entries(_: object) -> Iterator[Entry]:
        for name, each in files:
            yield _file(f"{top}{name}/{each.path}", each, opened[name, each.path])

    made_of: dict[str, object] = {"files": [(name, each.path, each.sha256, each.size_bytes) for name, each in files]}
    made_of |= {"top": top} if is_volume else {}
    return plan("model", made_of, entries, is_compressed=False, is_assembled=False)


def _top(path: str) -> str:
    return path.partition("/")[0]


def _file(path: str, expected: RecipeFile, opened: Open) -> Entry:
    return stream(path, expected.size_bytes, partial(_blocks, expected, opened))


def _blocks(expected: RecipeFile, opened: Open) -> Iterator[bytes]:
    sha256 = hashlib.sha256()
    for block in blocks_of(opened()):
        sha256.update(block)
        yield block
    if sha256.hexdigest() != expected.sha256:
        raise BuildError(
            f"{expected.path} has other bytes than its version or manifest declares",
            "take it out of git again: versions and manifests never change",
        )
