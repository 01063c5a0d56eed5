"""`mmgit.yaml`: the project as a whole. The root of a repository is the folder where this file lies."""

from typing import Annotated, Literal

from mmgit.spec.fields import Document, List, Memory, Name, Platform, Text, Uri
from mmgit.spec.record import EMPTY, Spec
from mmgit.spec.vocabulary import Matching, Sized, Within


class Forge(Spec):
    """Where pull requests are made."""

    kind: Literal["github", "gitea", "forgejo"]
    repository: Annotated[str, Matching(r"(?!\.)[A-Za-z0-9._-]+/(?!\.\.?$)[A-Za-z0-9._-]+", "<owner>/<name>")]
    url: (
        Annotated[str, Matching(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._/-]+)?", "an http(s) address")]
        | None
    ) = None

    def check(self) -> None:
        """It has an address."""
        if self.kind != "github" and self.url is None:
            raise ValueError(f"forge {self.kind} needs its url")

    @property
    def clone_url(self) -> str:
        """The address of the git repository."""
        return f"{(self.url or 'https://github.com').rstrip('/')}/{self.repository}.git"


class Store(Spec):
    """Where model files go: into git up to `git_limit`, else under their sha256 below `uri`."""

    git_limit: Memory = "10Mi"
    uri: Uri | None = None


Format = Literal["pickle", "onnx", "skops", "safetensors", "keras", "torchscript", "xgboost", "lightgbm", "other"]


class BlastRadius(Spec):
    """How much one change may remove or alter before it must be acknowledged."""

    services: Annotated[int, Within(0)] = 20


class Rule(Spec):
    """A rule of the team's own over every service that should run: an expression in CEL that must be true.

    It sees `service`, what should run with all defaults applied, and `environment.name`; docs/ci.md lists the fields.
    What need not be there is asked for by `has(service.autoscale)`.
    """

    name: Name
    expression: Annotated[Text, Sized(1, 2000)]
    message: Text = ""


class Policies(Spec):
    """Rules for the whole project. They are read from the base branch."""

    formats: dict[Format, Literal["allow", "warn", "refuse"]] = EMPTY
    licences: List[Text] = ()
    blast_radius: BlastRadius = BlastRadius()
    rules: List[Rule] = ()


class ProjectSpec(Document):
    """The project: compiler pin, default branch, platforms of images, default base, model store."""

    kind: Literal["Project"]
    mmgit: Annotated[
        str, Matching(r"==[0-9]+\.[0-9]+\.[0-9]+(?:(?:a|b|rc)[0-9]+)?", 'an exact version, like "==0.1.0"')
    ]
    description: Text = ""
    branch: Annotated[str, Matching(r"(?!-|.*\.\.|.*//)[A-Za-z0-9._/-]{1,200}(?<!/)", "a branch name")] = "main"
    forge: Forge | None = None
    platforms: Annotated[List[Platform], Sized(1)] = ("linux/amd64", "linux/arm64")
    base: Name = "default"
    store: Store = Store()
    policies: Policies = Policies()
