"""`mmgit.yaml`: the project as a whole. The root of a repository is the folder where this file lies."""

from typing import Annotated, Literal

from mmgit.spec.fields import Document, List, Memory, Name, Platform, Text, Uri
from mmgit.spec.record import EMPTY, Spec
from mmgit.spec.vocabulary import Matching, Sized, Within


class Forge(Spec):
    """Where pull requests are made."""

    kind: Literal["github", "gitea", "forgejo"]
    """Which one."""
    repository: Annotated[str, Matching(r"(?!\.)[A-Za-z0-9._-]+/(?!\.\.?$)[A-Za-z0-9._-]+", "<owner>/<name>")]
    """Owner and name."""
    url: (
        Annotated[str, Matching(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._/-]+)?", "an http(s) address")]
        | None
    ) = None
    """Its address; GitHub needs none."""

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
    """Files up to this size are kept in git."""
    uri: Uri | None = None
    """Where larger ones go, under their SHA-256."""


Format = Literal["pickle", "onnx", "skops", "safetensors", "keras", "torchscript", "xgboost", "lightgbm", "other"]


class BlastRadius(Spec):
    """How much one change may remove or alter before it must be acknowledged."""

    services: Annotated[int, Within(0)] = 20
    """So many services may one change alter or remove."""


class Rule(Spec):
    """A rule of the team's own over every service that should run: an expression in CEL that must be true.

    It sees `service`, what should run with all defaults applied, and `environment.name`; docs/ci.md lists the fields.
    What need not be there is asked for by `has(service.autoscale)`.
    """

    name: Name
    """How it is called in messages."""
    expression: Annotated[Text, Sized(1, 2000)]
    """What must be true, in CEL."""
    message: Text = ""
    """What is said where it is not."""


class Policies(Spec):
    """Rules for the whole project. They are read from the base branch."""

    formats: dict[Format, Literal["allow", "warn", "refuse"]] = EMPTY
    """What becomes of a model file of that format."""
    licences: List[Text] = ()
    """The licences that models may have; any without a word."""
    blast_radius: BlastRadius = BlastRadius()
    """How much one change may do."""
    rules: List[Rule] = ()
    """Rules of your own."""


class ProjectSpec(Document):
    """The project: compiler pin, default branch, platforms of images, default base, model store."""

    kind: Literal["Project"]
    mmgit: Annotated[
        str, Matching(r"==[0-9]+\.[0-9]+\.[0-9]+(?:(?:a|b|rc)[0-9]+)?", 'an exact version, like "==0.1.0"')
    ]
    """The version of mmgit that writes here."""
    description: Text = ""
    """What the repository is for."""
    branch: Annotated[str, Matching(r"(?!-|.*\.\.|.*//)[A-Za-z0-9._/-]{1,200}(?<!/)", "a branch name")] = "main"
    """The default branch: what is on it is released."""
    forge: Forge | None = None
    """Where it is hosted, for pull requests and controllers."""
    platforms: Annotated[List[Platform], Sized(1)] = ("linux/amd64", "linux/arm64")
    """What images are built for."""
    base: Name = "default"
    """The base of manifests that name none."""
    store: Store = Store()
    """Where model files go."""
    policies: Policies = Policies()
    """Rules for the whole project."""
