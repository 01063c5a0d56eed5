import json
from collections.abc import Callable
from typing import Any

import pytest

from mmgit.checks.objects.edge import _validator
from mmgit.desired import Blueprint, Desired, DesiredEnvironment, DesiredService
from mmgit.render.edge_steps import steps
from mmgit.render.rendering import render
from mmgit.render.target import Rendered
from mmgit.repository.header import header_state
from mmgit.spec.service import Key, Patch

MakeService = Callable[..., DesiredService]
MakeEnvironment = Callable[..., DesiredEnvironment]
FOLDER = "environments/plant/rendered"
EDGE = {"agent": f"mcr.example.com/agent@sha256:{'a' * 64}", "hub": f"mcr.example.com/hub@sha256:{'b' * 64}"}
EDGE_CASES = ('"', "\\", "\n", "$X", "${X}", "$(X)", "{{x}}", "$$", "é", "\u2028", "'; rm -rf /", '"}}', " x ")


@pytest.fixture
def rendered(service: MakeService, environment: MakeEnvironment) -> Callable[..., Rendered]:
    """Renders services (fields of each, by name) of an environment of devices."""

    def run(services: dict[str, dict[str, Any]], **fields: Any) -> Rendered:
        own = {"blueprint": "iot-edge/default"}
        made = [service(name, **own | each) for name, each in services.items()]
        return render(Desired({"plant": environment(*made, name="plant", target="iot-edge", **fields)}))

    return run


Rendering = Callable[..., Rendered]


def layer_of(result: Rendered, path: str = "retention/churn.json") -> Any:
    """The one module in a file."""
    (content,) = json.loads(result.files[f"{FOLDER}/{path}"])["modulesContent"]["$edgeAgent"].values()
    return content


def options_of(module: Any) -> Any:
    """What the agent reads: the parts of the text in the order of their numbers."""
    parts = {key: text for key, text in module["settings"].items() if key.startswith("createOptions")}
    return json.loads("".join(parts[key] for key in sorted(parts)))


def test_each_service_is_a_layer_and_all_are_one_deployment(rendered: Rendering) -> None:
    result = rendered({"churn": {}, "iris": {"group": "default"}}, edge=EDGE)

    assert result.findings == ()
    assert [path.removeprefix(f"{FOLDER}/") for path in result.files] == [
        "default/iris.json",
        "deployment.json",
        "retention/churn.json",
    ]
    whole = json.loads(result.files[f"{FOLDER}/deployment.json"])["modulesContent"]
    agent = whole["$edgeAgent"]["properties.desired"]
    assert agent["modules"] == {"churn": layer_of(result), "iris": layer_of(result, "default/iris.json")}
    assert agent["systemModules"]["edgeHub"]["settings"]["image"] == EDGE["hub"]
    assert whole["$edgeHub"]["properties.desired"]["routes"] == {}
    assert {header_state(data) for data in result.files.values()} == {"ours"}


def test_without_images_of_the_runtime_there_are_layers_only(rendered: Rendering) -> None:
    assert list(rendered({"churn": {}}).files) == [f"{FOLDER}/retention/churn.json"]


def test_azures_client_takes_the_deployment(rendered: Rendering) -> None:
    whole = json.loads(rendered({"churn": {"gpu": 1}}, edge=EDGE).files[f"{FOLDER}/deployment.json"])

    # it sends what lies under modulesContent and drops all else, so the mark of a rendered file does not reach Azure
    content = whole["modulesContent"]

    assert whole.keys() == {"mmgit", "modulesContent"}
    assert [str(error) for error in _validator().iter_errors({"$edgeAgent": content["$edgeAgent"]})] == []
    assert not _validator().is_valid({"$edgeAgent": {"properties.desired": {}}})


def test_what_lies_in_tmp_may_run_where_the_service_says_so(rendered: Rendering) -> None:
    options = options_of(layer_of(rendered({"churn": {"parameters": {"tmp-exec": True}}})))

    assert options["HostConfig"]["Tmpfs"] == {"/tmp": "size=256m,mode=1777,exec"}  # noqa: S108 - of the container


def test_a_module_is_restricted_and_publishes_its_port_where_one_is_named(rendered: Rendering) -> None:
    inside = options_of(layer_of(rendered({"churn": {}})))
    outside = options_of(layer_of(rendered({"churn": {"parameters": {"port": 8443, "address": "127.0.0.1"}}})))

    assert inside["User"] == "65532:65532"
    assert inside["HostConfig"] == {
        "CapDrop": ["ALL"],
        "Memory": 2**30,
        "NanoCpus": 500_000_000,
        "PidsLimit": 1024,
        "ReadonlyRootfs": True,
        "SecurityOpt": ["no-new-privileges:true"],
        "Tmpfs": {"/tmp": "size=256m,mode=1777"},  # noqa: S108 - of the container
    }
    binding = {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8443"}]}
    assert outside["HostConfig"] == {**inside["HostConfig"], "PortBindings": binding}


def test_the_variables_are_the_servers_two_files(rendered: Rendering) -> None:
    key = Key(name="primary", id="k7f3", digest=f"sha256:{'1' * 64}", expires="2027-02-28")

    env = layer_of(rendered({"churn": {"keys": (key,), "settings": {"service": "churn", "queue": 3}}}))["env"]

    assert json.loads(env["MMGIT_SETTINGS_JSON"]["value"]) == {"service": "churn", "queue": 3}
    assert json.loads(env["MMGIT_KEYS_JSON"]["value"]) == {"keys": [{**key.plain(without_none=True)}]}


def test_a_service_without_keys_is_closed(rendered: Rendering) -> None:
    env = layer_of(rendered({"churn": {"keys": ()}}))["env"]

    assert env["MMGIT_KEYS_JSON"]["value"] == '{"keys":[]}'


@pytest.mark.parametrize("text", EDGE_CASES)
def test_a_text_arrives_as_it_is(rendered: Rendering, text: str) -> None:
    plain, result = rendered({"churn": {}}), rendered({"churn": {"variables": {"A": text}}})

    module = layer_of(result)

    assert module["env"].pop("A") == {"value": text}
    assert module == layer_of(plain)


@pytest.mark.parametrize(
    ("merge", "what"),
    [
        ({"env": {"MMGIT_KEYS_JSON": {"value": "{}"}}}, "MMGIT_KEYS_JSON"),
        ({"env": {"MMGIT_KEYS": {"value": "/var/spool/mmgit"}}}, "MMGIT_KEYS"),
        ({"createOptions": {"Labels": {"team": "x"}}}, "createOptions.Labels"),
    ],
)
def test_a_patch_of_what_mmgit_sets_is_refused_and_not_passed_over(
    rendered: Rendering, merge: dict[str, Any], what: str
) -> None:
    patch = Patch.read({"target": {"kind": "Module"}, "merge": merge})

    result = rendered({"churn": {"patches": (patch,)}})

    assert [(each.code, each.message) for each in result.findings] == [
        ("M521", f"patch of Module: `{what}` is set by mmgit and cannot be changed")
    ]
    assert layer_of(result) == layer_of(rendered({"churn": {}}))


def test_a_patch_adds_a_variable(rendered: Rendering) -> None:
    patch = Patch.read({"target": {"kind": "Module"}, "merge": {"env": {"OTHER": {"value": "x"}}}})

    env = layer_of(rendered({"churn": {"patches": (patch,)}}))["env"]

    assert env == {**layer_of(rendered({"churn": {}}))["env"], "OTHER": {"value": "x"}}


def test_long_options_are_several_texts_that_the_agent_puts_together(rendered: Rendering) -> None:
    merge = {"createOptions": {"Cmd": ["x" * 5000]}}
    patch = Patch.read({"target": {"kind": "Module"}, "merge": merge})

    module = layer_of(rendered({"churn": {"patches": (patch,)}}))

    assert list(module["settings"]) == ["image", "createOptions", "createOptions01"]
    assert max(len(text) for text in module["settings"].values()) == 4096
    assert options_of(module)["Cmd"] == ["x" * 5000]


def test_recorded_requests_lie_in_a_volume_of_the_service(rendered: Rendering) -> None:
    options = options_of(layer_of(rendered({"churn": {"telemetry": {"spool_bytes": 2**28}}})))

    assert options["HostConfig"]["Mounts"] == [
        {"Source": "mmgit-churn-spool", "Target": "/var/spool/mmgit", "Type": "volume"}
    ]


@pytest.mark.parametrize("number", [51, 30])
def test_more_modules_than_a_device_takes_are_refused(rendered: Rendering, number: int) -> None:
    # 30 modules are more bytes than the twin of a device holds, 51 more than a deployment may have
    result = rendered({f"churn-{each:02}": {} for each in range(number)})

    (finding,) = result.findings
    assert (finding.code, finding.path) == ("M541", "environments/plant/environment.yaml")
    assert finding.message.startswith(f"the {number} modules of `plant` are ")


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("createOptions: {}\n", "`createOptions` is no map with a `HostConfig`"),
        ("type: docker\n", "`type` is set by mmgit and cannot be changed"),
        ("createOptions: {HostConfig: {}}\nenv: []\n", "`env` is no map, or `Mounts` no list"),
    ],
)
def test_a_blueprint_that_makes_no_module_is_refused(
    service: MakeService, environment: MakeEnvironment, module: str, message: str
) -> None:
    files = {"blueprint.yaml": "description: of our own\n", "module.yaml": module}
    own = environment(service(blueprint="own"), name="plant", target="iot-edge", edge=EDGE)

    result = render(Desired({"plant": own}, {"own": Blueprint("own", files)}))

    assert result.files == {}
    assert [finding.message for finding in result.findings] == [f"blueprint `own`: {message}"]


def test_a_step_makes_a_layer_that_is_named_by_the_commit_of_its_file(
    service: MakeService, environment: MakeEnvironment
) -> None:
    own = environment(service(), name="plant", target="iot-edge")
    path = f"{FOLDER}/retention/churn.json"

    ((what, command),) = steps(own, {path: "0123456789abcdef"})

    named = '--hub-name "$HUB" --deployment-id mmgit-plant-churn-0123456789ab'
    assert what == "churn, a layer on all devices with the tag mmgit=plant"
    assert command == (
        f"az iot edge deployment show {named} >/dev/null 2>&1 || az iot edge deployment create {named} "
        f"--content {path} --target-condition \"tags.mmgit='plant'\" --priority 10 --layered"
    )
