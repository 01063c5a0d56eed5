"""Images from tiny packages and wheels, whole: what is in them, what is made again, and what is refused."""

import gzip
import hashlib
import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from uv import find_uv_bin

import mmgit
from mmgit.errors import BuildError
from mmgit.images.assemble import Assembler, foundation_of
from mmgit.images.bases import base_key, packages_of
from mmgit.images.parallel import parallel
from mmgit.lock import Layer, Lock, faults, layers_by_key
from mmgit.progress import Advance, unheard
from mmgit.spec.base import BaseSpec, Interpreter
from tests.images.conftest import PLATFORMS

if TYPE_CHECKING:
    from tests.images.conftest import Kit, World


def test_an_image_has_the_layers_of_the_design_in_order(world: "World", kit: "Kit") -> None:
    lock = world.build()

    layers = [_files(world, kit, layer) for layer in lock.platforms["linux/arm64"].layers]
    assert layers[0]["usr/lib/libc.so.6"] == b"libc arm64"
    assert "opt/dependencies/tiny.py" in layers[1]
    assert layers[2]["opt/mmgit/front/main.py"] == b"serve()\n"
    assert layers[3]["srv/scoring/score.py"] == world.score
    assert layers[4] == {"srv/scoring/models/digits/model.bin": world.model}


def test_images_that_are_made_at_once_share_the_work(world: "World") -> None:
    written: list[str] = []

    @contextmanager
    def watch(what: str, total: int | None = None, unit: str = "bytes") -> Iterator[Advance]:  # noqa: ARG001
        written.append(what)
        yield unheard

    def build(score: bytes) -> Lock:
        other = replace(world, score=score)
        return replace(other.assembler, watch=watch).build(other.recipe, other.sources)

    locks = parallel(build, [b"a = 1\n", b"b = 2\n"], at_once=2)

    assert len({lock.index.digest for lock in locks}) == 2
    made = [what for what in written if what.startswith("writing layer")]
    assert {what: made.count(what) for what in made} == {
        "writing layer base": 2,  # one a platform
        "writing layer dependencies": 2,
        "writing layer serving": 2,
        "writing layer scoring": 2,  # one an image
        "writing layer model": 1,
    }


def test_processes_that_build_the_same_at_once_do_not_harm_the_layout(world: "World", tmp_path: Path) -> None:
    expected = world.elsewhere(tmp_path / "alone").build()
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=world.build) for _ in range(3)]

    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    assert [process.exitcode for process in processes] == [0] * 3
    assert world.build() == expected
    blobs = [path for path in (world.layout.root / "blobs/sha256").iterdir() if not path.name.endswith(".deb")]
    assert not [path for path in blobs if hashlib.sha256(path.read_bytes()).hexdigest() != path.name]


def test_every_platform_has_its_own_base_and_shares_the_rest(world: "World") -> None:
    lock = world.build()

    amd64, arm64 = (lock.platforms[platform].layers for platform in ("linux/amd64", "linux/arm64"))
    assert amd64[0].digest != arm64[0].digest
    assert amd64[3:] == arm64[3:]


def test_the_image_starts_our_server_as_a_user_without_rights(world: "World") -> None:
    lock = world.build()

    config = _json(world, lock.platforms["linux/amd64"].config.digest)
    assert config["config"]["Entrypoint"] == ["/usr/bin/python3", "-I", "/opt/mmgit/front/main.py"]
    assert config["config"]["User"] == "65532:65532"
    assert config["config"]["WorkingDir"] == "/srv/scoring"
    assert config["architecture"] == "amd64"


def test_a_new_version_of_a_model_changes_its_layer_and_no_other(world: "World") -> None:
    before = world.build()
    world.model = b"better weights"

    after = world.build()

    old, new = (lock.platforms["linux/amd64"].layers for lock in (before, after))
    assert [one.digest == other.digest for one, other in zip(old, new, strict=True)] == [True] * 4 + [False]
    assert before.inputs != after.inputs


def test_model_files_in_a_volume_are_an_image_of_their_own(world: "World", kit: "Kit") -> None:
    world.volume = True

    lock = world.build()

    assert lock.volume is not None
    for platform, image in lock.platforms.items():
        assert not any("models/digits/model.bin" in _files(world, kit, layer) for layer in image.layers)
        assert _json(world, image.config.digest)["config"]["Labels"] == {"dev.mmgit.volume": lock.volume.index.digest}
        (layer,) = lock.volume.platforms[platform].layers
        assert _files(world, kit, layer) == {"digits/model.bin": world.model}
        config = _json(world, lock.volume.platforms[platform].config.digest)
        assert config["rootfs"]["diff_ids"] == [layer.diff_id]
    assert all(world.layout.has(blob) for blob in lock.blobs)
    assert not list(faults(lock))


def test_a_new_version_of_a_mounted_model_changes_both_digests_and_no_layer_of_the_image(world: "World") -> None:
    world.volume = True
    before = world.build()
    world.model = b"better weights"

    after = world.build()

    assert before.volume is not None
    assert after.volume is not None
    assert before.volume.index != after.volume.index
    assert before.index != after.index
    assert before.platforms["linux/amd64"].layers == after.platforms["linux/amd64"].layers


def test_a_second_build_opens_and_asks_for_nothing(world: "World") -> None:
    before = world.build()
    world.site.asked.clear()

    after = world.build()

    assert after == before
    assert world.site.asked == []


def test_two_layouts_get_the_same_image(world: "World", tmp_path: Path) -> None:
    assert world.elsewhere(tmp_path / "other").build() == world.build()


def test_a_model_file_with_other_bytes_than_declared_is_refused(world: "World") -> None:
    recipe = world.recipe
    world.model = b"WEIGHTS"

    with pytest.raises(BuildError, match=r"model\.bin has other bytes"):
        world.assembler.build(recipe, world.sources)


def test_a_model_file_that_is_longer_than_declared_is_refused(world: "World") -> None:
    recipe = world.recipe
    world.model = b"weights and more"

    with pytest.raises(BuildError, match="has other than its 7 bytes"):
        world.assembler.build(recipe, world.sources)


def test_another_python_than_that_of_the_suite_is_refused_with_the_way_out(world: "World") -> None:
    base = world.base.replaced(python=Interpreter(path="/usr/bin/python3", minor="3.13"))
    recipe = world.recipe
    world.base = base

    with pytest.raises(BuildError, match=r"asks for Python 3\.11, but Debian bookworm has Python 3\.13") as raised:
        world.assembler.build(recipe, world.sources)
    assert 'python: "3.13"' in raised.value.hint


def test_a_base_without_python_is_refused(world: "World") -> None:
    recipe = world.recipe
    world.base = world.base.replaced(python=None)

    with pytest.raises(BuildError, match="the base has no Python"):
        world.assembler.build(recipe, world.sources)


def test_a_recipe_of_an_older_base_is_not_built_with_a_newer_one(world: "World") -> None:
    recipe = world.recipe
    world.base = world.base.replaced(suite="trixie")

    with pytest.raises(BuildError, match="made with another base") as raised:
        world.assembler.build(recipe, world.sources)
    assert "mmgit image rebuild" in raised.value.hint


def test_other_dependencies_than_those_of_the_recipe_are_refused(world: "World") -> None:
    recipe = world.recipe
    world.pylock += b"\n"

    with pytest.raises(BuildError, match="made with another dependencies"):
        world.assembler.build(recipe, world.sources)


def test_a_platform_that_the_base_lacks_is_refused(world: "World") -> None:
    world.base = world.base.replaced(platforms={"linux/amd64": world.base.platforms["linux/amd64"]})

    with pytest.raises(BuildError, match="locked for linux/amd64, not for linux/arm64"):
        foundation_of(world.base, ["linux/arm64"])


def test_the_key_of_a_base_covers_its_packages_and_no_other_platform(world: "World") -> None:
    before = base_key(world.base, "linux/amd64")
    arm64 = packages_of(world.base, "linux/arm64")[0].replaced(sha256="0" * 64)
    changed = world.base.replaced(platforms={**world.base.platforms, "linux/arm64": (arm64,)})

    assert base_key(changed, "linux/amd64") == before
    assert base_key(changed, "linux/arm64") != base_key(world.base, "linux/arm64")


INDEX = b"usr/lib/x86_64-linux-gnu/libGL.so.1    libs/libgl1\n"


def viewing(world: "World", kit: "Kit", *libraries: str) -> "World":
    """The world with a dependency that needs these libraries, on amd64."""
    binary = kit.elf_of("libc.so.6", *libraries)
    world.pylock = kit.pylock_of(world.site, kit.wheel_of("view", {"view.so": binary}))
    world.site.files["/debian/dists/bookworm/main/Contents-amd64.gz"] = gzip.compress(INDEX)
    return world


def test_a_library_that_an_image_would_lack_is_an_error_that_names_the_package(world: "World", kit: "Kit") -> None:
    sources = replace(viewing(world, kit, "libGL.so.1").sources, base_name="default")

    for _ in range(2):  # the second build finds the layers that the first one made
        with pytest.raises(BuildError) as raised:
            world.assembler.build(world.recipe, sources)

        assert raised.value.message == (
            "linux/amd64: neither base `default` nor a dependency has libGL.so.1, which view.so needs"
        )
        assert raised.value.hint == (
            "mmgit base update default --package python3-minimal --package libgl1; where nothing uses it, "
            "`absent_libraries: [libGL.so.1]` in mmgit.yaml lets it be absent"
        )


def test_a_package_that_is_guessed_is_said_to_be_guessed(world: "World", kit: "Kit") -> None:
    viewing(world, kit, "libGL.so.1", "libtbb.so.12")

    with pytest.raises(BuildError, match=r"libGL\.so\.1, which view\.so needs; libtbb\.so\.12, which") as raised:
        world.build()
    assert "--package libgl1 --package libtbb12   (libtbb.so.12: the package is guessed" in raised.value.hint


def test_a_library_that_may_be_absent_is_not_asked_for(world: "World", kit: "Kit") -> None:
    viewing(world, kit, "libtbb.so.12", "libcuda.so.1")

    lock = replace(world.assembler, absent=("libtbb.so.12",)).build(world.recipe, world.sources)

    assert lock.platforms.keys() == set(PLATFORMS)


def test_a_model_file_that_wants_a_newer_c_library_is_an_error(world: "World", kit: "Kit") -> None:
    world.model = kit.elf_of("libc.so.6", versions=[("libc.so.6", "GLIBC_2.38")])
    libc = kit.elf_of(defines=("GLIBC_2.36",))
    deb = kit.deb_of(kit.member("./lib/libc.so.6", libc), kit.member("./usr/bin/python3", b"x", mode=0o755))
    for path in [path for path in world.site.files if path.endswith(".deb")]:
        world.site.files[path] = deb
    world.base = BaseSpec.read(
        world.base.plain()
        | {
            "platforms": {
                name: [
                    {**each.plain(), "size": len(deb), "sha256": kit.sha256(deb)}
                    for each in packages_of(world.base, name)
                ]
                for name in PLATFORMS
            }
        }
    )

    with pytest.raises(
        BuildError, match=r"has GLIBC_2\.38 of libc\.so\.6, which srv/scoring/models/digits/model\.bin needs"
    ) as raised:
        world.build()
    assert "(it has glibc 2.36)" in raised.value.message
    assert "built for glibc 2.36 or older, or a base of a newer suite" in raised.value.hint


def test_model_files_that_are_mounted_are_read_too(world: "World", kit: "Kit") -> None:
    world.volume, world.model = True, kit.elf_of("libtbb.so.12")

    with pytest.raises(BuildError, match=r"has libtbb\.so\.12, which digits/model\.bin needs"):
        world.build()


def test_a_model_file_that_another_python_loads_is_an_error_that_names_both(world: "World", kit: "Kit") -> None:
    world.model = kit.elf_of("libc.so.6")
    world.model_file = "fast.cpython-312-x86_64-linux-gnu.so"

    with pytest.raises(
        BuildError, match=r"fast\.cpython-312-\S+ is for Python 3\.12, and base `NAME` has 3\.11"
    ) as raised:
        world.build()
    assert "mmgit base update NAME --suite" in raised.value.hint


def test_wheels_of_another_python_than_the_bases_are_an_error_that_names_both(world: "World", kit: "Kit") -> None:
    _, data = kit.wheel_of("newer", {"newer.py": ""})
    world.pylock = kit.pylock_of(world.site, ("newer-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", data))

    with pytest.raises(BuildError, match=r"no wheel for .*3\.11.* of newer 1\.0") as raised:
        world.build()
    assert "uv lock" in raised.value.hint


def test_documents_of_ours_lie_beside_the_script(world: "World", kit: "Kit") -> None:
    documents = {"openapi.json": b"{}"}
    sources = world.sources.__class__(**{**vars(world.sources), "documents": documents})
    foundation = foundation_of(world.base, ["linux/amd64"], serving=world.serving, documents=documents)
    recipe = world.recipe.__class__(world.inputs, foundation)

    lock = world.assembler.build(recipe, sources)

    assert _files(world, kit, lock.platforms["linux/amd64"].layers[3])["srv/scoring/openapi.json"] == b"{}"


def test_a_package_that_the_mirror_dropped_is_not_missed_when_the_layout_has_the_layer(world: "World") -> None:
    before = world.build()
    world.site.files = {path: data for path, data in world.site.files.items() if not path.endswith(".deb")}
    world.score = b"def run(y):\n    return y\n"

    after = world.build()

    assert after.platforms["linux/amd64"].layers[0] == before.platforms["linux/amd64"].layers[0]


def test_a_package_that_the_mirror_dropped_is_not_missed_when_a_registry_has_the_layer(
    world: "World", tmp_path: Path
) -> None:
    locked, there = world.build(), world.layout
    world.site.files = {path: data for path, data in world.site.files.items() if not path.endswith(".deb")}
    other = world.elsewhere(tmp_path / "other")

    def pull(layer: Layer) -> bool:
        other.layout.put([there.path(layer.digest).read_bytes()], expected=layer)
        return True

    assembler = Assembler(
        other.layout, other.assembler.mirror, other.index, other.serving, layers_by_key([locked]), pull
    )
    built = assembler.build(other.recipe, other.sources)

    assert built == locked


def test_a_package_that_nobody_has_any_more_names_the_command_that_helps(world: "World") -> None:
    world.site.files = {path: data for path, data in world.site.files.items() if not path.endswith(".deb")}

    with pytest.raises(BuildError, match=r"package python3-minimal 3\.11\.2 of the base is nowhere") as raised:
        world.build()
    assert "mmgit base update" in raised.value.hint


def test_a_layer_that_no_registry_has_is_made(world: "World", tmp_path: Path) -> None:
    locked = world.build()
    other = world.elsewhere(tmp_path / "other")

    assembler = Assembler(
        other.layout, other.assembler.mirror, other.index, other.serving, layers_by_key([locked]), lambda _: False
    )

    assert assembler.build(other.recipe, other.sources) == locked


OTHER_MACHINES = [
    (0o077, {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "PYTHONHASHSEED": "1"}),
    (0o000, {"TZ": "America/St_Johns", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "4242"}),
]


@pytest.mark.parametrize(("umask", "variables"), OTHER_MACHINES)
def test_the_same_bits_come_out_on_another_machine(
    world: "World", tmp_path: Path, umask: int, variables: dict[str, str]
) -> None:
    assert built_elsewhere(sys.executable, world, tmp_path, umask, **variables) == world.build().index.digest


@pytest.mark.network
def test_the_same_bits_come_out_with_another_python(world: "World", tmp_path: Path) -> None:
    sync = [find_uv_bin(), "sync", "--quiet", "--locked", "--no-dev", "--python", newer_python()]
    environment = {**os.environ, "UV_PROJECT_ENVIRONMENT": str(tmp_path / "venv")}
    subprocess.run(sync, cwd=Path(mmgit.__file__).parent.parent, env=environment, check=True)

    assert built_elsewhere(str(tmp_path / "venv/bin/python"), world, tmp_path, 0o022) == world.build().index.digest


def newer_python() -> str:
    """Another CPython than ours: one of pyenv's, else one that uv knows."""
    if shutil.which("pyenv"):
        root = Path(subprocess.check_output(["pyenv", "root"], text=True).strip())
        for path in sorted(root.glob("versions/3.1[2-9]*/bin/python"), reverse=True):
            return str(path)
    found = subprocess.run([find_uv_bin(), "python", "find", ">3.11"], capture_output=True, text=True, check=False)
    if found.returncode:
        pytest.skip("no newer CPython is installed")
    return found.stdout.strip()


def built_elsewhere(python: str, world: "World", folder: Path, umask: int, **variables: str) -> str:
    """The digest of what `AGAIN` builds."""
    script = folder / "again.py"
    script.write_text(AGAIN)
    (folder / "base.json").write_text(json.dumps(world.base.plain()))
    (folder / "pylock.toml").write_bytes(world.pylock)
    done = subprocess.run(
        [python, script, folder, world.site.url, f"{umask:o}"],
        env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **variables},
        stdout=subprocess.PIPE,
        check=True,
        timeout=120,
    )
    return done.stdout.decode().strip()


AGAIN = """
import hashlib, io, json, os, random, sys, time
from pathlib import Path

LATER = 4_080_000_000
listed, scanned, now = os.listdir, os.scandir, time.time

def shuffled(found):
    return random.sample(found, len(found))

class Scanned:
    def __init__(self, path="."):
        with scanned(path) as found:
            self.found = iter(shuffled([*found]))
    def __enter__(self):
        return self
    def __exit__(self, *_):
        pass
    def __iter__(self):
        return self
    def __next__(self):
        return next(self.found)
    def close(self):
        pass

os.listdir = lambda path=".": shuffled(listed(path))
os.scandir = Scanned
time.time = lambda: now() + LATER
from mmgit.images.assemble import Assembler, foundation_of
from mmgit.images.builder import Sources
from mmgit.images.layout import Layout
from mmgit.images.origins import Index, Mirror
from mmgit.images.serving import Serving
from mmgit.recipe import Inputs, Recipe, RecipeFile, RecipeModel
from mmgit.spec.base import BaseSpec

folder, url = Path(sys.argv[1]), sys.argv[2]
os.umask(int(sys.argv[3], 8))
for path in sorted((folder / "package").rglob("*.*"), reverse=True):
    copy = folder / "copy" / path.relative_to(folder / "package")
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_bytes(path.read_bytes())
    os.utime(copy, (LATER, LATER))
    if os.geteuid() == 0:
        os.chown(copy, 12345, 54321)

def sha256(data):
    return hashlib.sha256(data).hexdigest()

score, model = b"def run(x):\\n    return x\\n", b"weights"
pylock = (folder / "pylock.toml").read_bytes()
files = (RecipeFile("score.py", sha256(score), len(score)),)
models = (RecipeModel("digits", (RecipeFile("model.bin", sha256(model), len(model)),)),)
base = BaseSpec.read(json.loads((folder / "base.json").read_text()))
serving = Serving(folder / "copy")
foundation = foundation_of(base, ["linux/arm64", "linux/amd64"], serving=serving)
recipe = Recipe(Inputs("python", "3.11", "score.py", files, models, sha256(pylock)), foundation)
opened = {"score.py": lambda: io.BytesIO(score)}, {("digits", "model.bin"): lambda: io.BytesIO(model)}
mirror = Mirror(url + "/debian", url + "/security", url + "/snapshot")
assembler = Assembler(Layout(folder / "again"), mirror, Index(url + "/simple", ("127.0.0.1",)), serving)
print(assembler.build(recipe, Sources(base, *opened, pylock)).index.digest)
"""


def _files(world: "World", kit: "Kit", layer: Layer) -> dict[str, bytes]:
    data = world.layout.path(layer.digest).read_bytes()
    unpacked = gzip.decompress(data) if layer.media_type.endswith("gzip") else data
    assert hashlib.sha256(unpacked).hexdigest() == layer.diff_id[7:]
    return kit.files_in(unpacked)


def _json(world: "World", digest: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(world.layout.document(digest) or b"")
    return loaded
