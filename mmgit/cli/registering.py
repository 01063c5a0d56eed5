"""The options that describe a model version and its scoring files, for `model register` and `service create`."""

import hashlib
import math
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import urlsplit

import click

from mmgit.cli.dependency_options import dependency_options, wishes_of
from mmgit.cli.editing import pairs
from mmgit.cli.git_facts import ignored, is_in_lfs
from mmgit.cli.runtime_options import choice_of, runtime_options
from mmgit.deliver import git
from mmgit.edits.change import Change
from mmgit.edits.inspected import inspected
from mmgit.edits.model_files import FoundFile, find
from mmgit.edits.register import Registered, Registration, Surroundings, register
from mmgit.edits.remote_files import files_at
from mmgit.edits.scoring import ScoringPaths, from_paths, sources_of
from mmgit.errors import UsageError
from mmgit.frozen import dataclass, replace
from mmgit.images.locking import locker
from mmgit.repository import layout
from mmgit.repository.files import Files, Root
from mmgit.repository.source import Source
from mmgit.spec.fields import REFERENCE_FORMS

F = TypeVar("F", bound=Callable[..., Any])

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_PATHS = ("script", "requirements", "conda", "schema", "steps", "files")
_TIMEOUT_SECONDS = 30.0
_DIGITS = 10


def _once(_: click.Context, option: click.Parameter, files: tuple[Path, ...]) -> Path | None:
    """The one file of an option: the last of several would be taken without a word."""
    if len(files) > 1:
        names = " and ".join(map(str, files))
        raise UsageError(f"{option.opts[0]} stands twice, for {names}", f"--file {files[-1]}   is for further files")
    return files[0] if files else None


def _one_file(option: str, name: str, text: str) -> Callable[[F], F]:
    return click.option(option, name, type=_FILE, multiple=True, callback=_once, help=text)


_OPTIONS = (
    _one_file("-f", "script", "The scoring script with init() and run()."),
    _one_file("-p", "requirements", "What it needs: requirements.txt, pyproject.toml or pylock.toml."),
    _one_file("-c", "conda", "What the script needs, as a conda file."),
    _one_file("-s", "schema", "The schema of run(); sample.json beside it comes along."),
    _one_file("--docker-file", "steps", "Steps that customise the image: RUN, ENV, ARG, LABEL and EXPOSE."),
    click.option("--file", "files", type=_FILE, multiple=True, help="Another file that the script reads."),
    click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="A tag of the version."),
    click.option("--metric", "metrics", multiple=True, metavar="NAME=NUMBER", help="A metric, like auc=0.91."),
    click.option("--data", multiple=True, metavar="URI", help="What the version was trained on."),
    click.option("--reference", metavar="FILE|URI", help="Rows like it, to compare telemetry with."),
)


@dataclass(frozen=True)
class Remotely:
    """What was registered on the remote, the pull request if it was proposed, and both in words."""

    registered: Registered
    url: str
    words: str


def registration_options(command: F) -> F:
    """-f, -p, -c, -s, --docker-file, --file, the dependencies, the runtime, --tag, --metric, --data and --reference."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return runtime_options(dependency_options(command))


def wanted_of(name: str, paths: tuple[str, ...], options: Mapping[str, Any]) -> Registration:
    """What these files and options ask to be registered as the next version of model `name`."""
    scoring = ScoringPaths(**{option: options[option] for option in _PATHS})
    return Registration(
        name,
        found_files(paths),
        from_paths(scoring),
        {name: str(path) for name, path in sources_of(scoring).items()},
        description=options.get("version_description", ""),
        tags=pairs(options["tags"], "--tag"),
        metrics=_metrics(options["metrics"]),
        data=options["data"],
        reference=reference_of(options["reference"]),
        choice=choice_of(options),
        wishes=wishes_of(options),
    )


def found_files(paths: Sequence[str]) -> tuple[FoundFile, ...]:
    """The files at paths and URIs. Raises `UsageError` for what is not there."""
    from mmgit.cli.workplace import access  # noqa: PLC0415 - --help must not wait for it

    return find(paths, partial(files_at, open_https=open_https, access=access()))


def reference_of(given: str | None) -> FoundFile | None:
    """The file of reference data. Raises `UsageError` if it is not there, or is none that is read."""
    if given is None:
        return None
    (found,) = found_files([given]) if not Path(given).is_dir() else (None,)
    if found is None or not found.path.endswith(REFERENCE_FORMS):
        raise UsageError(f"{given} is no file of {' or '.join(REFERENCE_FORMS)}", "--reference train.parquet")
    return found


def registered(source: Source, files: Files, wanted: Registration) -> Registered:
    """What a registration changes. Where it names no commit, it is of the one that is checked out."""
    repository = git.find(files.path)
    if wanted.commit is None:
        wanted = replace(wanted, commit=repository.head if repository else None)
    from mmgit.formats.confined import scanned  # noqa: PLC0415 - --help must not wait for it

    wanted = replace(wanted, files=inspected(wanted.files, source.project.spec.policies, scanned))
    surroundings = Surroundings(locker(files, source.project.spec), lambda path: is_in_lfs(repository, path))
    result = register(source, files, wanted, surroundings)
    _refuse_ignored(repository, (*result.change.copies, *result.change.files))
    return result


def branch_of(model: str, *told: str) -> str:
    """The branch of a proposed registration: who says the same again renews it."""
    digest = hashlib.sha256("\0".join([model, *told]).encode()).hexdigest()
    return f"mmgit/register-{model}-{digest[:_DIGITS]}"


def registered_remotely(wanted: Registration, head: str, *, is_proposed: bool, root: Root | None = None) -> Remotely:
    """Register on the remote's newest default branch: whoever else does meanwhile gets another number.

    The branch is `head` where it is proposed. The repository is the one at `root`, else around the current folder.
    """
    from mmgit.cli import proposing  # noqa: PLC0415 - --help must not wait for it

    result: Registered | None = None

    def edit(source: Source, files: Files) -> Change:
        nonlocal result
        result = registered(source, files, wanted)
        refuse_lfs(git.find(files.path), result.change)
        return result.change

    message = f"Register a version of {wanted.model}"
    made = proposing.propose(edit, message, head, root=root) if is_proposed else proposing.push(edit, message, root)
    assert result is not None  # noqa: S101 - every registration is of some version
    return Remotely(result, made.url if made else "", proposing.in_words(message, made))


def refuse_lfs(repository: git.Repository | None, change: Change) -> None:
    """Raises `UsageError` for a file in Git LFS, which a commit made from afar cannot bring."""
    if in_lfs := [path for path in change.copies if is_in_lfs(repository, path)]:
        message = f"{in_lfs[0]} is kept in Git LFS, which only a clone can put there"
        raise UsageError(message, "do it in a clone, without --push or --pull-request, then git push")


def _metrics(values: tuple[str, ...]) -> dict[str, float]:
    metrics = {}
    for name, text in pairs(values, "--metric").items():
        try:
            metrics[name] = float(text)
        except ValueError:
            metrics[name] = math.nan
        if not math.isfinite(metrics[name]):
            raise UsageError(f"--metric {name}={text}: expected a number", "--metric auc=0.91")
    return metrics


def _refuse_ignored(repository: git.Repository | None, paths: Iterable[str]) -> None:
    """A file that git ignores would be missing from every other clone."""
    if found := ignored(repository, paths):
        hint = f"add these lines to .gitignore: !/{layout.MODELS}/   and   !/{layout.MODELS}/**"
        raise UsageError(f"git ignores {found[0]}, which the version needs", hint)


def open_https(uri: str) -> IO[bytes]:
    """What an https address holds."""
    try:
        response: IO[bytes] = urllib.request.build_opener(_HttpsOnly).open(uri, timeout=_TIMEOUT_SECONDS)
    except OSError as error:
        raise UsageError(f"{uri}: {error}", "look whether the address can be reached from here") from error
    return response


class _HttpsOnly(urllib.request.HTTPRedirectHandler):
    """Follows no redirect to anything but https."""

    def redirect_request(self, *args: Any) -> urllib.request.Request | None:  # noqa: ANN401 - those of urllib
        if urlsplit(args[-1]).scheme != "https":
            from mmgit.images.download import shown  # noqa: PLC0415 - few files are at an address

            message = f"{shown(args[0].full_url)} leads to an address that is not https"
            raise UsageError(message, "give the address it leads to")
        return super().redirect_request(*args)
