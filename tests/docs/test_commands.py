"""Every command in the documents is run: on this project's own declarations, or by a test that has what it needs."""

import ast
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docs.test_documents import commands

TESTS = Path(__file__).parents[1]

ENDS = {
    r"(check|compile|gate|plan|portal|migrate|manifest create|clients|service (alerts|dashboard|update|keys))\b": (
        0,
        "",
    ),
    r"plan HEAD~1": (7, "no commit `HEAD~1`"),
    r"(plan|gate) main..HEAD": (13, "no token for github.com"),
    r"service keys .*--regen|service create": (2, "a new key is shown on a terminal only"),
    r"service update .*--handed-over": (2, "declares no handover"),
    r"env create staging": (2, "declared already"),
    r"telemetry": (20, "nothing is recorded"),
    r"telemetry show$": (2, "which environment is meant?"),
    r"telemetry show .*--store s3:": (20, "s3://telemetry/prod cannot be read"),
}
"""How a command ends here, by the last of these that it begins with: exit code, and a part of what it says."""

ELSEWHERE = {
    "cli/test_bases.py::test_a_base_is_locked_to_an_image_and_checked_without_a_network": (r"base update .*--image",),
    "cli/test_bases.py::test_a_base_is_locked_to_packages_of_another_suite": (r"base update .*--(suite|package)",),
    "docs/test_walk.py::test_the_tutorial_goes_as_it_says": (
        r"(new|base update|up|down|serve)\b|(service create|release|clients|telemetry (show|report)) iris --env dev",
        r"service run|model register iris model.skops -f",
    ),
    "cli/test_dependencies.py::"
    "test_a_project_is_locked_from_a_private_index_and_a_package_without_a_wheel_is_built_where_it_is_named": (
        r"(model register|manifest create) .*--(extra|sdist)",
    ),
    "cli/test_telemetry.py::test_a_version_is_compared_with_the_reference_that_it_declares": (
        r"model register .*--reference",
    ),
    "cli/test_runtime_options.py::test_a_model_of_spark_is_registered_and_what_lacks_java_says_so": (
        r"model register .*--runtime spark-py",
    ),
    "cli/test_runtime_options.py::test_a_booster_is_registered_checked_and_served": (r"model register .*--runtime",),
    "cli/test_model_artifacts.py::test_a_version_is_pushed_and_pulled_and_registered_from_there": (
        r"model (push|pull)\b",
    ),
    "cli/test_manifests.py::test_model_files_are_kept_out_of_the_image_until_somebody_says_otherwise": (
        r"manifest create .*--volume",
    ),
    "cli/test_manifests.py::test_an_image_is_customised_by_a_docker_file_that_git_keeps": (
        r"model register .*--docker-file",
    ),
    "cli/test_edge.py::test_a_service_is_created_compiled_and_deployed_by_the_commands_that_are_printed": (
        r"(env create|env bootstrap) plant|service create churn --env plant",
    ),
    "local/test_edge.py::test_a_module_answers_who_has_a_key_and_refuses_all_others": (r"release churn --env plant",),
    "cli/test_model_scanning.py::test_a_registered_version_is_scanned_by_its_bytes": (r"model scan\b",),
    "cli/test_models.py::test_registering_a_model_says_both_numbers_and_what_to_type_next": (r"model register",),
    "cli/test_logs.py::test_one_request_is_found_by_its_id_also_where_several_were_scored_at_once": (r"service logs",),
    "cluster/test_status.py::test_a_status_says_of_every_service_how_it_runs_and_why_not": (r"status\b",),
    "cluster/test_status.py::test_what_flux_applied_is_no_difference_and_the_doctor_names_the_commit": (
        r"(diff|env doctor)\b",
    ),
    "cli/test_trying.py::test_a_change_says_which_predictions_change": (r"try\b",),
    "cli/test_vouching.py::test_what_nobody_signed_is_said_and_can_be_signed_later": (r"image (sign|verify)\b",),
    "cli/test_promoting_images.py::test_an_image_goes_from_one_real_registry_to_another_that_wants_a_login": (
        r"promote .*--images",
    ),
    "cluster/test_pull_request.py::test_a_version_is_reviewed_served_promoted_and_taken_back_and_no_request_fails": (
        r"(promote|rollback)\b|release iris --env staging",
    ),
    "cli/test_locking.py::test_the_matrix_names_what_environments_that_accept_builds_wait_for": (r"build --matrix",),
    "cli/test_handing_over.py::test_parts_that_others_build_are_locked_together": (
        r"build .*--hand-over",
        r"lock --from-registry",
    ),
    "cli/test_locking.py::test_what_one_clone_builds_and_pushes_another_one_locks": (r"(build|lock)\b",),
    "cli/test_retraining.py::test_requirements_are_locked_with_what_they_are_a_lock_of": (r"retrain .*--(lock|dry)",),
    "cli/test_retraining.py::test_on_the_remote_it_gets_the_next_number_there_and_nothing_changes_here": (
        r"retrain\b",
    ),
}
"""A test -> the commands that it runs, as they need a server, a network or a model."""


def elsewhere(line: str) -> str | None:
    return next((test for test, begins in ELSEWHERE.items() if any(re.match(each, line) for each in begins)), None)


def ours(word: str) -> str:
    """A word with a model of this project in the place of the document's."""
    word = re.sub(r"^(?:iris|churn)$", "digits", word)
    return re.sub(r"^(?:iris|churn)/(\d)$", lambda found: f"digits/{1 if found[1] in '13' else 2}", word)


LINES = [line.removeprefix("mmgit ") for line in commands("mmgit")]


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory, copy_of_ours: Callable[[Path], Path]) -> Path:
    return copy_of_ours(tmp_path_factory.mktemp("declared") / "ours")


@pytest.mark.parametrize("line", [line for line in LINES if not elsewhere(line)])
def test_a_command_in_the_documents_ends_as_it_should(line: str, declared: Path, tmp_path: Path) -> None:
    root = tmp_path / "ours"
    shutil.copytree(declared, root)
    own = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(TESTS.parent)}
    typed = [ours(word) for word in shlex.split(line, comments=True)]

    done = subprocess.run(
        [sys.executable, "-m", "mmgit", *typed], cwd=root, env=own, capture_output=True, text=True, check=False
    )

    code, words = next(end for begins, end in reversed(ENDS.items()) if re.match(begins, line))
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr


@pytest.mark.parametrize("test", ELSEWHERE)
def test_a_test_that_runs_commands_is_there_and_has_some(test: str) -> None:
    path, _, name = test.partition("::")
    tree = ast.parse((TESTS / path).read_text())

    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    lines = [shlex.split(line, comments=True) for line in LINES if elsewhere(line) == test]
    typed = (TESTS.parent / "docs/tutorial.md" if "walk" in path else TESTS / path).read_text()
    assert lines
    for line in lines:
        missing = [word for word in line if (word == line[0] or word.startswith("-")) and word not in typed]
        assert not missing, f"{test} does not type {missing} of: {shlex.join(line)}"
