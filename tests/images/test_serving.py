"""The serving layer: all of our server, nothing that tests or compilers leave, one identity for one content."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mmgit.frozen import replace
from mmgit.images.origins import Machine
from mmgit.images.serving import ENTRY_POINT, INSTALLED, Serving

if TYPE_CHECKING:
    from tests.images.conftest import World

MACHINE = Machine("linux/amd64", "3.11", "/usr/bin/python3", "2.36")


def test_the_layer_holds_front_sdk_with_shim_and_wheels_apart(world: "World", tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()

    found = {each.path for each in world.serving.entries(tmp_path / "scratch", machine=MACHINE, index=world.index)}

    assert {path for path in found if not path.startswith(("opt/mmgit/front/packages/", "opt/mmgit/scorer/"))} == {
        "opt/mmgit/front/main.py",
        "opt/mmgit/front/mmgit/__init__.py",
        "opt/mmgit/front/mmgit/serving/__init__.py",
        "opt/mmgit/front/mmgit/serving/front/main.py",
        "opt/mmgit/front/mmgit/serving/front/pylock.toml",
        "opt/mmgit/front/mmgit/serving/scorer/pylock.toml",
        "opt/mmgit/sdk/mmgit/__init__.py",
        "opt/mmgit/sdk/mmgit/sdk/__init__.py",
        "opt/mmgit/sdk/mmgit/sdk/schema.py",
        "opt/mmgit/sdk/mmgit/shim/packages/azureml/assets.py",
        "var/spool/mmgit",
    }
    assert "opt/mmgit/front/packages/frontier.py" in found
    assert "opt/mmgit/scorer/quick.py" in found


def test_a_python_elsewhere_is_linked_to_where_health_checks_look(world: "World", tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    machine = replace(MACHINE, interpreter="/opt/venv/bin/python3")

    found = {
        each.path: each for each in world.serving.entries(tmp_path / "scratch", machine=machine, index=world.index)
    }

    assert (found["usr/bin/python3"].kind, found["usr/bin/python3"].target) == ("link", "/opt/venv/bin/python3")


def test_the_entry_point_of_images_is_in_the_layer() -> None:
    assert ENTRY_POINT == "/opt/mmgit/front/main.py"
    assert "serving/front/main.py" in INSTALLED.files


@pytest.mark.parametrize("name", ["serving/front/main.py", "sdk/schema.py", "__init__.py", "serving/front/pylock.toml"])
def test_any_change_of_content_is_another_identity(world: "World", name: str) -> None:
    before = world.serving.identity
    (world.serving.package / name).write_text("# changed\n")

    assert Serving(world.serving.package).identity != before


@pytest.fixture
def stand_ins(world: "World") -> Path:
    """Those of ours in the small world, whose locks have wheels for every machine."""
    return Path(shutil.copytree(INSTALLED.package / "stand_ins", world.serving.package / "stand_ins"))


@pytest.mark.parametrize(
    ("platform", "names"),
    [
        ("linux/arm/v7", {"httptools.py", "msgspec.py"}),
        ("linux/ppc64le", {"msgspec.py"}),
        ("linux/riscv64", set()),
        ("linux/amd64", set()),
    ],
)
def test_modules_of_ours_stand_in_where_there_is_no_wheel(
    world: "World", stand_ins: Path, tmp_path: Path, platform: str, names: set[str]
) -> None:
    (tmp_path / "scratch").mkdir()
    machine = replace(MACHINE, platform=platform)

    entries = world.serving.entries(tmp_path / "scratch", machine=machine, index=world.index)
    found = {each.path: b"".join(each.blocks()) for each in entries}

    packages = "opt/mmgit/front/packages/"
    there = {f"{packages}{each.name}" for each in stand_ins.glob("*.py")} & found.keys()
    assert there == {packages + name for name in names}
    assert all(found[packages + name] == (stand_ins / name).read_bytes() for name in names)
    assert f"{packages}frontier.py" in found


def test_what_stands_in_counts_where_it_is_and_nowhere_else(world: "World", stand_ins: Path) -> None:
    rarer, common = ["linux/amd64", "linux/s390x"], ["linux/arm64", "linux/amd64", "linux/riscv64"]
    before = world.serving.identity_on(rarer)
    assert before == world.serving.identity_on(rarer[::-1])

    (stand_ins / "msgspec.py").write_text("# changed\n")

    changed = Serving(world.serving.package)
    assert changed.identity_on(rarer) not in (before, changed.identity)
    assert changed.identity_on(common) == changed.identity == world.serving.identity


def test_a_new_file_is_another_identity(world: "World") -> None:
    before = world.serving.identity
    (world.serving.package / "serving" / "new.py").write_text("")

    assert Serving(world.serving.package).identity != before


def test_tests_and_bytecode_do_not_count(world: "World") -> None:
    before = world.serving.identity
    (world.serving.package / "serving" / "tests" / "test_more.py").write_text("x")
    (world.serving.package / "serving" / "__pycache__" / "y.pyc").write_text("x")

    assert Serving(world.serving.package).identity == before


def test_the_rest_of_mmgit_is_not_in_the_layer() -> None:
    assert {path.partition("/")[0] for path in INSTALLED.files} == {"__init__.py", "sdk", "serving", "shim"}
