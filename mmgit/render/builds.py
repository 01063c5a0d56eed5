"""A build of many images as one Indexed Job of a cluster. It is printed, not rendered.

Each pod gets the declarations of one commit, builds its part of the manifests, pushes it, and leaves locks beside the
images. It holds no right to write git.
"""

from collections.abc import Mapping
from typing import Any

from mmgit.blueprints.faults import BlueprintFault
from mmgit.desired import Blueprint, DesiredEnvironment, DesiredService
from mmgit.errors import Finding, ProblemsFound, UnsafePath, UsageError, VersionMismatch
from mmgit.frozen import dataclass
from mmgit.render import printed
from mmgit.render.shapes import Object
from mmgit.repository import layout
from mmgit.spec.building import BuildingSpec

PARTS_MAX = 256
"""As many pods as one Job begins; more images share them."""
_LABEL_CHARACTERS = 63
"""An id of a commit by SHA-256 has one more than a label takes."""
_FOLDER = "/mnt/work/repository"
_FINAL = (UsageError, ProblemsFound, UnsafePath, VersionMismatch)
"""What comes out the same when it is tried again."""


@dataclass(frozen=True)
class Build:
    """What a Job builds: manifests `<model>/<n>`, as a commit of a git repository declares them."""

    spec: BuildingSpec
    name: str
    repository: str
    commit: str
    folder: str
    """Where the root lies in the git repository; empty if it is that."""
    manifests: tuple[str, ...]

    @property
    def parts(self) -> int:
        """How many pods there are."""
        return min(len(self.manifests), PARTS_MAX)


def objects_of(environment: DesiredEnvironment, wanted: Build, blueprints: Mapping[str, Blueprint]) -> list[Object]:
    """The Job, completed. Raises `BlueprintFault` where the blueprint makes none."""
    asked = (layout.environment(environment.name), ("building",))
    built = printed.build(wanted.spec, blueprints, asked, _variables(environment, wanted))
    if not any(each.get("spec", {}).get("completionMode") == "Indexed" for each in built):
        message = f"blueprint `{wanted.spec.blueprint}` makes no Indexed Job"
        raise BlueprintFault(Finding("M512", *asked, message, "blueprint: kubernetes/build"))
    return printed.completed(built, environment, wanted.name, _labels(wanted))


def example_of(environment: DesiredEnvironment) -> Build:
    """A build of one manifest, by which the declaration of where it runs is judged."""
    spec = environment.spec.building
    assert spec is not None, environment.name  # noqa: S101 - whoever asks has seen it
    address = spec.repository or "https://git.example.com/models.git"
    return Build(spec, "build-20000101000000", address, "0" * 40, "", ("example/1",))


def subject(environment: DesiredEnvironment, wanted: Build) -> DesiredService:
    """What the checks of objects are told instead of a service."""
    return printed.subject(environment, wanted.name, wanted.spec)


def _labels(wanted: Build) -> dict[str, str]:
    return printed.labels_of(wanted.spec, {"mmgit.dev/build": wanted.commit[:_LABEL_CHARACTERS]})


def _variables(environment: DesiredEnvironment, wanted: Build) -> dict[str, Any]:
    spec, inside = wanted.spec, ["git", "-C", _FOLDER]
    form = ["--object-format=sha256"] if len(wanted.commit) > _LABEL_CHARACTERS else []
    return {
        "environment": printed.told(environment),
        "build": {
            "name": wanted.name,
            "image": spec.image,
            "manifests": [*wanted.manifests],
            "parts": wanted.parts,
            "steps": [
                {"name": "init", "command": ["git", "init", "--quiet", *form, _FOLDER]},
                {"name": "fetch", "command": [*inside, "fetch", "--depth=1", "--", wanted.repository, wanted.commit]},
                {"name": "checkout", "command": [*inside, "checkout", "--quiet", "--detach", "FETCH_HEAD"]},
            ],
            "command": ["mmgit", "build", *wanted.manifests, "--push", "--hand-over", "--part", f"job/{wanted.parts}"],
            "folder": f"{_FOLDER}/{wanted.folder}".rstrip("/"),
            "final_exit_codes": sorted(error.exit_code for error in _FINAL),
            "registry_secret": spec.registry_secret,
            "git_secret": spec.git_secret or "",
            "cpu": spec.cpu,
            "memory": spec.memory,
            "labels": _labels(wanted),
            "variables": printed.variables_of(spec.variables),
        },
    }
