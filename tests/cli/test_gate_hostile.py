"""`mmgit gate` and `mmgit plan` on changes of somebody who wants more than a reviewer sees."""

import json
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmgit.cli import reviewing
from mmgit.repository.header import with_header
from mmgit.review.gates import Approvals
from tests.formats.hostile import BY_HAND

Mmgit = Callable[..., Any]

FAILED = 14
PRODUCTION = Path("environments/production/environment.yaml")
SERVICE = Path("environments/production/services/digits.yaml")
STAGING = Path("environments/staging/services/digits.yaml")
RENDERED = Path("environments/production/rendered/default/digits.yaml")


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout.strip()


def commit(message: str) -> str:
    git("add", "--all")
    git("commit", "--quiet", f"--message={message}")
    return git("rev-parse", "HEAD")


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)


def pins(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line.startswith(("manifest:", "image:"))]


def without_pin(path: Path) -> str:
    return "".join(f"{line}\n" for line in path.read_text().splitlines() if line not in pins(path))


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copy_of_ours: Callable[[Path], Path]) -> Path:
    """A copy of this project, all committed; the current folder is in it."""
    root = copy_of_ours(tmp_path / "copy")
    monkeypatch.chdir(root)
    return root


def verdicts(mmgit: Mmgit, commits: str = "HEAD~..HEAD") -> dict[str, dict[str, Any]]:
    found = json.loads(mmgit("gate", commits, "--format", "json").out)
    return {verdict["gate"]: verdict for verdict in found}


@pytest.fixture
def worse(root: Path, mmgit: Mmgit) -> Path:
    """Staging runs the worse digits/1, production digits/2 behind a gate for what it may lose."""
    append(PRODUCTION, "promotion: {from: staging, metrics: {accuracy: {max_loss: 0.001}}}\n")
    mmgit("service", "update", "digits", "--env", "staging", "--manifest", "digits/1", "--unverified")
    mmgit("compile")
    commit("Try digits/1 in staging")
    return root


@pytest.mark.parametrize("group", ["", "other/"])
@pytest.mark.parametrize("is_gone", [True, False])
@pytest.mark.usefixtures("worse")
def test_a_pin_that_was_away_is_compared_with_what_ran_last(mmgit: Mmgit, group: str, is_gone: bool) -> None:  # noqa: FBT001 - a parameter of the test
    text = without_pin(SERVICE)
    if is_gone or group:
        SERVICE.unlink()
    else:
        SERVICE.write_text(text + "next: digits/2\n")
    mmgit("compile")
    commit("Stop digits")
    again = SERVICE.parent / f"{group}digits.yaml"
    again.parent.mkdir(exist_ok=True)
    again.write_text("\n".join([text.rstrip(), *pins(STAGING)]) + "\n")
    mmgit("compile")
    commit("Begin again")

    found = verdicts(mmgit)

    assert (found["route"]["state"], found["metrics"]["state"]) == ("passed", "failed")
    assert "was 0.984" in found["metrics"]["text"]
    assert "ran last  digits/2 (model digits/2)" in mmgit("plan", "HEAD~..HEAD").out


@pytest.mark.usefixtures("worse")
def test_a_service_that_never_ran_is_compared_with_nothing(mmgit: Mmgit) -> None:
    for environment in ("staging", "production"):
        folder = Path(f"environments/{environment}/services")
        (folder / "digits-new.yaml").write_text(STAGING.read_text())
    mmgit("compile")
    commit("A new service")

    found = verdicts(mmgit)

    assert "metrics" not in found
    assert "ran last" not in mmgit("plan", "HEAD~..HEAD").out


@pytest.mark.usefixtures("worse")
def test_a_shallow_clone_that_cannot_tell_what_ran_last_is_refused(
    mmgit: Mmgit, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("environments/production/services/digits-new.yaml").write_text(STAGING.read_text())
    commit("A new service")
    git("clone", "--quiet", "--depth=2", f"file://{root}", str(tmp_path / "shallow"))
    monkeypatch.chdir(tmp_path / "shallow")

    ended = mmgit("gate", "HEAD~..HEAD")

    assert ended.code == 7
    assert "git fetch --unshallow origin" in ended.err


def forge_rendered() -> None:
    body = RENDERED.read_bytes().partition(b"\n")[2].replace(b"sha256:", b"sha256:0", 1)
    RENDERED.write_bytes(with_header(body))


def link_rendered() -> None:
    RENDERED.rename("environments/production/elsewhere.yaml")
    RENDERED.symlink_to("../../elsewhere.yaml")


def add(path: str) -> None:
    file = RENDERED.parent.parent / path
    file.parent.mkdir(exist_ok=True)
    file.write_text("x")


def add_module() -> None:
    git("update-index", "--add", "--cacheinfo", f"160000,{git('rev-parse', 'HEAD')},{RENDERED.parent}/module")


def leave_behind() -> None:
    SERVICE.unlink()


HOSTILE: dict[str, Callable[[], Any]] = {
    "an image under a good header": forge_rendered,
    "an image under the old header": lambda: append(RENDERED, "# more\n"),
    "a further file": lambda: RENDERED.with_name("more.yaml").write_text("kind: ClusterRoleBinding\n"),
    "a file in a further folder": lambda: add("more/x.txt"),
    "a file that nobody renders there": lambda: add("kustomization.yaml"),
    "a link": link_rendered,
    "a declaration that was not compiled": lambda: append(SERVICE, "queue: 3\n"),
    "a service whose objects stay": leave_behind,
    "objects that are gone": RENDERED.unlink,
    "another spelling": lambda: RENDERED.with_name("Digits.yaml").write_text(RENDERED.read_text()),
    "what a controller starts from": lambda: append(
        Path("environments/production/controllers/flux/bootstrap.yaml"), "# more\n"
    ),
    "a proxy on compose": lambda: append(Path("environments/dev/rendered/compose.yaml"), "# more\n"),
    "a further file on compose": lambda: Path("environments/dev/rendered/compose.override.yaml").write_text("x"),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.usefixtures("root")
def test_what_is_rendered_must_be_what_the_declarations_of_the_change_make(
    mmgit: Mmgit, change: Callable[[], Any]
) -> None:
    change()
    commit("A small change")

    ended = mmgit("gate", "HEAD~..HEAD")

    assert ended.code == FAILED
    assert "✗ rendered" in ended.out


@pytest.mark.usefixtures("root")
def test_a_module_among_what_is_rendered_fails(mmgit: Mmgit) -> None:
    add_module()
    git("commit", "--quiet", "--message=A module")

    assert "rendered/default/module" in verdicts(mmgit)["rendered"]["text"]


@pytest.mark.parametrize(
    "files", [("services/new/digits.yaml",), ("services/digits.yaml",), ("environment.yaml",)], ids=lambda each: each[0]
)
@pytest.mark.usefixtures("root")
def test_whatever_is_compiled_passes(mmgit: Mmgit, files: tuple[str, ...]) -> None:
    for file in files:
        path = Path("environments/production") / file
        if path.exists():
            append(path, "queue: 3\n" if "services" in file else "defaults: {queue: 3}\n")
        else:
            path.parent.mkdir()
            path.write_text(SERVICE.read_text())
            SERVICE.unlink()
    for environment in ("staging", "dev"):
        append(Path(f"environments/{environment}/services/digits.yaml"), "queue: 4\n")
    mmgit("compile")
    commit("Compiled")

    assert "rendered" not in verdicts(mmgit)


@pytest.fixture
def top(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same project in a subfolder of its git repository, whose top this is."""
    top = tmp_path / "top"
    (top / "products").mkdir(parents=True)
    root.rename(top / "products/ml")
    (top / "products/ml/.git").rename(top / ".git")
    monkeypatch.chdir(top / "products/ml")
    git("-C", str(top), "add", "--all")
    commit("Move")
    return top


@pytest.mark.parametrize(
    ("path", "topic"),
    [
        (".github/workflows/new.yml", "workflows"),
        (".gitea/workflows/new.yml", "workflows"),
        (".forgejo/workflows/new.yml", "workflows"),
        ("CODEOWNERS", "owners"),
        (".forgejo/CODEOWNERS", "owners"),
        ("products/.gitattributes", "workflows"),
    ],
)
def test_rules_outside_of_a_project_in_a_subfolder_are_rules(mmgit: Mmgit, top: Path, path: str, topic: str) -> None:
    (top / path).parent.mkdir(parents=True, exist_ok=True)
    (top / path).write_text("* @mallory\n")
    (top / "unrelated.txt").write_text("x\n")

    in_work_tree = mmgit("plan", "HEAD..").out
    git("-C", str(top), "add", "--all")
    commit("Rules")
    committed = mmgit("plan", "HEAD~..HEAD").out

    for out in (in_work_tree, committed):
        assert f"  ! {topic}: {path} (outside of the project)" in out
        assert "unrelated" not in out


ACKNOWLEDGED = "Acknowledge-Blast-Radius"


def test_who_acknowledges_a_blast_radius_does_not_approve_it(
    root: Path, mmgit: Mmgit, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(root / "mmgit.yaml", "policies: {blast_radius: {services: 0}}\n")
    commit("Policy")
    append(STAGING, "queue: 3\n")
    mmgit("compile")
    commit("More")
    trailer = verdicts(mmgit)["blast radius"]["text"].rpartition("must say: ")[2]
    git("commit", "--quiet", "--amend", f"--message=More\n\n{trailer}")
    states = {}

    for people in ((), ("grace",)):
        monkeypatch.setattr(reviewing, "approvals_of", lambda *_, people=people: Approvals(people))
        found = json.loads(mmgit("gate", "HEAD~..HEAD", "--pull-request", "1", "--format", "json").out)
        states[people] = [(verdict["gate"], verdict["state"]) for verdict in found]
    nobody_asked = verdicts(mmgit)["blast radius"]

    assert trailer.startswith(f"{ACKNOWLEDGED}: ")
    assert states == {(): [("blast radius", "waiting")], ("grace",): [("blast radius", "passed")]}
    assert nobody_asked["state"] == "waiting"
    assert "somebody else must approve" in nobody_asked["text"]


@pytest.mark.parametrize(
    ("data", "state"), [(b"\x80\x04}.", FAILED), (b"cos\nsystem\n(S'x'\ntR.", FAILED), (b"PK\x03\x04", 0)]
)
@pytest.mark.usefixtures("root")
def test_a_format_is_refused_by_what_a_model_holds(mmgit: Mmgit, data: bytes, state: int) -> None:
    append(Path("mmgit.yaml"), "policies: {formats: {pickle: refuse}}\n")
    commit("Policy")
    mmgit("service", "update", "digits", "--env", "staging", "--manifest", "digits/1", "--unverified")
    mmgit("compile")
    Path("models/digits/versions/1/digits.skops").write_bytes(data)
    commit("Another model")

    ended = mmgit("gate", "HEAD~..HEAD")

    assert ended.code == state
    assert ("digits.skops is pickle, which is refused" in ended.out) == (state == FAILED)


@pytest.mark.parametrize("packed", [bytes, zlib.compress])
@pytest.mark.usefixtures("root")
def test_a_model_that_runs_code_is_stopped_whatever_was_recorded(
    mmgit: Mmgit, packed: Callable[[bytes], bytes]
) -> None:
    mmgit("service", "update", "digits", "--env", "staging", "--manifest", "digits/1", "--unverified")
    mmgit("compile")
    Path("models/digits/versions/1/digits.skops").write_bytes(packed(BY_HAND["STACK_GLOBAL"]))
    commit("Another model")

    ended = mmgit("gate", "HEAD~..HEAD")

    assert ended.code == FAILED
    assert "digits.skops is pickle: loading it imports posix:system" in ended.out


@pytest.mark.parametrize("data", ["a file that is written by an array", "the text that a distribution of SciPy runs"])
@pytest.mark.usefixtures("root")
def test_a_model_that_runs_code_by_harmless_names_is_stopped(mmgit: Mmgit, data: str) -> None:
    mmgit("service", "update", "digits", "--env", "staging", "--manifest", "digits/1", "--unverified")
    mmgit("compile")
    Path("models/digits/versions/1/digits.skops").write_bytes(BY_HAND[data])
    commit("Another model")

    ended = mmgit("gate", "HEAD~..HEAD")

    assert ended.code == FAILED
    assert "digits.skops is pickle: what loading it does cannot be told" in ended.out


@pytest.mark.parametrize(
    ("policies", "state"), [("{}", FAILED), ("{formats: {pickle: warn}}", FAILED), ("{formats: {pickle: allow}}", 0)]
)
@pytest.mark.usefixtures("root")
def test_a_model_that_was_recorded_to_run_code_is_stopped(mmgit: Mmgit, policies: str, state: int) -> None:
    append(Path("mmgit.yaml"), f"policies: {policies}\n")
    commit("Policy")
    mmgit("service", "update", "digits", "--env", "staging", "--manifest", "digits/1", "--unverified")
    mmgit("compile")
    version = Path("models/digits/versions/1/version.yaml")
    record = ", format: pickle, imports: ['os:system']}"
    version.write_text(version.read_text().replace("size: 14393}", f"size: 14393{record}"))
    commit("Another model")

    ended = mmgit("gate", "HEAD~..HEAD")

    assert ended.code == state
    assert ("loading it imports os:system" in ended.out) == (state == FAILED)


def link_services() -> None:
    SERVICE.parent.rename("environments/production/elsewhere")
    SERVICE.parent.symlink_to("../staging/services")


def link_model() -> None:
    Path("models/digits").rename("models/digits-moved")
    Path("models/digits").symlink_to("digits-moved")


def link_project() -> None:
    Path("mmgit.yaml").unlink()
    Path("mmgit.yaml").symlink_to("/etc/passwd")


def spell(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(SERVICE.read_text())


def add_memo() -> None:
    spell(".mmgit/oci/memo/0")
    git("add", "--force", ".mmgit")


SEEMING: dict[str, Callable[[], Any]] = {
    "a link to a service": lambda: SERVICE.with_name("link.yaml").symlink_to("../../dev/services/digits.yaml"),
    "a link to a folder of services": link_services,
    "a link to a model": link_model,
    "a link beside what mmgit reads": lambda: Path("environments/production/link").symlink_to("/etc"),
    "a link instead of the project": link_project,
    "another spelling of a folder": lambda: spell("environments/production/Services/digits.yaml"),
    "another spelling of the first folder": lambda: spell("Environments/production/services/digits.yaml"),
    "another spelling of a service": lambda: spell("environments/production/services/Digits.yaml"),
    "another spelling of the project": lambda: spell("MMGIT.yaml"),
    "a file that builds believe": add_memo,
    "another spelling of mmgit's own folder": lambda: spell(".MMGIT/oci/memo/0"),
    "a link instead of mmgit's own folder": lambda: Path(".mmgit").symlink_to("models"),
    "another spelling of what is rendered": lambda: spell("environments/production/Rendered/default/digits.yaml"),
}


@pytest.mark.parametrize("change", SEEMING.values(), ids=SEEMING.keys())
@pytest.mark.usefixtures("root")
def test_links_and_other_spellings_never_pass(mmgit: Mmgit, change: Callable[[], Any]) -> None:
    change()
    commit("A small change")

    ended = mmgit("gate", "HEAD~..HEAD")

    assert ended.code in (3, 6, FAILED)
    assert "link" in ended.out + ended.err or "✗ paths" in ended.out or "no name" in ended.err


@pytest.mark.parametrize(
    "path",
    [
        *("environments/production/services/module", "environments/production/module", "environments/module"),
        *("models/module", "models/digits/versions/9", "blueprints/module", "bases/module"),
    ],
)
@pytest.mark.usefixtures("root")
def test_modules_never_pass(mmgit: Mmgit, path: str) -> None:
    git("update-index", "--add", "--cacheinfo", f"160000,{git('rev-parse', 'HEAD')},{path}")
    git("commit", "--quiet", "--message=A module")

    ended = mmgit("gate", "HEAD~..HEAD")

    assert ended.code in (3, 6, FAILED)
    assert path.rpartition("/")[2] in ended.out + ended.err


@pytest.mark.parametrize(
    "name", ["-x", "--output=x", "--upload-pack=touch x", "refs/heads/..", "main\nHEAD", ":/B", "a" * 5000]
)
@pytest.mark.usefixtures("root")
def test_a_hostile_name_of_a_commit_is_only_looked_up(mmgit: Mmgit, name: str) -> None:
    before = git("status", "--porcelain", "--ignored")

    codes = {mmgit("plan", "--", f"{name}^..HEAD").code, mmgit("gate", "--", f"HEAD..{name}").code}

    assert codes <= {2, 7}
    assert git("status", "--porcelain", "--ignored") == before
