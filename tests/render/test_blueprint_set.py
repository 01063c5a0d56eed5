import os
import subprocess
from collections.abc import Callable

import pytest

from mmgit.blueprints.faults import BlueprintFault
from mmgit.blueprints.folders import built_in
from mmgit.desired import Blueprint, Desired, DesiredEnvironment, DesiredService
from mmgit.render.blueprint_set import BlueprintSet
from mmgit.render.rendering import render
from mmgit.repository import nodes, problems, reading

MakeService = Callable[..., DesiredService]
MakeEnvironment = Callable[..., DesiredEnvironment]
ASKED = ("environments/production/services/retention/churn.yaml", ("blueprint",))
OWN = {
    "blueprint.yaml": "extends: kubernetes/default\nparameters:\n  limit: {type: integer, default: 5}\n",
    "quota.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: \"{{ service.name ~ '-quota' }}\"}\n"
    'data: {limit: "{{ parameters.limit | string }}"}\n',
    "network-policy.yaml": "$if: parameters.limit\n$then: {apiVersion: v1, kind: Secret}\n",
}


def own(**files: str) -> dict[str, Blueprint]:
    return {
        "own": Blueprint("own", OWN | {name.replace("__", ".").replace("_", "-"): text for name, text in files.items()})
    }


def test_a_teams_own_blueprint_adds_and_replaces_objects(service: MakeService, environment: MakeEnvironment) -> None:
    desired = Desired({"e": environment(service(blueprint="own", parameters={"limit": 7}))}, own())

    rendered = render(desired)

    assert rendered.findings == ()
    (text,) = (data.decode() for data in rendered.files.values())
    assert "name: churn-quota\n" in text
    assert 'data:\n  limit: "7"\n' in text
    assert "kind: Secret\n" in text
    assert "NetworkPolicy" not in text


def children() -> set[str]:
    """The processes that this one started; others in the same test process may have left some."""
    return set(
        subprocess.run(["pgrep", "-P", str(os.getpid())], capture_output=True, text=True, check=False).stdout.split()
    )


def test_it_runs_in_a_child_that_ends_with_the_set() -> None:
    before = children()

    with BlueprintSet(own()) as blueprints:
        blueprints.ready("own", ASKED)
        during = children() - before
    after = children() - before

    assert (len(during), after) == (1, set())


def test_the_built_in_ones_run_here() -> None:
    before = children()

    with BlueprintSet({}) as blueprints:
        blueprints.ready("kubernetes/default", ASKED)
        during = children() - before

    assert during == set()


def test_a_blueprint_is_compiled_once() -> None:
    with BlueprintSet({}) as blueprints:
        assert blueprints.ready("kubernetes/default", ASKED) is blueprints.ready("kubernetes/default", ("other", ()))


def test_this_repositorys_own_copy_of_a_built_in_one_is_no_other_blueprint() -> None:
    same = {"kubernetes/default": Blueprint("kubernetes/default", built_in()["kubernetes/default"])}

    with BlueprintSet(same) as blueprints:
        assert blueprints.ready("kubernetes/default", ASKED)


def test_the_name_of_a_built_in_one_is_taken() -> None:
    changed = {"kubernetes/default": Blueprint("kubernetes/default", OWN)}

    with BlueprintSet(changed) as blueprints, pytest.raises(BlueprintFault) as caught:
        blueprints.ready("kubernetes/default", ASKED)

    (finding,) = caught.value.findings
    assert (finding.code, finding.path) == ("M500", "blueprints/kubernetes/default/blueprint.yaml")


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"a__yaml": 'b: "x{{ y }}"\n'}, "blueprints/own/a.yaml:1:1: error M502"),
        ({"a__yaml": 'k: 1\nb: "{{ service.nothing }}"\n'}, "blueprints/own/a.yaml:2:1: error M505"),
        ({"a__yaml": "a: &b 1\n"}, "blueprints/own/a.yaml: error M511: line 1, column 4: anchors"),
        ({"blueprint__yaml": "extend: x\n"}, "blueprints/own/blueprint.yaml:1:1: error M201"),
        ({"blueprint__yaml": "parameters: {size: {type: x}}\n"}, "blueprints/own/blueprint.yaml:1:14: error M510"),
        ({"blueprint__yaml": "extends: other\n"}, "blueprints/own/blueprint.yaml:1:1: error M508"),
    ],
)
def test_what_is_wrong_with_it_is_said_with_its_place(
    service: MakeService, environment: MakeEnvironment, files: dict[str, str], problem: str
) -> None:
    blueprints = own(**files)
    texts = {f"blueprints/own/{name}": text.encode() for name, text in blueprints["own"].files.items()}

    findings = render(Desired({"e": environment(service(blueprint="own"))}, blueprints)).findings

    (found,) = problems.locate(findings, texts.__getitem__)
    assert str(found).startswith(problem)


def test_a_blueprint_that_takes_too_much_is_a_finding_and_ends_soon(
    service: MakeService, environment: MakeEnvironment
) -> None:
    hungry = own(a__yaml="kind: \"{{ 'a' * 5000000 }}\"\n")
    services = [service(f"churn-{number}", blueprint="own") for number in range(20)]

    rendered = render(Desired({"e": environment(*services)}, hungry))

    (finding,) = rendered.findings
    assert (finding.code, finding.message) == ("M507", "the blueprint gave more than 4 MiB")
    assert rendered.files == {}


def test_every_built_in_file_of_services_is_read_by_the_fast_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_: bytes) -> None:
        raise AssertionError("the exact parser costs milliseconds a file, at every start")

    monkeypatch.setattr(nodes, "compose", slow)

    services = [files for name, files in built_in().items() if name.endswith("/default")]  # others wait to be asked for
    assert all(reading.parse(text.encode()) for files in services for text in files.values())
