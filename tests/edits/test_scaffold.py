from pathlib import Path

import pytest

from mmgit import __version__
from mmgit.edits.change import Change
from mmgit.edits.scaffold import scaffold
from mmgit.errors import UsageError
from mmgit.repository.files import Root
from mmgit.repository.load import load


def made(root: Root) -> Change:
    return scaffold(root, version=__version__, branch="trunk")


def test_a_new_repository_loads_without_a_problem(tmp_path: Path) -> None:
    root = Root(tmp_path)

    for path, data in made(root).files.items():
        root.write(path, data or b"")

    loaded = load(root)
    assert loaded.problems == ()
    assert loaded.source is not None
    assert loaded.source.project.spec.mmgit == f"=={__version__}"
    assert loaded.source.project.spec.branch == "trunk"
    assert loaded.source.environments["dev"].spec.target == "compose"


def test_files_of_a_training_repository_stay_and_only_missing_lines_are_added(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("pass")
    (tmp_path / ".gitignore").write_text("*.csv\n__pycache__/")
    (tmp_path / ".gitattributes").write_text("*.onnx filter=lfs\n")

    change = made(Root(tmp_path))

    assert change.files[".gitignore"] == b"*.csv\n__pycache__/\n/.mmgit/\n/.venv/\n"
    assert (change.files[".gitattributes"] or b"").startswith(b"*.onnx filter=lfs\n# mmgit")
    assert "train.py" not in change.files


def test_lines_are_added_once(tmp_path: Path) -> None:
    root = Root(tmp_path)
    attributes = made(root).files[".gitattributes"]
    root.write(".gitattributes", attributes or b"")

    assert made(root).files[".gitattributes"] == attributes


def test_a_repository_is_not_made_twice(tmp_path: Path) -> None:
    (tmp_path / "mmgit.yaml").touch()

    with pytest.raises(UsageError, match="is an mmgit repository already"):
        made(Root(tmp_path))


@pytest.mark.parametrize("name", ["models/churn.pkl", "environments/python/x", "bases/x"])
def test_a_folder_that_others_use_leads_to_a_subfolder(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True)
    (tmp_path / name).touch()

    with pytest.raises(UsageError, match=r"holds files that are not mmgit's") as refused:
        made(Root(tmp_path))

    assert "mmgit new deploy" in refused.value.hint
