"""All declared files are read, and everything that is wrong with their shape is said at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mmgit.errors import UnsafePath, UsageError
from mmgit.repository.files import Root
from mmgit.repository.load import load
from mmgit.repository.problems import MAX_FINDINGS
from mmgit.repository.reading import MAX_BYTES
from mmgit.repository.source import Source

Repository = Callable[..., Path]
SERVICE = "apiVersion: mmgit.dev/v1\nkind: Service\nnext: churn/1\n"
MODEL = "apiVersion: mmgit.dev/v1\nkind: Model\n"


def loaded(path: Path, services: list[str] | None = None) -> Source:
    result = load(Root(path), services)
    assert result.problems == ()
    assert result.source is not None
    return result.source


def test_everything_that_is_declared_is_in_the_source(repository: Repository) -> None:
    source = loaded(repository())

    assert list(source.models) == ["churn"]
    assert list(source.models["churn"].versions) == [1]
    assert source.models["churn"].manifests[1].files == ("score.py",)
    assert source.models["churn"].versions[1].files == ("model.bin",)
    assert [service.name for service in source.environments["dev"].services] == ["churn"]


def test_the_group_of_a_service_is_its_folder(repository: Repository) -> None:
    source = loaded(repository({"environments/dev/services/team/fraud.yaml": SERVICE}))

    groups = {service.name: service.group for service in source.environments["dev"].services}
    assert groups == {"churn": "default", "fraud": "team"}


@pytest.mark.parametrize("services", [None, ["environments/dev/services/default/churn.yaml"]], ids=["all", "named"])
def test_a_folder_called_as_the_group_without_a_folder_is_a_problem(
    repository: Repository, services: list[str] | None
) -> None:
    path = "environments/dev/services/default/churn.yaml"

    found = load(Root(repository({path: SERVICE})), services)

    assert [(each.place.path, each.hint) for each in found.problems] == [
        (
            "environments/dev/services/default",
            "git mv environments/dev/services/default/* environments/dev/services/",
        )
    ]


def test_a_reference_finds_what_it_names(repository: Repository) -> None:
    source = loaded(repository())

    assert source.version("churn/1") is source.models["churn"].versions[1]
    assert source.manifest("churn/1") is source.models["churn"].manifests[1]
    assert source.service("dev", "churn") is source.environments["dev"].services[0]
    assert (source.version("churn/2"), source.manifest("other/1"), source.service("x", "churn")) == (None, None, None)


def test_a_selection_reads_the_named_services_and_what_they_run(repository: Repository) -> None:
    path = "environments/dev/services/churn.yaml"
    root = repository({"environments/dev/services/fraud.yaml": "broken: [", "models/fraud/model.yaml": MODEL})

    source = loaded(root, [path])

    assert [service.path for service in source.environments["dev"].services] == [path]
    assert list(source.models) == ["churn"]
    assert list(source.models["churn"].versions) == [1]


def test_a_folder_without_a_project_file_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no mmgit\.yaml") as error:
        load(Root(tmp_path))

    assert error.value.hint.startswith("mmgit new")


def test_a_hundred_problems_of_a_file_are_shown_and_the_others_counted(repository: Repository) -> None:
    fields = "".join(f"field{number}: 1\n" for number in range(MAX_FINDINGS + 7))
    root = repository({"models/churn/model.yaml": f"apiVersion: mmgit.dev/v1\nkind: Model\n{fields}"})

    found = load(Root(root)).problems

    assert len(found) == MAX_FINDINGS
    assert found[-1].hint.endswith("; 7 more problems of this file are not shown")


def test_a_broken_file_hides_no_other(repository: Repository) -> None:
    root = repository({"models/churn/model.yaml": "kind: [", "environments/dev/environment.yaml": "kind: Env"})

    result = load(Root(root))

    assert {problem.place.path for problem in result.problems} == {
        "models/churn/model.yaml",
        "environments/dev/environment.yaml",
    }


def test_a_link_out_of_the_root_is_not_followed(repository: Repository, tmp_path: Path) -> None:
    root = repository()
    (tmp_path / "outside.yaml").write_text(SERVICE)
    (root / "environments/dev/services/linked.yaml").symlink_to(tmp_path / "outside.yaml")

    with pytest.raises(UnsafePath, match=r"linked\.yaml"):
        load(Root(root))


@pytest.mark.parametrize(
    "path",
    [
        "models/churn/versions/1/version.yaml",
        "environments/dev/services/large.yaml",
        "environments/dev/services/team/large.yaml",
        "blueprints/own/large.yaml",
    ],
)
@pytest.mark.parametrize("size", [MAX_BYTES + 1, 3 * MAX_BYTES])
def test_a_file_that_is_too_large_is_a_problem_and_hides_no_other(repository: Repository, path: str, size: int) -> None:
    broken = "environments/dev/services/broken.yaml"
    root = repository({path: b"#" * size, broken: "kind: [", "blueprints/own/blueprint.yaml": "{}\n"})

    result = load(Root(root))

    assert [(problem.code, problem.place.path) for problem in result.problems] == sorted(
        [("M100", path), ("M101", broken)], key=lambda found: found[1]
    )


def test_a_large_service_that_is_selected_is_a_problem(repository: Repository) -> None:
    path = "environments/dev/services/large.yaml"

    result = load(Root(repository({path: b"#" * (MAX_BYTES + 1)})), [path])

    assert [(problem.code, problem.place.path) for problem in result.problems] == [("M100", path)]


def test_a_blueprint_below_another_is_no_part_of_it(repository: Repository) -> None:
    names = ("team/blueprint.yaml", "team/parts/a.yaml", "team/gpu/blueprint.yaml", "team/gpu/deployment.yaml")

    source = loaded(repository({f"blueprints/{name}": "{}\n" for name in names}))

    assert {name: list(files) for name, files in source.blueprints.items()} == {
        "team": ["blueprint.yaml", "parts/a.yaml"],
        "team/gpu": ["blueprint.yaml", "deployment.yaml"],
    }


def test_files_of_no_blueprint_are_a_problem_once_a_folder(repository: Repository) -> None:
    names = ("lost/a.yaml", "lost/parts/b.yaml", "team/gpu/blueprint.yaml", "team/stray.yaml", "README.md")

    result = load(Root(repository({f"blueprints/{name}": "{}\n" for name in names})))

    assert [(problem.code, problem.place.path) for problem in result.problems] == [
        ("M511", "blueprints/lost/blueprint.yaml"),
        ("M511", "blueprints/team/blueprint.yaml"),
    ]


EVIDENCE = "environments/dev/evidence/default/churn.yaml"
SEEN = (
    "apiVersion: mmgit.dev/v1\nkind: Evidence\nmanifest: churn/1\n"
    f"image: sha256:{'a' * 64}\ncluster: 1a2755e4-a4e7-4411-98e3-9f7b21434b5c\n"
    'observed_at: "2026-11-23T21:45:21Z"\nreplicas: {ready: 1, desired: 1}\n'
)


def test_what_was_seen_of_a_service_is_beside_it_and_left_over_files_are_not_read(repository: Repository) -> None:
    root = repository({EVIDENCE: SEEN, EVIDENCE.replace("churn", "gone"): "left\n"})

    everything = loaded(root).environments["dev"].evidence
    selected = loaded(root, ["environments/dev/services/churn.yaml"]).environments["dev"].evidence

    assert everything == selected
    assert {name: each.path for name, each in everything.items()} == {"churn": EVIDENCE}
    assert everything["churn"].spec.since is None


def test_broken_evidence_is_a_problem(repository: Repository) -> None:
    root = repository({EVIDENCE: SEEN + "healthy: true\n"})

    (problem,) = load(Root(root)).problems

    assert (problem.code, problem.place.path, problem.place.line) == ("M201", EVIDENCE, 8)


def test_a_file_of_a_newer_mmgit_is_refused_by_name(repository: Repository) -> None:
    model = "models/churn/model.yaml"
    root = repository({model: MODEL.replace("/v1", "/v2")})

    (problem,) = load(Root(root)).problems

    assert (problem.code, problem.place.path) == ("M204", model)
    assert problem.hint == "a newer mmgit wrote this: uv tool upgrade mmgit"
