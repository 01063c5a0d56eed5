"""What a build says before it builds anything. Its registry answers nobody, so whatever asks it first is seen."""

from collections.abc import Callable
from contextlib import chdir
from pathlib import Path

import pytest

from mmgit.cli.releasing import failure_of
from mmgit.errors import BuildError
from mmgit.images.builder import Built
from tests.cli.conftest import Mmgit
from tests.cli.test_handing_over import BROKEN, SECOND, wait_for
from tests.cli.test_locking import Flow

NO_REGISTRY = "127.0.0.1:1/ml"
SERVICE, ENVIRONMENT = "environments/test/services/churn.yaml", "environments/test/environment.yaml"
BUILDING = f"building:\n  image: registry.example.com/mmgit@sha256:{'a' * 64}\n  registry_secret: pusher\n"
ADDRESS = "  repository: https://git.example.com/ml/models.git\n"
IN_A_CLUSTER = ("build", "--on", "kubernetes")


@pytest.fixture
def flow(tmp_path: Path, repository: Callable[..., Path]) -> Flow:
    return Flow(tmp_path, NO_REGISTRY, repository)


def append(flow: Flow, path: str, text: str) -> None:
    with (flow.builder / path).open("a") as file:
        file.write(text)
    flow.commit(flow.builder, "Declare more")


@pytest.mark.parametrize("option", [("--matrix",), ("--on", "kubernetes")])
def test_a_broken_declaration_is_not_taken_for_nothing_to_build(
    flow: Flow, mmgit: Mmgit, option: tuple[str, ...]
) -> None:
    append(flow, SERVICE, "replicsa: 2\n")

    with chdir(flow.builder):
        ended = mmgit("build", *option)

    assert (ended.code, ended.out) == (3, "")
    assert f"{SERVICE}:6:1: error M201" in ended.err


@pytest.mark.parametrize(
    ("line", "place", "said"),
    [
        ("parameters: {retries: many}", "13:16", "M509: parameter `retries`"),
        ("parameters: {retires: 2}", "13:16", "M509: blueprint `kubernetes/build` has no parameter `retires`"),
        ("blueprint: kubernetes/biuld", "13:3", "M500: there is no blueprint `kubernetes/biuld`"),
    ],
)
def test_check_refuses_where_a_cluster_would_build_before_anybody_does(
    flow: Flow, mmgit: Mmgit, line: str, place: str, said: str
) -> None:
    append(flow, ENVIRONMENT, f"{BUILDING}{ADDRESS}  {line}\n")

    with chdir(flow.builder):
        ended = mmgit("check")

    assert ended.code == 3, ended.err
    assert f"{ENVIRONMENT}:{place}: error {said}" in ended.err


def test_what_cannot_be_built_is_named_once_and_nothing_is_said_to_be_locked(flow: Flow, mmgit: Mmgit) -> None:
    with chdir(flow.builder):
        ended = mmgit("build", "churn/9")

    assert (ended.code, ended.out) == (2, "")
    assert "error: manifest churn/9 is not declared\n" in ended.err


def test_images_that_cannot_be_pushed_are_not_said_to_be_locked(flow: Flow, mmgit: Mmgit) -> None:
    wait_for(flow, SECOND, BROKEN)

    with chdir(flow.builder):
        ended = mmgit("build", BROKEN, "--push")

    assert (ended.code, ended.out) == (8, "")


def test_a_failure_names_the_manifest_that_it_is_of() -> None:
    of_another = failure_of(Built({}, {"churn/1": BuildError("manifest churn/10 is gone"), "b/1": BuildError("")}))

    assert of_another.message == "manifest churn/1: manifest churn/10 is gone (1 more failed)"


def test_pods_must_know_the_repository_before_registries_are_asked(flow: Flow, mmgit: Mmgit) -> None:
    append(flow, ENVIRONMENT, BUILDING)

    with chdir(flow.builder):
        ended = mmgit(*IN_A_CLUSTER)

    assert ended.code == 2
    assert "nobody says where pods get the declarations from" in ended.err


def test_pods_send_no_login_in_clear(flow: Flow, mmgit: Mmgit) -> None:
    append(flow, "mmgit.yaml", "forge: {kind: gitea, repository: ml/models, url: http://git.example.com}\n")
    append(flow, ENVIRONMENT, BUILDING)

    with chdir(flow.builder):
        ended = mmgit(*IN_A_CLUSTER)

    assert (ended.code, ended.out) == (2, "")
    assert "pods fetch by https alone, and the forge of mmgit.yaml is http://git.example.com/ml/models.git" in ended.err


def test_parameters_must_be_right_before_registries_are_asked(flow: Flow, mmgit: Mmgit) -> None:
    append(flow, ENVIRONMENT, BUILDING + ADDRESS + "  parameters: {parallelism: many}\n")

    with chdir(flow.builder):
        ended = mmgit(*IN_A_CLUSTER)

    assert ended.code == 3
    assert "parallelism" in ended.err


def test_what_is_right_is_followed_by_a_question_to_registries(flow: Flow, mmgit: Mmgit) -> None:
    append(flow, ENVIRONMENT, BUILDING + ADDRESS)

    with chdir(flow.builder):
        ended = mmgit(*IN_A_CLUSTER)

    assert (ended.code, ended.out) == (9, "")


def test_what_pods_shall_build_must_be_pushed(flow: Flow, mmgit: Mmgit) -> None:
    append(flow, ENVIRONMENT, BUILDING + ADDRESS)
    (flow.builder / SERVICE).unlink()

    with chdir(flow.builder):
        ended = mmgit(*IN_A_CLUSTER)

    assert ended.code == 7
    assert "git add -A && git commit && git push" in ended.err


@pytest.mark.parametrize(
    ("options", "message", "command"),
    [
        ("--on kubernetes --part 0/2", "--on does not go with --part", "mmgit build --on kubernetes"),
        ("--on kubernetes --push --locks x", "--on does not go with --push and --locks", "mmgit build --on kubernetes"),
        ("--on kubernetes --hand-over", "--on does not go with --hand-over", "mmgit build --on kubernetes"),
        ("--on kubernetes --matrix", "--on does not go with --matrix", "mmgit build --on kubernetes"),
        ("--matrix --part 0/2", "--matrix does not go with --part", "mmgit build --matrix"),
        ("--matrix --push", "--matrix does not go with --push", "mmgit build --matrix"),
        ("churn/1 --since HEAD", "--since does not go with manifests", "mmgit build --since REF"),
        ("--push --hand-over --locks x", "--hand-over does not go with --locks", "mmgit build --push --hand-over"),
    ],
)
def test_an_option_that_would_mean_nothing_is_refused(mmgit: Mmgit, options: str, message: str, command: str) -> None:
    ended = mmgit("build", *options.split())

    assert ended.code == 2
    assert f"error: {message}\n  hint: {command}\n" in ended.err
