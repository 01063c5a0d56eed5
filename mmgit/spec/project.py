"""`mmgit.yaml`: the project as a whole. The root of a repository is the folder where this file lies."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from mmgit.spec.fields import Document, List, Memory, Name, Platform, Spec, Text, Uri, text


class Forge(Spec):
    """Where pull requests are made."""

    kind: Literal["github", "gitea", "forgejo"]
    repository: Annotated[str, *text(r"(?!\.)[A-Za-z0-9._-]+/(?!\.\.?$)[A-Za-z0-9._-]+", "<owner>/<name>")]
    url: (
        Annotated[str, *text(r"https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._/-]+)?", "an http(s) address")]
        | None
    ) = None

    @model_validator(mode="after")
    def _has_an_address(self) -> Self:
        if self.kind != "github" and self.url is None:
            raise ValueError(f"forge {self.kind} needs its url")
        return self

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

    services: Annotated[int, Field(ge=0)] = 20


class Rule(Spec):
    """A rule of the team's own over every service that should run: an expression in CEL that must be true.

    It sees `service` (its fields as `mmgit service show -o json` has them, defaults applied) and `environment`.
    """

    name: Name
    expression: Annotated[Text, Field(min_length=1, max_length=2000)]
    message: Text = ""


class Policies(Spec):
    """Rules for the whole project. They are read from the base branch."""

    formats: dict[Format, Literal["allow", "warn", "refuse"]] = Field(default_factory=dict)
    licences: List[Text] = ()
    blast_radius: BlastRadius = BlastRadius()
    rules: List[Rule] = ()


class ProjectSpec(Document):
    """The project: compiler pin, default branch, platforms of images, default base, model store."""

    kind: Literal["Project"]
    mmgit: Annotated[str, *text(r"==[0-9]+\.[0-9]+\.[0-9]+(?:(?:a|b|rc)[0-9]+)?", 'an exact version, like "==0.1.0"')]
    description: Text = ""
    branch: Annotated[str, *text(r"(?!-|.*\.\.|.*//)[A-Za-z0-9._/-]{1,200}(?<!/)", "a branch name")] = "main"
    forge: Forge | None = None
    platforms: Annotated[List[Platform], Field(min_length=1)] = ("linux/amd64", "linux/arm64")
    base: Name = "default"
    store: Store = Store()
    policies: Policies = Policies()
