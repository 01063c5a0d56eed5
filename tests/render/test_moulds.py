from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mmgit.blueprints.folders import built_in
from mmgit.blueprints.names import python_of
from mmgit.desired import Autoscale, DesiredEnvironment, DesiredService, FixedScale
from mmgit.render.blueprint_set import BlueprintSet
from mmgit.render.emit import emit
from mmgit.render.kubernetes import Kubernetes
from mmgit.render.mould import Mould
from mmgit.render.moulds import shape_of
from mmgit.render.server_files import ServerFiles, server_files
from mmgit.render.target import Rendered
from mmgit.repository import reading
from mmgit.spec.service import Egress, Key, Objectives, Operation, Patch, PatchTarget, SecretKey, Toleration

MakeService = Callable[..., DesiredService]
MakeEnvironment = Callable[..., DesiredEnvironment]

TRICKY = ["$(PATH)", "$$", "${A}", "a\nb\n", "1e5", "0x1f", "yes", "", " ", "a: b", "\u2028", "- a", "\ue000", "k[0]"]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(TRICKY)
NAME = st.text("az09", min_size=3, max_size=8) | st.sampled_from(["1e5", "0x1f", "churn", "my-model", "serving"])
FIELDS: list[dict[str, Any]] = [
    {"gateway": {"name": "infra/public"}},
    {"gateway": None, "ingress": {"class": "nginx", "tls": {"secret": "tls"}}},
    {"monitoring": {"service_monitor": True, "alerts": True, "dashboards": True}},
    {"monitoring": {"service_monitor": True, "alerts": True}},
]
SHAPES: list[dict[str, Any]] = [
    {},
    {"scale": FixedScale(3), "gpu": 1, "concurrency": 2},
    {"scale": FixedScale(1), "slo": Objectives(availability=99.9, latency="1s@99")},
    {"scale": Autoscale(2, 5, 70, "cpu", None, 3), "node_selector": {"pool": "a"}},
    {"scale": Autoscale(1, 4, 60, "concurrency", 2), "telemetry": {"spool_bytes": 2**20}},
    {
        "tolerations": (Toleration(key="gpu", operator="Exists", effect="NoSchedule"),),
        "egress": (Egress(cidr="10.0.0.0/8", ports=(443,)), Egress(namespace="redis")),
        "parameters": {"callers": ["batch"], "pull-secret": "regcred"},
    },
]


@pytest.fixture
def blueprints() -> Iterator[BlueprintSet]:
    with BlueprintSet({}) as found:
        yield found


@st.composite
def likenesses(draw: st.DrawFn) -> dict[str, Any]:
    """What services of one shape may differ in."""
    group = draw(NAME)
    return {
        "name": draw(NAME),
        "group": group,
        "manifest": f"{draw(NAME)}/{draw(st.integers(1, 10**9))}",
        "models": (f"{draw(NAME)}/1", f"{draw(NAME)}/2"),
        "image": f"registry.example.com/{draw(NAME)}@sha256:{str(draw(st.integers(0, 9))) * 64}",
        "queue": draw(st.integers(0, 1000)),
        "variables": {"A": draw(TEXT), "SECRET": SecretKey(secret="s", key="k"), "B": draw(TEXT)},
        "labels": {"owner": draw(TEXT), "tier": draw(TEXT)},
        "annotations": {"contact": draw(TEXT)},
        "settings": {"service": draw(TEXT), "group": group},
        "keys": tuple(
            Key(name="primary", id="k7f3", digest=f"sha256:{'1' * 64}") for _ in range(draw(st.integers(0, 1)))
        ),
    }


@given(
    several=st.lists(likenesses(), min_size=3, max_size=5),
    shape=st.sampled_from(SHAPES),
    fields=st.sampled_from(FIELDS),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_services_of_one_shape_render_together_as_each_does_alone(
    service: MakeService,
    environment: MakeEnvironment,
    several: list[dict[str, Any]],
    shape: dict[str, Any],
    fields: dict[str, Any],
) -> None:
    services = [service(**own, **shape) for own in several]
    around = environment(**fields)
    with BlueprintSet({}) as blueprints:
        target = Kubernetes(around, blueprints)

        together = [target.service(each) for each in services]

        alone = [Kubernetes(around, blueprints).service(each) for each in services]
    assert [each.files for each in together] == [each.files for each in alone]
    assert [repr(each.objects) for each in together] == [repr(each.objects) for each in alone]


def test_from_the_second_service_of_a_shape_on_a_mould_is_filled(
    service: MakeService, environment: MakeEnvironment, blueprints: BlueprintSet
) -> None:
    target = Kubernetes(environment(), blueprints)

    first, second, third = (target.service(service(name, queue=at)) for at, name in enumerate(("one", "two", "six")))

    assert limits(second) is limits(third) is not limits(first)
    assert limits(first) == limits(second)


@pytest.mark.parametrize(
    "change",
    [
        {"cpu": "2"},
        {"memory": "2Gi"},
        {"scale": FixedScale(2)},
        {"labels": {"team": "x"}},
        {"variables": {"A": "b"}},
        {"concurrency": 7},
        {"timeout_seconds": 61},
        {"parameters": {"user-id": 7}},
        {"models": ("churn/4", "churn/5")},
    ],
    ids=str,
)
def test_another_shape_is_another_mould(
    service: MakeService, environment: MakeEnvironment, blueprints: BlueprintSet, change: dict[str, Any]
) -> None:
    around = environment()
    target = Kubernetes(around, blueprints)
    for name in ("one", "two"):
        target.service(service(name))

    found = target.service(service("six", **change))

    alone = Kubernetes(around, blueprints).service(service("six", **change))
    assert (found.files, found.objects, found.mould) == (alone.files, alone.objects, None)


def test_every_field_of_a_service_is_of_its_shape_or_carried(service: MakeService) -> None:
    in_shape = {
        name
        for name in DesiredService.__dataclass_fields__
        if shape_of(service(**{name: Other()})) != shape_of(service())
    }

    carried = {"group", "name", "path", "manifest", "image", "keys"}
    assert in_shape | carried | BY_THEMSELVES | IN_SETTINGS == set(DesiredService.__dataclass_fields__)


BY_THEMSELVES = {"patches", "volume"}
"""With one of these a service is rendered without a mould."""
IN_SETTINGS = {"settings", "queue", "spares", "origins", "batch_max_requests", "batch_max_bytes"}
"""What reaches the server in settings.json alone, which is carried."""


class Other(dict[str, str]):
    """A value that is none of the usual ones."""

    def __init__(self) -> None:
        super().__init__(one="1", two="2")
        self.other = "other"


def test_objects_of_a_mould_share_one_map_of_labels_as_others_do(
    service: MakeService, environment: MakeEnvironment, blueprints: BlueprintSet
) -> None:
    target = Kubernetes(environment(), blueprints)
    target.service(service("one"))

    objects = target.service(service("two")).objects

    assert len({id(each["metadata"]["labels"]) for each in objects if each["kind"] != "Deployment"}) == 1


def test_a_service_with_a_patch_is_rendered_by_itself(
    service: MakeService, environment: MakeEnvironment, blueprints: BlueprintSet
) -> None:
    target = Kubernetes(environment(), blueprints)
    test = Operation(op="test", path="/metadata/name", value="one-a")
    patched = [Patch(target=PatchTarget(kind="Deployment"), json_=(test,))]
    services = [service(name, patches=tuple(patched)) for name in ("one", "two", "six")]

    found = [target.service(each).findings for each in services]

    assert [len(each) for each in found] == [0, 1, 1]


@pytest.mark.parametrize("value", ["churn", "1e5", "a\nb\n", "a\n", "", "\u2028"])
def test_a_text_is_written_wherever_it_stands_as_the_emitter_writes_it(service: MakeService, value: str) -> None:
    def make(own: DesiredService, files: ServerFiles) -> list[dict[str, Any]]:
        text = own.labels["a"]
        nested = [[text, "b"], {"first": text, "then": [text]}, text, [[[text]]], f"a {text} b", files.keys]
        return [{"whole": text, "items": nested, "fixed": {"a": [1, None, {}]}}]

    wanted = service(labels={"a": value})
    files = server_files(wanted)

    filled = Mould(service(labels={"a": "other"}), make).filled(wanted, files)

    assert filled is not None
    assert (filled.text, filled.make_objects()) == (emit(make(wanted, files)), make(wanted, files))


@pytest.mark.parametrize("field", ["queue", "path"])
def test_there_is_no_mould_where_something_is_used_that_is_not_carried(service: MakeService, field: str) -> None:
    with pytest.raises(ValueError, match="not carried"):
        Mould(service(), lambda own, _: [{"a": getattr(own, field)}])


def test_there_is_no_mould_where_a_key_is_carried(service: MakeService) -> None:
    with pytest.raises(ValueError, match="a key is carried"):
        Mould(service(), lambda own, _: [{own.name: 1}])


def test_what_has_to_be_escaped_is_escaped_after_a_mould_was_made(
    service: MakeService, environment: MakeEnvironment, blueprints: BlueprintSet
) -> None:
    around = environment()
    target = Kubernetes(around, blueprints)
    plain = service("one", variables={"A": "x"})
    for name in ("one", "two"):
        target.service(replace(plain, name=name))

    escaped = target.service(replace(plain, name="six", variables={"A": "$(HOME) ${B}"}))

    assert b"$$(HOME)" in next(iter(escaped.files.values()))
    alone = Kubernetes(around, blueprints).service(replace(plain, name="six", variables={"A": "$(HOME) ${B}"}))
    assert (escaped.files, escaped.objects, escaped.mould) == (alone.files, alone.objects, None)


def test_built_in_blueprints_only_carry_values_and_ask_for_none_that_a_mould_carries() -> None:
    for path, text in built_in()["kubernetes/default"].items():
        for source, is_asked in expressions_of(reading.parse(text.encode())):
            assert python_of(source), f"{path}: {source}"
            assert not is_asked or source not in CARRIED, f"{path}: {source}"


CARRIED = {
    "service.name",
    "service.group",
    "service.path",
    "service.manifest",
    "service.image",
    "service.queue",
    "slot.name",
    "admin.name",
    "admin.metrics",
    "variable.value",
}


def expressions_of(value: Any) -> Iterator[tuple[str, bool]]:
    """The expressions in a sheet, and whether something depends on them."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key == "$if":
                yield item, True
            elif key == "$for":
                yield item.partition(" in ")[2], True
            else:
                yield from expressions_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from expressions_of(item)
    elif isinstance(value, str) and value.startswith("{{"):
        yield value.removeprefix("{{").removesuffix("}}").strip(), False


def limits(rendered: Rendered) -> Any:
    (deployment,) = (each for each in rendered.objects if each["kind"] == "Deployment")
    return deployment["spec"]["template"]["spec"]["containers"][0]["resources"]
