"""What a repository's history holds: a `Repository` and a commit come in, paths and bytes come out.

Paths are relative to the root. Pure reads: no work tree, no index, no network, no conversion of line ends.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mmgit.deliver.git import Repository
from mmgit.errors import GitError, UnsafePath
from mmgit.frozen import dataclass
from mmgit.repository import layout
from mmgit.repository.blobs import blob_id
from mmgit.subprocesses import TOO_MUCH_OUTPUT

if TYPE_CHECKING:
    from datetime import datetime

PLAIN, EXECUTABLE = "100644", "100755"

_PATHS_AT_ONCE = 1000
_FILTERS = r"^filter\.[^=]*\.(clean|process|required)$"
"""The programs by which the user's configuration changes bytes; `.gitattributes` says which files."""


@dataclass(frozen=True)
class Entry:
    """A file in a tree or index: git's mode and the id of its bytes."""

    mode: str
    id: str


def merge_base(repository: Repository, default_branch: str) -> str | None:
    """The commit at which the checked-out one left the default branch, as the remote has it, else the local one.

    None when there is no commit yet. Raises `GitError` with the command that fetches what a partial clone lacks.
    """
    if repository.head is None:
        return None
    tip = tip_of(repository, default_branch)
    if tip == repository.head:
        return tip
    if tip:
        completed = repository.run("merge-base", repository.head, tip)
        if completed.returncode == 0:
            return completed.stdout.decode().strip()
    raise _no_baseline(repository, default_branch, is_tip_here=tip is not None)


def tip_of(repository: Repository, branch: str) -> str | None:
    """The last commit of a branch, as the remote had it when it was fetched, else the local one."""
    names = [f"refs/remotes/origin/{branch}", f"refs/heads/{branch}"]
    asked = "".join(f"{name}^{{commit}}\n" for name in names)
    answers = repository.git("cat-file", "--batch-check", stdin=asked.encode()).decode().splitlines()
    return next((answer.split(" ")[0] for answer in answers if answer.split(" ")[1:2] == ["commit"]), None)


def name_of(repository: Repository, branch: str) -> str:
    """What git calls the branch whose commit `tip_of` gives."""
    fetched = repository.run("rev-parse", "--verify", "--quiet", f"refs/remotes/origin/{branch}^{{commit}}")
    return branch if fetched.returncode else f"origin/{branch}"


def is_ancestor(repository: Repository, earlier: str, later: str) -> bool:
    """Whether a commit is another one, or comes before it."""
    return repository.run("merge-base", "--is-ancestor", earlier, later).returncode == 0


def is_shallow(repository: Repository) -> bool:
    """Whether the clone holds a part of the history only."""
    return repository.git("rev-parse", "--is-shallow-repository") == b"true\n"


def refuse_committed_state(repository: Repository) -> None:
    """Raises `UnsafePath` if git brought anything of mmgit's own folder: layers and journals there are believed."""
    if repository.git("ls-files", "-z", "--", f"{repository.prefix}{layout.STATE}"):
        message = f"git holds files of {layout.STATE}/, which is mmgit's own on each machine and is believed"
        raise UnsafePath(message, f"git rm -r --cached {layout.STATE} && rm -r {layout.STATE}")


def listing(repository: Repository, commit: str, folders: Iterable[str]) -> dict[str, Entry]:
    """The files in these folders of a commit and below; `""` is the whole root."""
    return _listed(repository, commit, folders)


def entries(repository: Repository, commit: str, paths: Collection[str]) -> dict[str, Entry]:
    """Those of the paths at which a commit has a file."""
    if len(paths) > _PATHS_AT_ONCE:
        found = _listed(repository, commit, [""])
        return {path: found[path] for path in paths if path in found}
    prefix = repository.prefix
    there = repository.store.entries(commit, [f"{prefix}{path}" for path in paths]) if paths else {}
    return {path: there[name] for path in paths if (name := f"{prefix}{path}") in there}


def contents(repository: Repository, ids: Iterable[str]) -> dict[str, bytes]:
    """The bytes of files, by id. Raises `GitError` for an id that is not here."""
    asked = "".join(f"{blob}\n" for blob in ids)
    output = repository.git("cat-file", "--batch", stdin=asked.encode())
    found, start = {}, 0
    while start < len(output):
        end = output.index(b"\n", start)
        blob, kind, *size_bytes = output[start:end].decode().split(" ")
        if kind != "blob":
            raise GitError(f"the bytes of {blob} are not in {repository.git_dir}", "git fetch --refetch origin")
        found[blob] = output[end + 1 : end + 1 + int(size_bytes[0])]
        start = end + 1 + int(size_bytes[0]) + 1
    return found


def head(repository: Repository, blob: str, size_bytes: int) -> bytes:
    """The first bytes of a file, by id; git is stopped after them. Raises `GitError` for an id that is not here."""
    completed = repository.run("cat-file", "blob", blob, limit_bytes=size_bytes)
    data = completed.stdout if completed.returncode == TOO_MUCH_OUTPUT else completed.output(GitError)
    return data[:size_bytes]


def changes_since(
    repository: Repository, commit: str | None, tree: Mapping[str, bytes], folders: Iterable[str]
) -> dict[str, bytes | None]:
    """What makes these folders of a commit hold exactly `tree`: path -> new bytes, None to remove."""
    before = listing(repository, commit, folders) if commit else {}
    new = {path: data for path, data in tree.items() if path not in before or before[path].id != blob_id(data, commit)}
    return {**new, **dict.fromkeys(before.keys() - tree.keys())}


def commit_named(repository: Repository, name: str) -> str:
    """The id of the commit that people call `name`. Raises `GitError` if there is none."""
    completed = repository.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if completed.returncode != 0:
        raise GitError(f"there is no commit `{name}` here", "git fetch origin   or name another commit")
    return completed.stdout.decode().strip()


def changed_paths(repository: Repository, before: str, after: str | None) -> tuple[str, ...]:
    """The files of the root that differ between two commits, or between a commit and the work tree, sorted."""
    names = changed_from_top(repository, before, after, [repository.prefix or "."])
    return tuple(name.removeprefix(repository.prefix) for name in names)


def changed_from_top(repository: Repository, before: str, after: str | None, paths: Collection[str]) -> tuple[str, ...]:
    """The same of files and folders of the repository, wherever the root lies: all paths from the repository's top."""
    where = ["--", *paths]
    if after is not None:
        arguments = ("diff-tree", "-r", "--name-only", "--no-renames", "-z", before, after, *where)
        return tuple(sorted(_names(repository.git(*arguments, index=no_index(repository)))))
    others = repository.git("ls-files", "--others", "--exclude-standard", "--full-name", "-z", *where)
    return tuple(sorted({*_changed_here(repository, before, where), *_names(others)}))


def no_index(repository: Repository) -> Path:
    """Where no index is. Git reads it even where it does not matter, which takes long for a large one."""
    return repository.git_dir / "mmgit-no-index"


def _changed_here(repository: Repository, before: str, where: Collection[str]) -> set[str]:
    """Files of a commit that are others in the work tree. No filter is run: bytes are compared as they are."""
    output = _diff_index(repository, "--raw", "--no-abbrev", before, *where)
    facts, names = output.decode(errors="surrogateescape").split("\0")[:-1:2], _names(output)[1::2]
    changed = dict(zip(names, facts, strict=True))
    touched: dict[str, str] = {}  # git does not know if more than the time changed
    for name, fact in changed.items():
        mode, mode_now, blob, blob_now, _ = fact.removeprefix(":").split(" ")
        if mode == mode_now and not blob_now.strip("0") and "\n" not in name and _is_plain(repository.top / name):
            touched[name] = blob
    asked = "".join(f"{name}\n" for name in touched).encode(errors="surrogateescape")
    hashed = repository.git("hash-object", "--no-filters", "--stdin-paths", stdin=asked).decode().split()
    return changed.keys() - {name for name, blob in zip(touched, hashed, strict=True) if touched[name] == blob}


def _diff_index(repository: Repository, *arguments: str) -> bytes:
    """Compare the work tree with a commit. Of a file as new as the index git reads the bytes, and would filter them."""
    named = repository.run("config", "--null", "--name-only", "--get-regexp", _FILTERS).stdout
    unfiltered = (part for name in _names(named) for part in ("-c", f"{name}="))
    return repository.git(*unfiltered, "diff-index", "--no-renames", "-z", *arguments)


def _is_plain(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _names(output: bytes) -> list[str]:
    return [name.decode(errors="surrogateescape") for name in output.split(b"\0") if name]


def candidates(repository: Repository, commit: str, paths: Collection[str]) -> set[str]:
    """Files at and below `paths` that may not be in the work tree what they are in a commit; ignored ones too.

    No file is read, so no filter is run: one that was only touched is among them.
    """
    where = [f"{repository.prefix}{path}" for path in paths]
    tracked = _diff_index(repository, "--name-only", commit, "--", *where)
    others = repository.git("ls-files", "--others", "--full-name", "-z", "--", *where)
    return {name.removeprefix(repository.prefix) for name in _names(tracked + others)}


def added(repository: Repository, path: str) -> "datetime | None":
    """When a file came into the history; None if no commit has it."""
    from datetime import datetime  # noqa: PLC0415 - few ask when

    form = ("log", "--diff-filter=A", "-1", "--format=%cI", "--", f"{repository.prefix}{path}")
    found = repository.git(*form).decode().strip() if repository.head else ""
    return datetime.fromisoformat(found) if found else None


def last_written(repository: Repository, path: str) -> str:
    """The commit that last changed a file, as far as the history is here."""
    return repository.git("log", "-1", "--format=%H", "--", f"{repository.prefix}{path}").decode().strip()


def trailers(repository: Repository, before: str, after: str, key: str) -> frozenset[str]:
    """What the commits between two say in their trailers `key: value`."""
    form = f"--format=%(trailers:key={key},valueonly,separator=%x00)"
    output = repository.git("log", form, f"{before}..{after}").decode(errors="replace")
    return frozenset(value.strip() for line in output.splitlines() for value in line.split("\0") if value.strip())


def dirty(repository: Repository, files: Mapping[str, bytes | None]) -> tuple[str, ...]:
    """Paths at which `files`, as they are in the work tree (None: gone), are not what is checked out, sorted.

    A work tree with CRLF line ends is no change, as git may have made them.
    """
    commit = repository.head
    before = {path: entry.id for path, entry in entries(repository, commit, files).items()} if commit else {}

    def is_same(path: str, data: bytes | None) -> bool:
        if data is None or path not in before:
            return data is None and path not in before
        forms = (data, data.replace(b"\r\n", b"\n")) if b"\r\n" in data else (data,)
        return any(before[path] == blob_id(form, commit) for form in forms)

    return tuple(sorted(path for path, data in files.items() if not is_same(path, data)))


def _listed(repository: Repository, commit: str, paths: Iterable[str]) -> dict[str, Entry]:
    wanted = (f"{repository.prefix}{path}".rstrip("/") for path in paths)
    output = repository.git("ls-tree", "-r", "-z", "--full-tree", commit, "--", *(path for path in wanted if path))
    return dict(_entries(output, len(repository.prefix)))


def _entries(output: bytes, prefix_length: int) -> Iterator[tuple[str, Entry]]:
    for line in output.decode(errors="surrogateescape").split("\0")[:-1]:
        facts, _, path = line.partition("\t")
        mode, _, blob = facts.split(" ")
        yield path[prefix_length:], Entry(mode, blob)


def _no_baseline(repository: Repository, branch: str, *, is_tip_here: bool) -> GitError:
    is_cut = is_shallow(repository)
    if is_tip_here and not is_cut:
        message = f"what is checked out and the default branch `{branch}` have no commit in common"
        return GitError(message, "in mmgit.yaml, `branch:` names the one that this was made from")
    message = f"the commit at which the default branch `{branch}` was left is not in {repository.git_dir}"
    if repository.run("config", "--get", "remote.origin.url").returncode != 0:
        here = (repository.branch or "").removeprefix("refs/heads/")
        renamed = f"git branch -m {branch}   if `{here}` is it; else: " if here else ""
        return GitError(message, f"{renamed}git branch {branch} COMMIT")
    fetch = f"origin {branch}:refs/remotes/origin/{branch}"
    if is_cut:
        roots = repository.git("rev-list", "--max-parents=0", "HEAD").decode().split()
        fetch = " ".join(["--unshallow", fetch, *roots])
    return GitError(message, f"git fetch {fetch}")
