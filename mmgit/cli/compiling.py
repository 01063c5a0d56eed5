"""`mmgit check` and `mmgit compile`."""

import gc
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from mmgit.cli.context import find_root, may_write, target_branch
from mmgit.cli.output import ProblemForm, format_option, print_problems
from mmgit.errors import GitError, OutOfDate, ProblemsFound, UsageError
from mmgit.plural import counted

if TYPE_CHECKING:
    from mmgit.deliver.former import Known
    from mmgit.deliver.write import Difference
    from mmgit.incremental.memory import Before
    from mmgit.pipeline import Compiled
    from mmgit.repository.files import Root


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nothing is searched for garbage: a compile makes millions of objects, keeps them, and ends."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@click.command()
@click.option("--since", metavar="COMMIT", help="Only what differs from this commit, and what that touches.")
@format_option
@click.pass_obj
@_uncollected()
def check(seen: Any, /, form: ProblemForm, since: str | None) -> None:  # noqa: ANN401 - click's value
    """Check all declared files: their shape, their references, and what they would render to.

    Executes nothing of the repository, writes nothing, uses no network. Exit code 3 if there are errors.
    """
    from mmgit import pipeline  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.changed import checked_before  # noqa: PLC0415 - as above
    from mmgit.cli.dividing import check_divided  # noqa: PLC0415 - as above
    from mmgit.cli.progress import working  # noqa: PLC0415 - as above
    from mmgit.deliver.baseline import surroundings_of  # noqa: PLC0415 - as above
    from mmgit.incremental.basis import known_of  # noqa: PLC0415 - as above

    root = find_root()
    before = _begun(root, seen)
    if not since and (warnings := checked_before(before)) is not None:
        print_problems(warnings, form)
        return
    known = known_of(before)
    services, models = _touched(root, since, known) if since else (None, ())
    surroundings = surroundings_of(root, target_branch(), known)
    if not since and (warnings := check_divided(root, surroundings)) is not None:
        print_problems(warnings, form)
        return
    with working("checking") as watch:
        checked = pipeline.check(root, surroundings, services, models, watch=watch)
    if checked.errors:
        raise ProblemsFound(checked.problems, form)
    print_problems(checked.problems, form)


def _begun(root: "Root", seen: Any) -> "Before":  # noqa: ANN401 - click's value
    """What this command saw when it began, or sees now."""
    from mmgit.incremental import memory  # noqa: PLC0415 - --help must not wait for it

    begun = seen[0] if seen else None
    return begun if begun and begun.root.path == root.path else memory.begin(root)


def _touched(root: "Root", since: str, known: "Known") -> tuple[Collection[str] | None, Collection[str]]:
    """The service files (None: all) and the models that a change since a commit can have touched."""
    from mmgit.deliver import git, history  # noqa: PLC0415 - --help must not wait for it
    from mmgit.deliver.committed import Committed  # noqa: PLC0415 - as above
    from mmgit.deliver.declared import different  # noqa: PLC0415 - as above
    from mmgit.review.side import selection  # noqa: PLC0415 - as above

    repository = git.find(root.path)
    if repository is None:
        raise GitError(f"{root.path} is not in a git repository, so nothing is known since {since}", "git init")
    commit = history.commit_named(repository, since)
    names = known(repository, commit)
    if names is None:
        paths = set(history.changed_paths(repository, commit, None))
    else:
        paths = different(root, repository, commit, names)
    chosen = selection(paths, Committed(repository, commit), root)
    return chosen.services, chosen.models


@click.command(name="compile")
@click.option("--check", "is_check", is_flag=True, help="Only say whether what is rendered is up to date.")
@click.option("--commit", "is_commit", is_flag=True, help="Commit what was rendered.")
@click.option("--include", multiple=True, metavar="PATH", help="Commit this uncommitted declaration too.")
@click.option("--all", "is_all", is_flag=True, help="Commit all uncommitted declarations too.")
@click.option("--overwrite", multiple=True, metavar="PATH", help="Replace this file although it was edited by hand.")
@click.option("-m", "--message", default="", help="The first line of the commit.")
@format_option
@click.pass_obj
@_uncollected()
def compile_(seen: Any, /, form: ProblemForm, overwrite: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401 - click's values
    """Render every environment into environments/ENV/rendered, which is mmgit's alone.

    Checks everything as `mmgit check` does, and says in the same form what is wrong.
    """
    if options["is_check"] and options["is_commit"]:
        raise UsageError("--check writes nothing and --commit writes", "choose one of them")
    try:
        _compile(seen, form, overwrite, options)
    except ProblemsFound as found:
        raise ProblemsFound(found.problems, form) from found


def _compile(seen: Any, form: ProblemForm, overwrite: tuple[str, ...], options: Mapping[str, Any]) -> None:  # noqa: ANN401 - as above
    from mmgit import pipeline  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.changed import compile_changed  # noqa: PLC0415 - as above
    from mmgit.cli.committing import Wanted, commit_all, commit_changed  # noqa: PLC0415 - as above
    from mmgit.cli.dividing import compile_divided  # noqa: PLC0415 - as above
    from mmgit.cli.progress import working  # noqa: PLC0415 - as above
    from mmgit.deliver import write  # noqa: PLC0415 - as above
    from mmgit.deliver.baseline import surroundings_of  # noqa: PLC0415 - as above
    from mmgit.deliver.writer import writing  # noqa: PLC0415 - as above
    from mmgit.incremental import memory  # noqa: PLC0415 - as above

    root = find_root()
    before, is_tried = _begun(root, seen), bool(seen and seen[1])
    wanted = Wanted(options["include"], options["message"], overwrite, is_all=options["is_all"])
    if options["is_commit"] and not (is_tried or overwrite) and commit_changed(before, wanted, form):
        return
    if not (is_tried or overwrite or options["is_commit"]) and compile_changed(
        before, form, is_check=options["is_check"]
    ):
        return
    surroundings = surroundings_of(root, target_branch())
    is_check = options["is_check"]
    if not (overwrite or options["is_commit"]) and compile_divided(before, surroundings, form, is_check=is_check):
        return
    with working("compiling") as watch:
        compiled = pipeline.compiled(root, surroundings, watch)
    for named in overwrite:
        if not any(write.is_within(folder, named) or write.is_within(named, folder) for folder in compiled.owned):
            hint = "mmgit compile --check   says what is not as rendered"
            raise UsageError(f"--overwrite {named}: nothing is rendered there", hint)
    if compiled.warnings:
        print_problems(compiled.warnings, form)
    if options["is_check"]:
        _say_differences(root, compiled)
        return
    may_write(compiled.source)
    branch, files = compiled.source.project.spec.branch, len(compiled.tree)
    outcome = memory.Outcome(branch, surroundings.base_of(branch), files, compiled.warnings)
    with writing(root, command="mmgit compile") as writer:
        if options["is_commit"]:
            commit_all(writer, before, compiled, outcome, wanted)
            return
        written = write.write_tree(writer, compiled.tree, compiled.owned, overwrite)
        memory.remember(before, written, outcome)
        print(written.among(files))


def _say_differences(root: "Root", compiled: "Compiled") -> None:
    from mmgit.deliver import journal  # noqa: PLC0415 - --help must not wait for it
    from mmgit.deliver.write import differences  # noqa: PLC0415 - as above

    if journal.pending(root):
        print("a command that was interrupted left changes to finish: the next command that writes does it")
    found = differences(root, compiled.tree, compiled.owned)
    for difference in found:
        print(f"{difference.path}: {difference.state}")
    if found:
        raise OutOfDate(f"not what the declarations make: {counted(len(found), 'rendered file')}", _mend(found))
    print(f"up to date: {counted(len(compiled.tree), 'rendered file')}")


def _mend(found: Collection["Difference"]) -> str:
    """The command that makes it so: what was done by hand, it only discards where that is named."""
    by_hand = [each.path for each in found if each.is_by_hand]
    if not by_hand:
        return "mmgit compile"
    if len(by_hand) > 1:
        return "mmgit compile   says of each that is edited or foreign how to discard that"
    return f"mmgit compile --overwrite {by_hand[0]}   discards what was done by hand"
