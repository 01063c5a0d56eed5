import os
from collections.abc import Callable

from mmgit.desired import Autoscale, Desired, DesiredEnvironment, DesiredService
from mmgit.errors import Finding
from mmgit.render.blueprint_set import BlueprintSet
from mmgit.render.rendering import Rendering, render, target_of
from mmgit.render.target import Rendered

MakeService = Callable[..., DesiredService]
MakeEnvironment = Callable[..., DesiredEnvironment]


def several(service: MakeService, environment: MakeEnvironment) -> Desired:
    scaled = service("iris", group="default", scale=Autoscale(min=2, max=3, target=50))
    return Desired(
        {
            "staging": environment(service(), scaled, name="staging"),
            "dev": environment(service(blueprint="compose/default"), name="dev", target="compose"),
            "local": environment(service(blueprint="process/default"), name="local", target="process", registry=None),
        }
    )


def test_all_environments_are_rendered_with_their_paths_sorted(
    service: MakeService, environment: MakeEnvironment
) -> None:
    rendered = render(several(service, environment))

    assert rendered.findings == ()
    assert list(rendered.files) == sorted(rendered.files)
    assert [path for path in rendered.files if path.startswith("environments/staging")] == [
        "environments/staging/rendered/default/iris.yaml",
        "environments/staging/rendered/retention/churn.yaml",
    ]
    assert not [path for path in rendered.files if path.startswith("environments/local")]


def test_rendering_again_and_in_another_order_gives_the_same_bytes(
    service: MakeService, environment: MakeEnvironment
) -> None:
    desired = several(service, environment)
    turned = Desired(dict(reversed(list(desired.environments.items()))))

    assert render(desired).files == render(turned).files == render(desired).files


def test_one_service_alone_renders_to_the_same_bytes(service: MakeService, environment: MakeEnvironment) -> None:
    desired = several(service, environment)
    whole = render(desired).files

    with BlueprintSet({}) as blueprints:
        for each in desired.environments.values():
            target = target_of(each, blueprints)
            for own in each.services:
                files = target.service(own).files
                assert files.items() <= whole.items()
                assert each.spec.target == "process" or files


def test_a_check_sees_every_service_with_its_objects(service: MakeService, environment: MakeEnvironment) -> None:
    seen = []

    def check(environment: DesiredEnvironment, service: DesiredService, rendered: Rendered) -> list[Finding]:
        seen.append((environment.name, service.name, len(rendered.objects)))
        return [Finding("M699", service.path, (), "found")]

    rendered = render(several(service, environment), check)

    assert seen == [("staging", "iris", 9), ("staging", "churn", 7), ("dev", "churn", 1), ("local", "churn", 0)]
    assert {finding.code for finding in rendered.findings} == {"M699"}
    assert rendered.files


def test_a_finding_in_one_service_leaves_the_others_rendered(
    service: MakeService, environment: MakeEnvironment
) -> None:
    broken = service("iris", parameters={"nothing": 1})

    rendered = render(Desired({"production": environment(service(), broken)}))

    assert [(each.code, each.path) for each in rendered.findings] == [("M509", broken.path)]
    assert list(rendered.files) == ["environments/production/rendered/retention/churn.yaml"]


def test_a_fork_renders_the_same_bytes(service: MakeService, environment: MakeEnvironment) -> None:
    desired = several(service, environment)
    here = render(desired).files
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, b"same" if render(desired).files == here else b"other")
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)

    with os.fdopen(reading, "rb") as answer:
        assert answer.read() == b"same"


def test_parts_render_to_the_same_files_as_the_whole(service: MakeService, environment: MakeEnvironment) -> None:
    services = [service(f"more-{each}") for each in range(5)]
    whole = render(Desired({"more": environment(*services, name="more")})).files

    with Rendering({}) as rendering:
        parts = [rendering.render([environment(each, name="more")]).files for each in services]

    assert {path: data for part in parts for path, data in part.items()} == whole
