"""Steps in an image: where their layer lies, when they are run, and what is said where nothing can run them.

A function of the test stands in for the engine; a real one is in tests/local/test_steps.py.
"""

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mmgit.errors import BuildError, EngineError
from mmgit.images.bases import packages_of
from mmgit.images.builder import Locked
from mmgit.images.customise import Ground
from mmgit.images.tar import Entry, file
from mmgit.lock import faults, layers_by_key
from mmgit.steps import Run
from tests.images.conftest import PLATFORMS, package_files

if TYPE_CHECKING:
    from tests.images.conftest import Kit, World

STEPS = (
    b"ARG GREETING=hello\nRUN echo $GREETING > /opt/greeting\nENV MODE=fast PATH=/opt/tools:$PATH\nEXPOSE 9000/udp\n"
)


@dataclass
class Engine:
    """Answers every command with the same file, and remembers what it was asked."""

    asked: list[tuple[Ground, Sequence[Run]]] = field(default_factory=list)
    made: bytes = b"hello\n"

    def __call__(self, ground: Ground, runs: Sequence[Run], _: Path) -> Iterable[Entry]:
        self.asked.append((ground, runs))
        return [file("opt/greeting", self.made)]


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def shelled(world: "World", kit: "Kit", engine: Engine) -> "World":
    """The world, with a shell in its base and steps."""
    for platform in PLATFORMS:
        architecture = platform.removeprefix("linux/")
        deb = kit.deb_of(*package_files(architecture), kit.member("./bin/sh", b"\x7fELF", mode=0o755))
        (package,) = packages_of(world.base, platform)
        world.site.files[f"/debian/{package.path}"] = deb
        locked = package.replaced(size=len(deb), sha256=kit.sha256(deb))
        world.base = world.base.replaced(platforms={**world.base.platforms, platform: (locked,)})
    world.steps, world.run_steps = STEPS, engine
    return world


def config(world: "World", platform: str = "linux/amd64") -> dict[str, Any]:
    lock = world.build()
    found: dict[str, Any] = json.loads(world.layout.document(lock.platforms[platform].config.digest) or b"")["config"]
    return found


def test_what_steps_change_is_a_layer_between_dependencies_and_server(shelled: "World", kit: "Kit") -> None:
    lock = shelled.build()

    for image in lock.platforms.values():
        layers = [gzip.decompress(shelled.layout.path(each.digest).read_bytes()) for each in image.layers[:4]]
        assert kit.files_in(layers[2]) == {"opt/greeting": b"hello\n"}
        assert "opt/mmgit/front/main.py" in kit.files_in(layers[3])
    assert not list(faults(lock))


def test_they_are_run_on_base_and_dependencies_of_each_platform(shelled: "World", engine: Engine) -> None:
    lock = shelled.build()

    assert {ground.platform for ground, _ in engine.asked} == {*PLATFORMS}
    for ground, runs in engine.asked:
        path = "/usr/bin:/bin:/opt/dependencies/bin"
        assert [(run.line, run.variables) for run in runs] == [(2, {"GREETING": "hello", "PATH": path})]
        index = json.loads(shelled.layout.document(ground.index.digest) or b"")
        manifest = json.loads(shelled.layout.document(index["manifests"][0]["digest"]) or b"")
        below = lock.platforms[ground.platform].layers[:2]
        assert [layer["digest"] for layer in manifest["layers"]] == [layer.digest for layer in below]
        started = json.loads(shelled.layout.document(manifest["config"]["digest"]) or b"")["config"]
        assert "PYTHONPATH=/opt/dependencies" in started["Env"]
        assert {*started} == {"Env"}


def test_a_command_finds_programs_where_the_image_will(shelled: "World", engine: Engine) -> None:
    shelled.steps = b"ENV PATH=/opt/tools\nRUN tool\n"

    shelled.build()

    (run,) = engine.asked[0][1]
    assert run.variables == {"PATH": "/opt/tools:/usr/bin:/bin:/opt/dependencies/bin"}


def test_the_image_has_the_variables_labels_and_ports_and_starts_as_ever(shelled: "World") -> None:
    shelled.steps = STEPS + b"LABEL tier=a\n"

    found = config(shelled)

    assert found["Env"] == ["PATH=/opt/tools:/usr/bin:/bin:/opt/dependencies/bin", "MODE=fast"]
    assert found["Labels"] == {"tier": "a"}
    assert sorted(found["ExposedPorts"]) == ["8080/tcp", "8081/tcp", "9000/udp"]
    assert found["User"] == "65532:65532"
    assert found["Entrypoint"] == ["/usr/bin/python3", "-I", "/opt/mmgit/front/main.py"]


def test_steps_without_run_need_no_engine_and_make_no_layer(world: "World", engine: Engine) -> None:
    before = world.build()
    world.steps, world.run_steps = b"ENV MODE=fast\n", engine

    after = world.build()

    assert engine.asked == []
    assert [each.layers for each in after.platforms.values()] == [each.layers for each in before.platforms.values()]
    assert after.inputs != before.inputs
    assert "MODE=fast" in config(world)["Env"]


def test_a_new_model_or_script_runs_nothing_again(shelled: "World", engine: Engine) -> None:
    shelled.build()
    asked = len(engine.asked)
    shelled.score, shelled.model = b"def run(x):\n    return 2\n", b"better weights"

    shelled.build()

    assert len(engine.asked) == asked


@pytest.mark.parametrize("change", ["steps", "dependencies"])
def test_other_steps_or_dependencies_run_them_again(shelled: "World", engine: Engine, kit: "Kit", change: str) -> None:
    shelled.build()
    asked = len(engine.asked)
    if change == "steps":
        shelled.steps = STEPS + b"# again\n"
    else:
        shelled.pylock = kit.pylock_of(shelled.site, kit.wheel_of("other", {"other.py": ""}))

    shelled.build()

    assert len(engine.asked) == asked + len(PLATFORMS)


def test_a_base_without_a_shell_is_refused_with_the_package_to_add(world: "World", engine: Engine) -> None:
    world.steps, world.run_steps = STEPS, engine

    with pytest.raises(BuildError, match="RUN needs /bin/sh, and base `NAME` has none") as raised:
        world.build()
    assert raised.value.hint == ("mmgit base update NAME --package python3-minimal --package dash --package coreutils")
    assert engine.asked == []


def test_without_an_engine_nothing_is_made(shelled: "World") -> None:
    shelled.run_steps = type(shelled).run_steps

    with pytest.raises(EngineError, match="need a Docker engine"):
        shelled.build()


def test_steps_that_a_check_would_refuse_are_refused_here_too(shelled: "World", engine: Engine) -> None:
    shelled.steps = b"FROM scratch\n"

    with pytest.raises(BuildError, match="the steps cannot be read: line 1, column 1"):
        shelled.build()
    assert engine.asked == []


def test_other_steps_than_those_of_the_recipe_are_refused(shelled: "World") -> None:
    recipe = shelled.recipe
    shelled.steps = STEPS + b"# other\n"

    with pytest.raises(BuildError, match="made with another steps"):
        shelled.assembler.build(recipe, shelled.sources)


def test_a_locked_layer_that_is_here_is_taken_as_it_is(shelled: "World", engine: Engine) -> None:
    lock = shelled.build()
    engine.asked.clear()
    engine.made = b"of another day\n"

    again = Locked(shelled.assembler, {lock.recipe: lock}, shelled.layout).build(shelled.recipe, shelled.sources)

    assert again == lock
    assert engine.asked == []


def test_a_lost_layer_that_steps_do_not_make_again_is_said_with_the_two_ways_out(
    shelled: "World", engine: Engine
) -> None:
    lock = shelled.build()
    for image in lock.platforms.values():
        shelled.layout.path(image.layers[2].digest).unlink(missing_ok=True)
    engine.made = b"of another day\n"
    locked = Locked(shelled.assembler, {lock.recipe: lock}, shelled.layout)

    with pytest.raises(BuildError, match=r"locks sha256:[0-9a-f]{64}: layer 3 of linux/amd64 differs") as raised:
        locked.build(shelled.recipe, shelled.sources)
    assert "from where it was pushed" in raised.value.hint
    assert "mmgit manifest create" in raised.value.hint


def test_a_layer_of_another_build_is_fetched_before_steps_are_run(
    shelled: "World", engine: Engine, tmp_path: Path
) -> None:
    known = layers_by_key([shelled.build()])
    elsewhere = shelled.elsewhere(tmp_path / "other")
    engine.asked.clear()

    def found(key: str) -> Any:
        layer = known.get(key)
        if layer is not None:
            with shelled.layout.path(layer.digest).open("rb") as blob:
                elsewhere.layout.put(iter([blob.read()]), expected=layer)
        return layer

    assembler = elsewhere.assembler
    lock = type(assembler)(**{**vars(assembler), "elsewhere": found}).build(elsewhere.recipe, elsewhere.sources)

    assert engine.asked == []
    assert layers_by_key([lock]) == known


def test_libraries_that_steps_bring_are_not_lacking(shelled: "World", kit: "Kit") -> None:
    binary = kit.elf_of("libc.so.6", "libGL.so.1")
    shelled.pylock = kit.pylock_of(shelled.site, kit.wheel_of("view", {"view.so": binary}))

    with pytest.raises(BuildError, match=r"has libGL\.so\.1"):
        shelled.build()

    shelled.steps = STEPS + b"# with it\n"
    shelled.run_steps = lambda *_: [file("usr/lib/libGL.so.1", kit.elf_of("libX11.so.6"))]
    shelled.build()


def test_what_steps_brought_is_read_once(shelled: "World", kit: "Kit") -> None:
    wheel = kit.wheel_of("view", {"view.so": kit.elf_of("libc.so.6", "libGL.so.1")})
    shelled.pylock = kit.pylock_of(shelled.site, wheel)
    shelled.run_steps = lambda *_: [file("usr/lib/libGL.so.1", kit.elf_of())]
    for image in shelled.build().platforms.values():
        path = shelled.layout.path(image.layers[2].digest)
        path.write_bytes(bytes(path.stat().st_size))  # whoever reads it fails
    shelled.model = b"better weights"

    shelled.build()
