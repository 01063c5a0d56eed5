"""A release compiles what it and what changed before touch; what comes of it is as if everything was compiled.

Layers below a manifest's own are made up and there beforehand; the registry is a small one on loopback.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mmgit import forked
from mmgit.cli import rendering
from mmgit.cli.main import _release_asked
from mmgit.cli.pushing import locked
from mmgit.images import layers
from mmgit.images.assemble import Assembler
from mmgit.images.evidence.provenance import MEDIA_TYPE as PROVENANCE
from mmgit.images.evidence.sbom import MEDIA_TYPE as SBOM
from mmgit.images.layout import Layout
from mmgit.images.recipes import locks_of, recipe_of
from mmgit.images.tar import Entry, file
from mmgit.lock import TAR
from mmgit.repository import layout as paths
from mmgit.repository.files import Root
from mmgit.repository.load import load
from tests.cli.test_crashes import BUDGETS, crashing, remember
from tests.cli.whole import compiled_whole, contents, settle
from tests.conftest import HEADER
from tests.images.conftest import FakeRegistry, fake_registry_running
from tests.images.evidence.signers import new_key, pkcs8

STAGING = "environments/staging"
SERVICE, OTHER = f"{STAGING}/services/churn.yaml", f"{STAGING}/services/other.yaml"
RENDERED = f"{STAGING}/rendered/default/churn.yaml"
KEYS = f'keys:\n  - {{name: primary, id: abcd, digest: "sha256:{"a" * 64}"}}\n'
CLUSTER = """kind: Environment
target: kubernetes
registry: {registry}/team
accepts: build
namespace: ml
host: ml.example.com
gateway: {{name: infra/public}}
"""
RELEASE = ("release", "churn", "--env", "staging")
Mmgit = Callable[..., Any]


@pytest.fixture(autouse=True)
def one_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """So what is compiled is seen, and crashes, in this process."""
    monkeypatch.setattr(forked, "processors", lambda: 1)


@pytest.fixture
def registry() -> Iterator[FakeRegistry]:
    yield from fake_registry_running()


@pytest.fixture
def root(here: Callable[..., Path], git: Callable[..., str], registry: FakeRegistry, mmgit: Mmgit) -> Path:
    """Two services run the first version in a cluster; one of them waits for the second, which is not built."""
    waiting = HEADER + "kind: Service\nnext: churn/1\n" + KEYS
    root = here(
        {
            ".gitignore": "/.mmgit/\n",
            f"{STAGING}/environment.yaml": HEADER + CLUSTER.format(registry=registry.host),
            "environments/dev/environment.yaml": HEADER + "kind: Environment\ntarget: process\n",
            SERVICE: waiting,
            OTHER: waiting,
        }
    )
    git("init", "-q")
    put_lower_layers(root, "churn/1")
    assert mmgit("release", "--env", "staging").code == 0
    git("add", "-A")
    git("commit", "-q", "-m", "Begin")
    assert mmgit("compile").code == 0
    register(root, 2)
    assert mmgit("service", "update", "churn", "--env", "staging", "--manifest", "churn/2").code == 0
    settle()
    return root


def put_lower_layers(root: Path, manifest: str) -> None:
    source = load(Root(root)).source
    assert source
    recipe, sources = recipe_of(Root(root), source, manifest)
    images = Layout(root / paths.LAYOUT)
    for plan in Assembler(images).plans(recipe, sources())["linux/amd64"]:
        if plan.is_assembled:
            layers.write(replace(plan, entries=partial(_made_up, plan.name)), images)


def _made_up(name: str, _: Path) -> list[Entry]:
    return [file(name, b"made up")]


def register(root: Path, number: int) -> None:
    """Another version of the model, and a manifest of it."""
    model, data = root / "models/churn", b"%d" % number
    version, manifest = model / f"versions/{number}", model / f"manifests/{number}"
    version.mkdir()
    (version / "model.bin").write_bytes(data)
    row = f'{{path: model.bin, sha256: "{hashlib.sha256(data).hexdigest()}", size: {len(data)}}}'
    (version / "version.yaml").write_text(f"{HEADER}kind: ModelVersion\nfiles:\n  - {row}\n")
    shutil.copytree(model / "manifests/1", manifest, ignore=shutil.ignore_patterns("images"))
    declared = (manifest / "manifest.yaml").read_text().replace("churn/1", f"churn/{number}")
    (manifest / "manifest.yaml").write_text(declared)


def test_a_release_compiles_what_it_touches_to_the_same_bytes(
    root: Path, mmgit: Mmgit, checked: list[Collection[str] | None]
) -> None:
    whole = compiled_whole(root, *RELEASE)
    assert checked == [None]

    ended = mmgit(*RELEASE)

    assert ended.code == 0, ended.err
    assert checked == [None, [SERVICE]]
    assert contents(root) == whole
    assert b"churn/2" in whole[RENDERED]


def test_a_model_that_the_project_refuses_is_not_built(root: Path, mmgit: Mmgit, registry: FakeRegistry) -> None:
    version = root / "models/churn/versions/2/version.yaml"
    version.write_text(version.read_text().replace("size: 1}", "size: 1, format: pickle}"))
    with (root / "mmgit.yaml").open("a") as project:
        project.write("policies: {formats: {pickle: refuse}}\n")
    before = (contents(root / paths.LAYOUT), dict(registry.manifests))

    ended = mmgit(*RELEASE)

    assert ended.code == 3
    assert "models/churn/versions/2/version.yaml:4:5: error M326: model churn/2: `model.bin` is pickle" in ended.err
    assert (contents(root / paths.LAYOUT), dict(registry.manifests)) == before


def test_a_child_compiles_it_where_there_is_a_processor_for_that(
    root: Path, mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch, checked: list[Collection[str] | None]
) -> None:
    whole = compiled_whole(root, *RELEASE)
    monkeypatch.setattr(forked, "processors", lambda: 2)
    checked.clear()

    ended = mmgit(*RELEASE)

    assert ended.code == 0, ended.err
    assert checked == []  # not in this process
    assert contents(root) == whole


def test_what_a_child_fails_to_compile_is_compiled_with_everything(
    root: Path, mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch, checked: list[Collection[str] | None]
) -> None:
    whole = compiled_whole(root, *RELEASE)
    monkeypatch.setattr(forked, "processors", lambda: 2)
    monkeypatch.setattr(rendering, "packed", lambda _: 1 / 0)
    checked.clear()

    ended = mmgit(*RELEASE)

    assert ended.code == 0, ended.err
    assert checked == [None]
    assert contents(root) == whole


def test_what_was_changed_before_is_compiled_with_it(root: Path, mmgit: Mmgit) -> None:
    with (root / OTHER).open("a") as other:
        other.write("queue: 20\n")
    whole = compiled_whole(root, *RELEASE)

    assert mmgit(*RELEASE).code == 0

    assert contents(root) == whole


def test_a_compile_after_a_release_has_nothing_to_do(
    root: Path, mmgit: Mmgit, checked: list[Collection[str] | None]
) -> None:
    assert mmgit(*RELEASE).code == 0
    before = contents(root)
    checked.clear()

    ended = mmgit("compile")

    assert (ended.code, ended.out) == (0, "0 files written, 0 removed, 2 in all\n")
    assert None not in checked
    assert contents(root) == before


def kinds(registry: FakeRegistry) -> set[str]:
    """What lies beside images in a registry."""
    found = [json.loads(data) for data in registry.manifests.values()]
    return {each["artifactType"] for each in found if "subject" in each}


@pytest.mark.parametrize(
    ("asks", "beside"), [("", set()), ("promotion: {from: staging, require: [sbom]}\n", {SBOM, PROVENANCE})]
)
def test_it_says_what_an_image_holds_where_an_environment_asks(
    root: Path, mmgit: Mmgit, registry: FakeRegistry, asks: str, beside: set[str]
) -> None:
    live = root / "environments/production/environment.yaml"
    live.parent.mkdir()
    live.write_text(HEADER + CLUSTER.format(registry=registry.host).replace("accepts: build\n", asks))
    assert mmgit("compile").code == 0
    settle()

    ended = mmgit(*RELEASE)

    assert ended.code == 0, ended.err
    assert kinds(registry) == beside


def test_a_key_signs_later_what_was_released_without_a_word(
    root: Path, mmgit: Mmgit, registry: FakeRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert root
    assert mmgit(*RELEASE).code == 0
    monkeypatch.setenv("MMGIT_SIGNING_KEY", pkcs8(new_key()))

    ended = mmgit("image", "sign", "churn", "--env", "staging")

    assert ended.code == 0, ended.err
    assert {SBOM, PROVENANCE} < kinds(registry)
    assert mmgit("image", "verify", "churn", "--env", "staging").code == 0


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("budget", BUDGETS)
def test_a_release_that_crashes_is_made_or_not(root: Path, mmgit: Mmgit, registry: FakeRegistry, budget: int) -> None:
    there, old = dict(registry.manifests), contents(root)
    whole = compiled_whole(root, *RELEASE)
    moved = {path for path in whole if whole[path] != old.get(path)}

    def forget_and_remember() -> None:
        registry.manifests.clear()
        registry.manifests.update(there)
        remember()

    for folder, step in crashing(root, budget, *RELEASE, prepare=forget_and_remember, is_partly=True):
        now = contents(folder)
        assert all(now.get(path) in (old.get(path), whole[path]) for path in moved), step
        assert registry.manifests.keys() > there.keys() or now[SERVICE] == old[SERVICE], step

        ended = mmgit(*RELEASE)

        assert ended.code == 0, (step, ended.err)
        assert contents(folder) == whole, step
        assert mmgit("compile", "--check").code == 0, step


def test_another_environment_that_changed_has_everything_compiled(
    root: Path, mmgit: Mmgit, checked: list[Collection[str] | None]
) -> None:
    with (root / f"{STAGING}/environment.yaml").open("a") as environment:
        environment.write("defaults: {queue: 7}\n")
    whole = compiled_whole(root, *RELEASE)
    checked.clear()

    assert mmgit(*RELEASE).code == 0

    assert checked == [None]
    assert contents(root) == whole


def test_an_error_in_a_file_that_changed_stops_it_before_anything_is_pushed(
    root: Path, mmgit: Mmgit, registry: FakeRegistry
) -> None:
    (root / OTHER).write_text("kind: Nonsense\n")
    before = contents(root)
    registry.asked.clear()

    ended = mmgit(*RELEASE)

    assert ended.code == 3
    assert OTHER in ended.err + ended.out
    assert registry.asked == []
    assert contents(root) == before


def test_a_rendered_file_edited_by_hand_is_not_overwritten(root: Path, mmgit: Mmgit) -> None:
    with (root / RENDERED).open("a") as rendered:
        rendered.write("# by hand\n")
    before = contents(root)

    ended = mmgit(*RELEASE)

    assert ended.code == 3
    assert "M901" in ended.err + ended.out
    assert contents(root) == before


@pytest.mark.parametrize("fault", [("PUT", "/manifests/", 403), ("GET", "/manifests/", 404)])
def test_no_pin_moves_when_the_registry_does_not_have_the_image(
    root: Path, mmgit: Mmgit, registry: FakeRegistry, fault: tuple[str, str, int]
) -> None:
    before = contents(root)
    registry.faults.append(fault)

    ended = mmgit(*RELEASE)

    assert ended.code == 9
    assert contents(root) == before
    assert mmgit(*RELEASE).code == 0


def test_layers_that_only_locks_of_others_name_are_pulled(
    root: Path, mmgit: Mmgit, registry: FakeRegistry, checked: list[Collection[str] | None]
) -> None:
    other = root / "models/other"
    shutil.copytree(root / "models/churn", other, ignore=shutil.ignore_patterns("2", "versions", "scoring"))
    (root / OTHER).write_text((root / OTHER).read_text().replace("churn/1", "other/1"))
    (root / SERVICE).write_text(HEADER + "kind: Service\nnext: churn/2\n" + KEYS)
    settle()
    assert mmgit("compile").code == 0
    source = load(Root(root)).source
    assert source
    (lock,) = locks_of(source).values()
    lower = [layer for layer in lock.platforms["linux/amd64"].layers if layer.media_type != TAR][:2]
    images = Layout(root / paths.LAYOUT)
    for layer in lower:
        images.path(layer.digest).unlink()
    registry.asked.clear()
    checked.clear()

    ended = mmgit(*RELEASE)

    assert ended.code == 0, ended.err
    assert checked == [[SERVICE]]
    assert {f"GET /v2/team/churn/blobs/{layer.digest}" for layer in lower} <= {*registry.asked}


def test_a_repository_that_refuses_us_keeps_no_layer_of_another_away(
    root: Path, mmgit: Mmgit, registry: FakeRegistry
) -> None:
    shutil.copytree(root / "models/churn", root / "models/other", ignore=shutil.ignore_patterns("manifests"))
    images = Layout(root / paths.LAYOUT)
    source = load(Root(root)).source
    assert source
    (lock,) = locks_of(source).values()
    for layer in [layer for layer in lock.platforms["linux/amd64"].layers if layer.media_type != TAR][:2]:
        images.path(layer.digest).unlink()
    settle()
    registry.asked.clear()
    registry.faults.append(("GET", "/blobs/", 403))

    ended = mmgit(*RELEASE)

    assert ended.code == 0, ended.err
    asked = [each.split("/") for each in registry.asked if each.startswith("GET ") and "/blobs/" in each]
    assert {words[3] for words in asked} == {"churn", "other"}


def test_two_environments_of_one_registry_are_asked_for_once(root: Path, mmgit: Mmgit, registry: FakeRegistry) -> None:
    assert mmgit(*RELEASE).code == 0
    shutil.copytree(root / "environments/staging", root / "environments/second")
    source = load(Root(root)).source
    assert source
    registry.asked.clear()

    found = locked(source, "churn/2", ("staging", "second"))

    assert found
    assert len(registry.asked) == len({*registry.asked})


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("churn --env staging", ("staging", ("churn",))),
        ("--env staging", ("staging", ())),
        ("a --env staging b", ("staging", ("a", "b"))),
        ("churn", None),
        ("churn --env", None),
        ("churn --env -x", None),
        ("churn --env a --env b", None),
        ("churn --env=staging", None),
        ("--help --env staging", None),
        ("-- churn --env staging", None),
    ],
)
def test_what_is_asked_in_the_plain_way_needs_no_parser(words: str, asked: object) -> None:
    assert _release_asked(words.split()) == asked


def test_the_parser_and_the_plain_way_do_the_same(root: Path, mmgit: Mmgit) -> None:
    folder = root.with_name("parsed")
    shutil.copytree(root, folder, symlinks=True)

    plain, parsed = mmgit(*RELEASE), mmgit("-C", str(folder), "release", "churn", "--env=staging")

    assert (plain.code, plain.out) == (parsed.code, parsed.out)
    assert contents(root) == contents(folder)
    assert mmgit("release", "nobody", "--env", "staging").code == mmgit("release", "nobody", "--env=staging").code == 2


def test_who_builds_imports_nothing_that_checks_or_compiles() -> None:
    needed = "mmgit.cli.releasing, mmgit.cli.rendering, mmgit.cli.workplace, mmgit.edits.locks, mmgit.formats.policy"
    slow = "{'click', 'datetime', 'mmgit.checks', 'mmgit.pipeline', 'mmgit.render', 'jsonschema_rs'}"
    code = f"import sys, {needed}; print(sorted({slow} & set(sys.modules)))"

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout == "[]\n"
