"""`mmgit.yaml`: the project as a whole. The root of a repository is the folder where this file lies."""

from typing import Annotated, Literal

from mmgit.spec.fields import PACKAGE_NAME, Document, List, Memory, Name, Platform, RelativePath, Text, Uri
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


PackageName = Annotated[str, Matching(PACKAGE_NAME, "the name of a package")]


class PackageIndex(Spec):
    """A Python package index. Logins to it are in variables: `UV_INDEX_<NAME>_USERNAME` and `…_PASSWORD`."""

    name: Name
    """How it is called here, and in the variables with its login."""
    url: Annotated[
        str,
        Matching(
            r"(?:https://[A-Za-z0-9.-]+|http://(?:127\.0\.0\.1|localhost))(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/+-]*)?",
            "an https address without a login",
        ),
    ]
    """Its address, as PEP 503 has it, without a login."""
    hosts: List[Annotated[str, Matching(r"[A-Za-z0-9.-]{1,253}", "the name of a host")]] = ()
    """Hosts that it keeps files on, besides its own."""
    only: List[PackageName] = ()
    """It is asked for these packages and no others, and no other index is asked for them."""


class Packages(Spec):
    """Where Python packages come from. Without a word, from PyPI."""

    indexes: List[PackageIndex] = ()
    """The indexes that are asked, in this order: the first that has a package gives it. PyPI is one if it is named."""
    wheels: List[RelativePath] = ()
    """Folders with wheels that are in no index; those that a lock names are copied beside it."""

    def check(self) -> None:
        """Names are told apart, and some index is asked for what none is named for."""
        names = [index.name for index in self.indexes]
        if len({*names}) < len(names):
            raise ValueError("two indexes have the same name")
        if names and all(index.only for index in self.indexes):
            raise ValueError("no index is asked for all other packages: {name: pypi, url: https://pypi.org/simple}")
        named = [package.lower() for index in self.indexes for package in index.only]
        if len({*named}) < len(named):
            raise ValueError("two indexes are named for the same package")


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


Treatment = Literal["allow", "warn", "refuse"]


class Policies(Spec):
    """Rules for the whole project. They are read from the base branch."""

    formats: dict[Format, Treatment] = EMPTY
    """What becomes of a model file of that format. Without a word, a pickle is told of (`warn`), all else allowed."""
    licences: List[Text] = ()
    """The licences that models may have; any without a word."""
    blast_radius: BlastRadius = BlastRadius()
    """How much one change may do."""
    rules: List[Rule] = ()
    """Rules of your own."""


Library = Annotated[str, Matching(r"[A-Za-z0-9_+.-]{1,200}", "the name of a shared library, like libtbb.so.12")]


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
    absent_libraries: List[Library] = ()
    """Shared libraries that files of packages and models name and that nothing here uses: images may lack them."""
    store: Store = Store()
    """Where model files go."""
    packages: Packages = Packages()
    """Where Python packages come from."""
    policies: Policies = Policies()
    """Rules for the whole project."""
