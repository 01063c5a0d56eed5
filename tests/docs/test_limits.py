"""docs/limits.md is what the code says of every limit that somebody may run into, each with a test of what it does.

`pytest tests/docs --update-cases` writes it again; review the diff.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mmgit import golden, markdown, resolve, untrusted
from mmgit.archive import columns
from mmgit.blueprints import confined
from mmgit.cli import portal
from mmgit.contract import comparing
from mmgit.deliver import remote, writer
from mmgit.deliver.forge import http
from mmgit.formats import __main__ as scanner
from mmgit.formats import confined as scanner_limits
from mmgit.formats import found
from mmgit.images import deb, layout, sdists, untar
from mmgit.images.conda import package
from mmgit.images.evidence import manifests, shelves
from mmgit.inputs import MAX_SCORING_BYTES
from mmgit.local import steps as local_steps
from mmgit.render import edge
from mmgit.repository import paths, problems, reading, subset
from mmgit.serving.front import connection, connections, receiver, records
from mmgit.serving.scorer import strict_json
from mmgit.spec.base import LAYER_LIMIT_BYTES, LAYERS_LIMIT, PACKAGE_SIZE_LIMIT_BYTES
from mmgit.spec.environment import MAX_TWIN_TEXT_BYTES
from mmgit.spec.project import Store
from mmgit.steps import reading as reading_steps
from mmgit.steps import text
from mmgit.telemetry import counting, features

ROOT = Path(__file__).parents[2]
INTRODUCTION = """# Limits

What mmgit and the server in an image take, and what happens beyond. This file is made by
`pytest tests/docs --update-cases` from the code; each line names the test that goes beyond the limit (below `tests/`).
Limits of a service (`concurrency`, `queue`, `timeout`, `memory`) are its own fields.
"""


@dataclass(frozen=True)
class Limit:
    """Something that is bounded, and the test of what happens beyond."""

    what: str
    most: str
    beyond: str
    test: str


def size(count: int) -> str:
    for unit, many in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if count >= many and count % many == 0:
            return f"{count // many} {unit}"
    return f"{count:,} bytes"


DECLARED = (
    Limit(
        "a declared file",
        size(reading.MAX_BYTES),
        "M100",
        "repository/test_load.py::test_a_file_that_is_too_large_is_a_problem_and_hides_no_other",
    ),
    Limit(
        "values, keys and ends of lists and maps in one",
        f"{subset.MAX_PARTS:,}",
        "M100",
        "cli/test_bounds.py::test_a_declared_file_of_an_enemy_is_checked_within_bounds",
    ),
    Limit(
        "problems shown of the fields of one",
        f"{problems.MAX_FINDINGS}",
        "the last one says how many more",
        "repository/test_load.py::test_a_hundred_problems_of_a_file_are_shown_and_the_others_counted",
    ),
    Limit(
        "folders in folders",
        f"{paths.MAX_DEPTH}",
        "exit code 6",
        "repository/test_files.py::test_folders_lie_in_each_other_up_to_a_limit",
    ),
    Limit(
        "a file beside score.py, frozen",
        size(MAX_SCORING_BYTES),
        "exit code 2 or 8",
        "cli/test_bounds.py::test_a_frozen_file_of_an_enemy_is_refused_within_bounds",
    ),
    Limit(
        "values in schema.json and sample.json",
        f"{untrusted.JSON_VALUES_MAX:,}",
        "exit code 2 or 8",
        "cli/test_bounds.py::test_a_frozen_file_of_an_enemy_is_refused_within_bounds",
    ),
    Limit(
        "a schema that is compared",
        size(comparing.SCHEMA_BYTES_MAX),
        "counts as breaking",
        "contract/test_comparing.py::test_what_is_no_schema_cannot_be_compared",
    ),
    Limit(
        "golden rows of a manifest",
        f"{golden.MAX_ROWS:,}",
        "exit code 2",
        "test_golden.py::test_what_is_no_row_is_refused_with_its_line",
    ),
    Limit(
        "pylock.toml",
        size(untrusted.TOML_BYTES_MAX),
        "exit code 8",
        "test_untrusted.py::test_toml_of_an_enemy_is_a_value_error",
    ),
    Limit(
        "a model file in git, unless `store: {git_limit: …}` says otherwise",
        Store.read({}).git_limit,
        "it goes to Git LFS or a store, else exit code 2",
        "edits/test_model_files.py::test_a_file_up_to_the_limit_goes_into_git",
    ),
    Limit(
        "modules of an edge device, together",
        f"{edge.MAX_MODULES}, and {size(edge.MAX_TWIN_BYTES)}",
        "M541",
        "render/test_edge.py::test_more_modules_than_a_device_takes_are_refused",
    ),
    Limit(
        "a variable of an edge device, also with the settings or keys of a service",
        size(MAX_TWIN_TEXT_BYTES),
        "M620",
        "checks/objects/test_edge.py::test_a_module_that_is_not_good_is_refused",
    ),
)
COMPILING = (
    Limit(
        "processor time of a blueprint of your own",
        f"{confined.CPU_SECONDS} s",
        "M5",
        "blueprints/test_confined.py::test_time_memory_and_output_are_bounded",
    ),
    Limit(
        "its memory",
        size(confined.MEMORY_BYTES),
        "M5",
        "blueprints/test_confined.py::test_time_memory_and_output_are_bounded",
    ),
    Limit(
        "memory of a scan of a model file",
        size(scanner.MEMORY_BYTES),
        "it is a doubt, and refused",
        "formats/test_confined.py::test_a_scan_of_what_an_enemy_made_ends_with_a_doubt",
    ),
    Limit(
        "its processor time",
        f"{scanner_limits.CPU_SECONDS} s, and 1 s for each {size(scanner_limits.BYTES_A_SECOND)}",
        "it is a doubt, and refused",
        "formats/test_confined.py::test_a_scan_that_takes_too_long_says_so",
    ),
    Limit(
        "names that a pickle imports",
        f"{found.NAMES_MAX}",
        "it is a doubt, and refused",
        "formats/test_confined.py::test_a_scan_of_what_an_enemy_made_ends_with_a_doubt",
    ),
    Limit(
        "waiting for another mmgit that writes",
        f"{writer.WAIT_SECONDS:.0f} s",
        "exit code 5",
        "deliver/test_writer.py::test_a_second_writer_waits_and_then_names_the_first",
    ),
    Limit(
        "pushes that others overtake",
        f"{remote.ATTEMPTS}",
        "exit code 7",
        "deliver/test_remote.py::test_races_that_are_always_lost_end",
    ),
    Limit(
        "an answer of a forge",
        size(http.ANSWER_LIMIT_BYTES),
        "exit code 13",
        "deliver/forge/test_http.py::test_an_answer_that_is_too_long_is_refused",
    ),
    Limit(
        "a comment with a plan",
        f"{markdown.LIMIT_CHARACTERS:,} characters",
        "it is cut, and says so",
        "test_markdown.py::test_one_line_that_is_too_long_leaves_the_note",
    ),
    Limit(
        "a drift report that the portal takes",
        size(portal.REPORT_BYTES_MAX),
        "exit code 2",
        "portal/test_site.py::test_a_report_that_is_too_large_is_refused",
    ),
    Limit(
        "a Debian package",
        size(PACKAGE_SIZE_LIMIT_BYTES),
        "M2",
        "spec/test_base.py::test_what_a_build_could_stumble_over_is_refused",
    ),
    Limit(
        "what it unpacks to",
        size(deb.UNPACKED_LIMIT_BYTES),
        "exit code 8",
        "images/test_deb.py::test_a_package_that_unpacks_to_more_than_the_limit_is_refused",
    ),
    Limit(
        "layers of an image that is a base",
        f"{LAYERS_LIMIT}",
        "exit code 8",
        "images/test_upstream.py::test_an_image_that_lies_is_not_locked",
    ),
    Limit(
        "one of them, packed",
        size(LAYER_LIMIT_BYTES),
        "exit code 8",
        "images/test_upstream.py::test_an_image_that_lies_is_not_locked",
    ),
    Limit(
        "what it unpacks to",
        size(untar.UNPACKED_LIMIT_BYTES),
        "exit code 8",
        "images/test_untar.py::test_a_bomb_is_refused_while_it_unpacks",
    ),
    Limit(
        "files in all of them together",
        f"{untar.MEMBERS_LIMIT:,}",
        "exit code 8",
        "images/test_tree.py::test_files_are_bounded_over_all_layers",
    ),
    Limit(
        "what a package of conda's unpacks to",
        size(package.UNPACKED_LIMIT_BYTES),
        "exit code 8",
        "images/conda/test_prefix.py::test_a_package_that_unpacks_to_more_than_any_is_refused",
    ),
    Limit(
        "the source of a Python package that is built",
        size(sdists.SDIST_BYTES_MAX),
        "exit code 8",
        "images/test_sdists.py::test_a_source_that_is_too_large_or_other_than_the_index_says_is_not_built",
    ),
    Limit(
        "building it",
        f"{sdists.BUILD_SECONDS / 60:.0f} minutes",
        "exit code 8",
        "images/test_sdists.py::test_a_build_that_takes_too_long_is_stopped",
    ),
    Limit(
        "a file of steps",
        f"{size(text.MAX_BYTES)}, {reading_steps.INSTRUCTIONS_LIMIT} instructions",
        "M322",
        "steps/test_reading.py::test_all_else_is_refused_with_its_place",
    ),
    Limit(
        "running the steps of an image, for one platform",
        f"{local_steps.TIMEOUT_SECONDS / 60:.0f} minutes",
        "exit code 8",
        "local/test_steps.py::test_commands_have_a_bound_and_leave_nothing",
    ),
    Limit(
        "a manifest or index of an image",
        size(layout.DOCUMENT_LIMIT_BYTES),
        "exit code 9",
        "images/test_registry.py::test_a_manifest_that_is_too_long_is_refused",
    ),
    Limit(
        "artifacts beside an image",
        f"{shelves.REFERRERS_MAX}",
        "exit code 9",
        "images/evidence/test_moving.py::test_more_artifacts_than_anybody_needs_are_refused",
    ),
    Limit(
        "a blob of one",
        size(manifests.BLOB_LIMIT_BYTES),
        "it is not copied, and that is said",
        "images/evidence/test_moving.py::test_what_is_broken_or_too_large_stays_behind_and_is_named",
    ),
)
READING = (
    Limit(
        "levels of a body that is recorded as JSON",
        f"{records.LEVELS_MAX}",
        "it is recorded in base64",
        "serving/front/test_records.py::test_a_body_is_kept_as_it_came_up_to_a_depth_that_every_reader_takes",
    ),
    Limit(
        "columns of collected rows in one archived file",
        f"{columns.COLUMNS_MAX:,}",
        "one more column, `other_columns`, has the others",
        "archive/test_contents.py::test_columns_beyond_the_bound_are_one",
    ),
    Limit(
        "features that a report compares",
        f"{features.FEATURES_MAX}",
        "the others are left out",
        "telemetry/test_features.py::test_features_are_bounded",
    ),
    Limit(
        "columns of a row that is a list",
        f"{features.POSITIONS_MAX}",
        "the others are left out",
        "telemetry/test_features.py::test_features_are_bounded",
    ),
    Limit(
        "categories of a feature",
        f"{counting.CATEGORIES_MAX}",
        "the others are counted together",
        "telemetry/test_comparing.py::test_rare_categories_are_counted_together",
    ),
    Limit(
        "values of a feature that have a bin each",
        f"{counting.EDGES_MAX}",
        "a bin holds a hundredth",
        "telemetry/test_comparing.py::test_tests_are_scipys_of_the_values_themselves",
    ),
)
SERVING = (
    Limit(
        "a body, also once it is decompressed",
        size(resolve.MAX_BODY_BYTES),
        "413",
        "serving/front/test_connection.py::test_a_body_that_is_declared_too_large_is_refused_before_it_is_sent",
    ),
    Limit(
        "the head of a request and its trailers",
        f"{size(receiver.HEAD_BYTES_MAX)}, {receiver.FIELDS_MAX} headers",
        "431",
        "serving/front/test_http_corpus.py::test_a_head_or_trailer_beyond_the_limit_is_told_so",
    ),
    Limit(
        "time for a head",
        f"{connection.HEAD_SECONDS:.0f} s",
        "408",
        "serving/front/test_connection.py::test_a_request_that_dawdles_is_ended",
    ),
    Limit(
        "requests of one connection that wait for their answer",
        f"{connection.PIPELINE_MAX}",
        "503, and no more is read",
        "serving/front/test_connection.py::test_a_pipeline_has_a_bound",
    ),
    Limit(
        "a client that reads less than 64 KiB a second of an answer",
        f"{connection.UNREAD_SECONDS:.0f} s, {connection.UNREAD_SECONDS_IN_NEED:.0f} s while 100 MiB are not read",
        "it is cut off",
        "serving/front/test_connection.py::test_who_reads_nothing_is_cut_off_sooner_where_too_much_is_kept",
    ),
    Limit(
        "an idle connection",
        f"{connection.IDLE_SECONDS:.0f} s",
        "it is closed",
        "serving/front/test_connection.py::test_an_idle_connection_is_closed_in_the_end",
    ),
    Limit(
        "connections",
        f"{connections.CONNECTIONS_MAX:,}",
        "the longest idle one is closed",
        "serving/front/test_connections.py::test_the_longest_idle_connection_makes_place_for_a_new_one",
    ),
    Limit(
        "JSON in JSON",
        f"{strict_json.DEPTH_MAX} deep",
        "400",
        "serving/scorer/test_strict_json.py::test_depth_has_a_limit",
    ),
)


def test_every_limit_is_in_its_document_as_the_code_has_it(request: pytest.FixtureRequest) -> None:
    path = ROOT / "docs/limits.md"
    parts = {
        "Declared files": DECLARED,
        "Commands": COMPILING,
        "Telemetry": READING,
        "The server in an image": SERVING,
    }
    written = "\n".join([INTRODUCTION, *(line for title, limits in parts.items() for line in table(title, limits))])

    if request.config.getoption("--update-cases"):
        path.write_text(written)

    assert path.read_text() == written


def table(title: str, limits: tuple[Limit, ...]) -> Iterator[str]:
    yield f"## {title}\n"
    rows = "".join(f"| {each.what} | {each.most} | {each.beyond} | `{each.test}` |\n" for each in limits)
    yield f"| what | at most | beyond | shown by |\n|---|---|---|---|\n{rows}"


@pytest.mark.parametrize("limit", [*DECLARED, *COMPILING, *READING, *SERVING], ids=lambda limit: limit.what)
def test_a_limit_names_a_test_that_is_there(limit: Limit) -> None:
    path, _, name = limit.test.partition("::")

    tree = ast.parse((ROOT / "tests" / path).read_text())

    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
