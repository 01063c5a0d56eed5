"""Steps on a real Docker engine, from the command line: the image starts as pods start it, and predicts."""

import json
import subprocess
import tarfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest

from mmgit.cli.main import run
from mmgit.errors import BuildError, EngineError
from mmgit.images.customise import Ground
from mmgit.images.layers import plan, write
from mmgit.images.layout import Layout
from mmgit.images.oci import put_index, put_platform_image
from mmgit.images.tar import file
from mmgit.local import container, steps
from mmgit.lock import Layer, Lock, lock_of
from mmgit.repository import reading
from mmgit.spec.image import ImageSpec
from mmgit.steps import Run
from mmgit.steps.reading import read
from tests.images.conftest import elf_of

pytestmark = [pytest.mark.docker, pytest.mark.network, pytest.mark.timeout(600)]

SCORE = """
import json, os

def run(body):
    names = ("GREETING", "VERSION", "PATH")
    return [json.loads(body)["x"] * 2, open("/opt/words/words.txt").read(), *map(os.environ.get, names)]
"""
STEPS = r"""# beside Python
ARG VERSION=1.2
ENV GREETING="hello, \$world `id` 'x'" DATA=/opt/words PATH=/opt/words:$PATH
RUN mkdir -p $DATA && \
    printf '%s for "%s"' "$VERSION" "$GREETING" > "$DATA/words.txt"
RUN ["python3", "-c", "import os; os.chmod('/opt/words/words.txt', 0o640); os.chown('/opt/words/words.txt', 0, 65532)"]
LABEL org.opencontainers.image.vendor="Acme \"Ltd\""
EXPOSE 9000/udp
"""
PLATFORM = "linux/amd64"
BASE = ("python3-minimal", "libpython3-stdlib", "ca-certificates", "libstdc++6", "libgomp1", "dash", "coreutils")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A repository with a model that has steps, built on a base with a shell; the current folder is in it."""
    root = tmp_path_factory.mktemp("steps") / "repository"
    given = root.parent / "given"
    given.mkdir()
    (given / "score.py").write_text(SCORE)
    (given / "weights.bin").write_text("2")
    (given / "Dockerfile").write_text(STEPS)
    root.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert run(["new", ".", "--ci", "none"]) == 0
        (root / "mmgit.yaml").write_text(f"{(root / 'mmgit.yaml').read_text()}platforms: [{PLATFORM}]\n")
        packages = [word for package in BASE for word in ("--package", package)]
        assert run(["base", "update", "default", *packages, "--platform", PLATFORM]) == 0
        script = ["-f", f"{given}/score.py", "--docker-file", f"{given}/Dockerfile"]
        assert run(["model", "register", "twice", f"{given}/weights.bin", *script]) == 0
        before = left()
        assert run(["build", "twice/1"]) == 0
        assert left() == before
        yield root


@pytest.fixture(scope="module")
def lock(root: Path) -> Lock:
    (path,) = root.glob("models/twice/manifests/1/images/*.yaml")
    return lock_of(ImageSpec.read(reading.parse(path.read_bytes())))


@pytest.fixture(scope="module")
def layout(root: Path) -> Layout:
    return Layout(root / ".mmgit/oci")


@pytest.fixture
def ran(lock: Lock, layout: Layout, tmp_path: Path) -> Any:
    """Runs the commands of steps on the base, and gives what they changed: path -> entry."""
    layers = lock.platforms[PLATFORM].layers[:1]

    def call(text: str) -> dict[str, Any]:
        ground = ground_of(layers, layout, PLATFORM)
        return {each.path: each for each in steps.run_steps(layout, ground, read(text.encode()).runs, tmp_path)}

    return call


def ground_of(layers: Sequence[Layer], layout: Layout, platform: str) -> Ground:
    image = put_platform_image(platform, layers, {"Env": ["PATH=/usr/bin:/bin"]}, layout)
    return Ground(platform, put_index({platform: image}, layout))


def left() -> tuple[str, ...]:
    """What the engine holds."""
    asked = (["ps", "--all", "--quiet"], ["images", "--all", "--quiet"], ["volume", "ls", "--quiet"])
    return tuple(subprocess.run(["docker", *each], capture_output=True, text=True, check=True).stdout for each in asked)


def test_an_image_with_steps_starts_on_a_read_only_root_and_predicts(lock: Lock, layout: Layout) -> None:
    engine = container.engine()
    assert engine

    with container.starting(engine, layout)("twice/1", lock) as started:
        answer = asked(f"http://{started.address.host}:{started.address.port}{started.address.path}", {"x": 21})

    greeting = "hello, $world `id` 'x'"
    path = "/opt/words:/usr/bin:/bin:/opt/dependencies/bin"
    assert answer == [42, f'1.2 for "{greeting}"', greeting, None, path]
    config = json.loads(layout.document(lock.platforms[PLATFORM].config.digest) or b"")["config"]
    assert config["Labels"] == {"org.opencontainers.image.vendor": 'Acme "Ltd"'}
    assert sorted(config["ExposedPorts"]) == ["8080/tcp", "8081/tcp", "9000/udp"]


def asked(url: str, body: dict[str, Any]) -> Any:
    for _ in range(300):
        with suppress(HTTPError, URLError), urlopen(Request(url, json.dumps(body).encode()), timeout=60) as answer:
            return json.loads(answer.read())
        time.sleep(0.1)
    raise AssertionError(url)


def test_the_layer_holds_what_changed_with_its_owners_and_no_times(lock: Lock, layout: Layout) -> None:
    with tarfile.open(layout.path(lock.platforms[PLATFORM].layers[1].digest)) as archive:
        members = archive.getmembers()

    found = {each.name: (oct(each.mode), each.uid, each.gid) for each in members}
    assert found == {
        "opt": ("0o755", 0, 0),
        "opt/words": ("0o755", 0, 0),
        "opt/words/words.txt": ("0o640", 0, 65532),
    }
    assert {each.mtime for each in members} == {0}


def test_what_is_removed_linked_and_left_in_temporary_folders(ran: Any) -> None:
    found = ran(
        "RUN rm -r /etc/nsswitch.conf\n"
        "RUN echo x > /tmp/x; echo y > /run/y || true; ln -s /tmp/x /opt-link; mkdir -p /srv/a && echo z > /srv/a/b\n"
        "RUN ln /srv/a/b /srv/a/c && mkfifo /srv/a/pipe && touch -d 2001-01-01 /usr/bin/cat"
    )

    assert found["etc/nsswitch.conf"].kind == "gone"
    assert (found["opt-link"].kind, found["opt-link"].target) == ("link", "/tmp/x")  # noqa: S108 - of the container
    assert [b"".join(found[f"srv/a/{name}"].blocks()) for name in "bc"] == [b"z\n", b"z\n"]
    assert found["usr/bin/cat"].mode == 0o755
    assert not [path for path in found if path.endswith(("x", "y", "pipe", "resolv.conf", "hostname"))]


def test_no_value_of_a_variable_becomes_anything_else(ran: Any) -> None:
    hostile = r"""x'; touch /pwned; " \$(touch /pwned) `touch /pwned` \\ && touch /pwned"""

    found = ran(f'ENV A="{hostile.replace(chr(34), chr(92) + chr(34))}"\nRUN printf %s "$A" > /a')

    assert b"".join(found["a"].blocks()).decode() == hostile.replace(r"\$", "$").replace(r"\\", "\\")
    assert "pwned" not in found


def test_a_command_that_fails_is_named_with_what_it_said(ran: Any) -> None:
    with pytest.raises(BuildError) as raised:
        ran("RUN true\n\nRUN echo before; echo no such thing >&2; exit 7")

    start, _, said = raised.value.message.partition(": ")
    assert start == "RUN of line 3 ended with exit code 7"
    assert sorted(said.splitlines()) == ["before", "no such thing"]
    assert "mmgit manifest create" in raised.value.hint


def test_commands_have_a_bound_and_leave_nothing(ran: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "TIMEOUT_SECONDS", 3.0)
    before = left()

    with pytest.raises(BuildError, match="took more than 0 minutes, up to RUN of line 1"):
        ran('RUN ["python3", "-c", "import time; time.sleep(120)"]')

    assert left() == before


def test_a_hard_link_to_a_file_of_the_base_is_refused(ran: Any) -> None:
    with pytest.raises(BuildError, match="hard link"):
        ran("RUN ln /usr/bin/cat /usr/bin/concatenate")


def test_a_name_that_is_not_utf_8_is_not_lost_in_silence(ran: Any) -> None:
    with pytest.raises(BuildError, match="whose name is not UTF-8"):
        ran(r"""RUN ["python3", "-c", "open(b'/usr/x\\xff', 'w')"]""")


def test_programs_of_another_machine_are_said_to_be_such(layout: Layout, tmp_path: Path) -> None:
    shell = file("bin/sh", elf_of(elf=(2, 1, 183)), is_executable=True)
    layer = write(plan("foreign", {}, lambda _: [shell]), layout)

    with pytest.raises(EngineError, match="cannot run steps for linux/arm64") as raised:
        steps.run_steps(layout, ground_of([layer], layout, "linux/arm64"), read(b"RUN true").runs, tmp_path)
    assert "platforms in mmgit.yaml" in raised.value.hint


def test_without_an_engine_the_error_says_how_to_go_on(
    lock: Lock, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")

    with pytest.raises(EngineError, match="need a Docker engine, and none answers") as raised:
        steps.run_steps(layout, Ground(PLATFORM, lock.index), [Run(1, ("true",), {})], tmp_path)
    assert "DOCKER_HOST" in raised.value.hint


def test_a_lost_layer_that_comes_out_the_same_is_the_locked_one(root: Path, lock: Lock, layout: Layout) -> None:
    layout.path(lock.platforms[PLATFORM].layers[1].digest).unlink()

    assert run(["build", "twice/1"]) == 0
    assert layout.has(lock.platforms[PLATFORM].layers[1])
    assert len(list(root.glob("models/twice/manifests/1/images/*.yaml"))) == 1


def test_a_lost_layer_that_comes_out_otherwise_is_never_locked_again(
    root: Path, layout: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "models/twice/scoring/steps.Dockerfile").write_text("RUN date +%s%N > /usr/when\n")
    assert run(["manifest", "create", "twice"]) == 0
    assert run(["build", "twice/2"]) == 0
    (path,) = root.glob("models/twice/manifests/2/images/*.yaml")
    locked = path.read_bytes()
    layout.path(lock_of(ImageSpec.read(reading.parse(locked))).platforms[PLATFORM].layers[1].digest).unlink()
    capsys.readouterr()

    ended = [run(["build", "twice/2"]), run(["image", "rebuild", "twice/2"])]

    said = capsys.readouterr().err
    assert ended == [8, 8]
    assert "layer 2 of linux/amd64 differs" in said
    assert "the steps made other bytes than sha256:" in said
    assert said.count("be it a comment, and mmgit manifest create NAME") == len(ended)
    assert path.read_bytes() == locked
