"""The folders that mmgit owns hold exactly what was rendered, and nobody's work is lost."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from mmgit.deliver.write import Difference, Written, apply_changes, changes_for, differences, write_tree
from mmgit.deliver.writer import Writer, writing
from mmgit.errors import MmgitError, ProblemsFound, UnsafePath
from mmgit.repository.files import Root
from mmgit.repository.header import with_header

Git = Callable[..., str]

OWNED = ("rendered",)
TREE = {
    "rendered/a.yaml": with_header(b"a: 1\n"),
    "rendered/group/b.yaml": with_header(b"b: 1\n"),
    "rendered/group/c.yaml": with_header(b"c: 1\n"),
}


@pytest.fixture
def root(tmp_path: Path) -> Root:
    folder = tmp_path / "root"
    folder.mkdir()
    return Root(folder)


@pytest.fixture
def writer(root: Root) -> Iterator[Writer]:
    with writing(root, command="test") as held:
        yield held


def rendered(root: Root) -> dict[str, bytes]:
    return {f"rendered/{path}": root.read(f"rendered/{path}") for path in root.walk("rendered")}


def test_the_folder_holds_exactly_the_tree(writer: Writer) -> None:
    written = write_tree(writer, TREE, OWNED)

    assert rendered(writer.root) == TREE
    assert written == Written(changed=tuple(TREE), removed=(), kept=())


def test_equal_files_are_not_touched(writer: Writer) -> None:
    write_tree(writer, TREE, OWNED)
    before = {path: (writer.root.path / path).stat() for path in TREE}

    written = write_tree(writer, TREE, OWNED)

    assert written == Written((), (), ())
    assert {path: (writer.root.path / path).stat() for path in TREE} == before


def test_what_is_not_rendered_any_more_vanishes_with_its_folder(writer: Writer) -> None:
    write_tree(writer, TREE, OWNED)

    written = write_tree(writer, {"rendered/a.yaml": with_header(b"a: 2\n")}, OWNED)

    assert rendered(writer.root) == {"rendered/a.yaml": with_header(b"a: 2\n")}
    assert written == Written(("rendered/a.yaml",), ("rendered/group/b.yaml", "rendered/group/c.yaml"), ())
    assert not (writer.root.path / "rendered/group").exists()


def test_an_empty_tree_leaves_no_folder(writer: Writer) -> None:
    write_tree(writer, TREE, OWNED)

    write_tree(writer, {}, OWNED)

    assert not (writer.root.path / "rendered").exists()


def test_other_folders_are_not_looked_at(writer: Writer) -> None:
    writer.root.write("rendered-by-hand/x", b"mine")
    writer.root.write("environment.yaml", b"mine")

    write_tree(writer, TREE, OWNED)

    assert writer.root.read("rendered-by-hand/x") == writer.root.read("environment.yaml") == b"mine"


@pytest.mark.parametrize("tree", [TREE, {}, {**TREE, "rendered/a.yaml": with_header(b"a: 2\n")}])
@pytest.mark.parametrize(
    ("data", "code", "state"),
    [
        (with_header(b"a: 1\n") + b"# by hand\n", "M901", "edited"),
        (with_header(b"a: 1\n").replace(b"\n", b"\r\n"), "M901", "edited"),
        (b"a: 1\n", "M902", "foreign"),
    ],
)
def test_somebodys_work_is_reported_until_it_is_named(
    writer: Writer, tree: Mapping[str, bytes], data: bytes, code: str, state: str
) -> None:
    write_tree(writer, TREE, OWNED)
    writer.root.write("rendered/a.yaml", data)
    before = rendered(writer.root)

    with pytest.raises(ProblemsFound) as caught:
        write_tree(writer, tree, OWNED, overwrite=["rendered/group", "rendered/a"])

    (problem,) = caught.value.problems
    assert (problem.code, str(problem.place)) == (code, "rendered/a.yaml")
    assert problem.hint.startswith("mmgit compile --overwrite rendered/a.yaml   ")
    assert "`patches:`" in problem.hint
    assert Difference("rendered/a.yaml", state) in differences(writer.root, tree, OWNED)  # type: ignore[arg-type]
    assert rendered(writer.root) == before

    write_tree(writer, tree, OWNED, overwrite=["rendered/a.yaml"])

    assert rendered(writer.root) == tree


def test_all_of_somebodys_work_is_reported_at_once(writer: Writer) -> None:
    for name in ("x", "y/z"):
        writer.root.write(f"rendered/{name}", b"mine")

    with pytest.raises(ProblemsFound) as caught:
        write_tree(writer, TREE, OWNED)

    assert [problem.place.path for problem in caught.value.problems] == ["rendered/x", "rendered/y/z"]


def test_a_named_folder_names_what_is_in_it(writer: Writer) -> None:
    for name in ("x", "y/z"):
        writer.root.write(f"rendered/{name}", b"mine")

    write_tree(writer, TREE, OWNED, overwrite=["rendered/"])

    assert rendered(writer.root) == TREE


def test_a_link_in_an_owned_folder_is_refused(writer: Writer, tmp_path: Path) -> None:
    write_tree(writer, TREE, OWNED)
    (writer.root.path / "rendered/link").symlink_to(tmp_path)

    with pytest.raises(UnsafePath, match="rendered/link"):
        write_tree(writer, TREE, OWNED)


def test_differences_name_every_state_and_write_nothing(writer: Writer, root: Root) -> None:
    write_tree(writer, TREE, OWNED)
    root.write("rendered/foreign", b"")
    root.write("rendered/group/c.yaml", TREE["rendered/group/c.yaml"] + b"#")
    before = rendered(root)
    tree = {"rendered/a.yaml": with_header(b"a: 2\n"), "rendered/new": with_header(b"")}

    found = differences(root, tree, OWNED)

    assert [(item.path, item.state) for item in found] == [
        ("rendered/a.yaml", "stale"),
        ("rendered/foreign", "foreign"),
        ("rendered/group/b.yaml", "extra"),
        ("rendered/group/c.yaml", "edited"),
        ("rendered/new", "missing"),
    ]
    assert rendered(root) == before


def test_a_check_makes_no_folder_of_its_own(root: Root) -> None:
    differences(root, TREE, OWNED)

    assert list(root.path.iterdir()) == []


def test_changes_make_the_tree(writer: Writer, root: Root) -> None:
    write_tree(writer, TREE, OWNED)
    tree = {"rendered/a.yaml": with_header(b"a: 2\n")}

    changes = changes_for(root, tree, OWNED)

    assert changes == {**tree, "rendered/group/b.yaml": None, "rendered/group/c.yaml": None}


def test_a_folder_may_become_a_file_and_a_file_a_folder(writer: Writer) -> None:
    write_tree(writer, {"rendered/x/y": with_header(b"1"), "rendered/z": with_header(b"2")}, OWNED)
    tree = {"rendered/x": with_header(b"3"), "rendered/z/y/w": with_header(b"4")}

    write_tree(writer, tree, OWNED)

    assert rendered(writer.root) == tree


@pytest.mark.parametrize("paths", [("file/below",), ("folder",)])
def test_what_is_in_the_way_stops_all_changes(writer: Writer, paths: tuple[str, ...]) -> None:
    writer.root.write("file", b"mine")
    writer.root.write("folder/file", b"mine")

    with pytest.raises(MmgitError, match=r"file|folder"):
        apply_changes(writer, {"other": b"", **dict.fromkeys(paths, b"")})

    assert not writer.root.exists("other")
    assert writer.root.read("folder/file") == writer.root.read("file") == b"mine"


def test_names_that_some_systems_take_for_one_stop_all_changes(writer: Writer) -> None:
    with pytest.raises(UnsafePath, match="README and readme"):
        apply_changes(writer, {"readme": b"", "README": b""})

    assert not writer.root.exists("readme")


def test_a_file_that_somebody_saves_at_the_same_moment_is_kept(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    writer.root.write("service.yaml", b"1")
    sealed = writer.root.path / ".mmgit/journal/entries.json"

    def save_meanwhile(_: int) -> None:
        if sealed.exists() and (writer.root.path / "service.yaml").read_bytes() == b"1":
            (writer.root.path / "service.yaml").write_bytes(b"theirs")

    monkeypatch.setattr("os.fsync", save_meanwhile)

    written = apply_changes(writer, {"service.yaml": b"2", "other.yaml": b"2"})

    assert written == Written(("other.yaml",), (), kept=("service.yaml",))
    assert writer.root.read("service.yaml") == b"theirs"


def test_the_work_tree_changes_and_git_does_not(top: Path, git: Git) -> None:
    root = Root(top)
    index, refs = (top / ".git/index").read_bytes(), git("for-each-ref")
    (top / "mine").touch()

    with writing(root, command="test") as writer:
        apply_changes(writer, {"service.yaml": b"replicas: 2\n", "rendered/deep/b.yaml": None, "new": b""})

    assert ((top / ".git/index").read_bytes(), git("for-each-ref")) == (index, refs)
    assert git("status", "--porcelain", "-z").split("\0")[:-1] == [
        *(" D rendered/deep/b.yaml", " M service.yaml", "?? mine", "?? new"),
    ]
