"""What an image is made of, with the key over it. Pure.

`Inputs` are the manifest's own: when they differ from a pinned image's, that is an error. `Foundation` is what mmgit
brings: when it is newer, a rebuild is available. No number, manifest, service, environment or registry is in either.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cached_property

from mmgit.frozen import dataclass, field


@dataclass(frozen=True, order=True)
class RecipeFile:
    """A file by content; `path` is relative to the folder in the image that holds it."""

    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class RecipeModel:
    """The files of one model, below `models/<name>/` in the image."""

    name: str
    files: tuple[RecipeFile, ...]


@dataclass(frozen=True)
class Inputs:
    """The manifest's own part: `files` holds the scoring script, the schema and the sample as well.

    `scoring` is empty for a runtime without a script. What scripts have no use for enters a key only where it is set.
    """

    runtime: str
    python: str
    scoring: str
    files: tuple[RecipeFile, ...]
    models: tuple[RecipeModel, ...]
    dependencies: str | None = None
    """The sha256 of `pylock.toml`."""
    conda: str | None = None
    """The sha256 of the lock of conda's own packages."""
    schema: str | None = None
    sample: str | None = None
    outputs: tuple[str, ...] = ()
    trusted: tuple[str, ...] = ()
    volume: bool = False
    """Whether the model files are in an image of their own."""
    steps: str | None = None
    """The sha256 of the steps that customise the image."""

    @cached_property
    def key(self) -> str:
        """64 hex, the same for any order of files and models."""
        return key_of(
            {
                "runtime": self.runtime,
                "python": self.python,
                "scoring": self.scoring,
                "dependencies": self.dependencies,
                "schema": self.schema,
                "sample": self.sample,
                "files": rows(self.files),
                "models": {model.name: rows(model.files) for model in self.models},
                **self.choices,
                **({"conda": self.conda} if self.conda else {}),
                **({"volume": True} if self.volume else {}),
                **({"steps": self.steps} if self.steps else {}),
            }
        )

    @property
    def choices(self) -> dict[str, list[str]]:
        """What a runtime without a script was told, as far as it was told anything."""
        told = {"outputs": list(self.outputs), "trusted": sorted(self.trusted)}
        return {name: values for name, values in told.items() if values}


@dataclass(frozen=True)
class Foundation:
    """The part that mmgit brings: base per platform, serving layer, codec, and documents made from the schema."""

    base: Mapping[str, str]
    """Platform -> 64 hex over the locked packages of that platform. Its keys are the image's platforms."""
    serving: str
    codec: str
    documents: Mapping[str, str] = field(default_factory=dict)
    """Path in the scoring folder -> sha256."""


@dataclass(frozen=True)
class Recipe:
    """Everything that an image is made of."""

    inputs: Inputs
    foundation: Foundation

    @cached_property
    def key(self) -> str:
        """64 hex over inputs and foundation."""
        return recipe_key(self.inputs.key, self.foundation)


def recipe_key(inputs_key: str, foundation: Foundation) -> str:
    """The key of the recipe that joins these two; a lock proves itself with it."""
    return key_of(
        {
            "inputs": inputs_key,
            "base": dict(foundation.base),
            "serving": foundation.serving,
            "codec": foundation.codec,
            "documents": dict(foundation.documents),
        }
    )


def newer_parts(locked: Foundation, today: Foundation) -> tuple[str, ...]:
    """Which parts of the foundation a rebuild would renew, of base, serving, codec and documents."""
    return tuple(
        name for name in ("base", "serving", "codec", "documents") if getattr(locked, name) != getattr(today, name)
    )


def rows(files: Iterable[RecipeFile]) -> list[tuple[str, str, int]]:
    """Path, sha256 and size of each, by path: what enters a key."""
    return [(file.path, file.sha256, file.size_bytes) for file in sorted(files)]


def key_of(value: object) -> str:
    """64 hex over the canonical JSON of `value`."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
