"""References are followed and defaults joined: service over environment over built-in."""

import dataclasses
from typing import Any

import pytest

from mmgit.desired import Autoscale, DesiredService, FixedScale, Uploads
from mmgit.repository.source import (
    Declared,
    DeclaredEnvironment,
    DeclaredManifest,
    DeclaredModel,
    DeclaredService,
    Source,
)
from mmgit.resolve import listed, resolve
from mmgit.serving.settings import Settings
from mmgit.spec import EnvironmentSpec, ImageSpec, ManifestSpec, ModelSpec, ProjectSpec, ServiceSpec
from mmgit.spec.record import Refused
from mmgit.spec.service import Egress

HEAD = {"apiVersion": "mmgit.dev/v1"}
DIGEST = "sha256:" + "a" * 64
PIN = {"manifest": "churn/1", "image": DIGEST}


def source_of(service: dict[str, Any], environment: dict[str, Any] | None = None) -> Source:
    manifest = ManifestSpec.read({**HEAD, "kind": "Manifest", "python": "3.11", "models": ["churn/4"]})
    model = ModelSpec.read({**HEAD, "kind": "Model"})
    place = {"kind": "Environment", "target": "process", **HEAD, **(environment or {})}
    declared = DeclaredService("s.yaml", ServiceSpec.read({**HEAD, "kind": "Service", **service}), "team", "churn")
    return Source(
        Declared("mmgit.yaml", ProjectSpec.read({**HEAD, "kind": "Project", "mmgit": "==0.1.0"})),
        models={"churn": DeclaredModel("m", model, "churn", {}, {1: DeclaredManifest("m.yaml", manifest)})},
        environments={"dev": DeclaredEnvironment("e.yaml", EnvironmentSpec.read(place), "dev", (declared,))},
    )


def resolved(service: dict[str, Any], environment: dict[str, Any] | None = None) -> DesiredService:
    result = resolve(source_of({**PIN, **service}, environment))
    assert result.findings == ()
    (desired,) = result.desired.environments["dev"].services
    return desired


def test_built_in_defaults_are_those_of_the_reference() -> None:
    service = resolved({})

    assert (service.concurrency, service.queue, service.timeout_seconds) == (1, 10, 60)
    assert service.scale == FixedScale(1)


def test_autoscaling_has_the_defaults_of_the_reference() -> None:
    assert resolved({"autoscale": {}}).scale == Autoscale(1, 10, 70)


def test_scaling_on_concurrency_asks_every_second() -> None:
    scale = resolved({"autoscale": {"metric": "concurrency"}}).scale

    assert scale == Autoscale(1, 10, 70, "concurrency", refresh_seconds=1)


def test_a_handover_says_from_how_many_replicas_it_starts() -> None:
    assert resolved({"autoscale": {"handover": 4}}).scale == Autoscale(1, 10, 70, handover=4)


def test_only_spares_that_are_asked_for_are_in_the_servers_settings() -> None:
    with_spares, without = resolved({"spares": 2}), resolved({})

    assert with_spares.settings["spares"] == with_spares.spares == 2
    assert "spares" not in without.settings


def test_only_batches_that_are_asked_for_are_in_the_servers_settings() -> None:
    asked, ended = resolved({"batch": {}}), resolved({"batch": {"max_requests": 1}}, {"defaults": {"batch": {}}})

    assert (asked.settings["batch_max_requests"], asked.settings["batch_max_bytes"]) == (32, 2**20)
    assert (asked.batch_max_requests, ended.batch_max_requests) == (32, 1)
    for without in (ended, resolved({})):
        assert not [name for name in without.settings if name.startswith("batch")]


def test_the_server_knows_every_setting() -> None:
    service = resolved({"batch": {"max_requests": 8, "max_bytes": 4096}, "spares": 1, "telemetry": {}})

    assert service.settings.keys() <= {field.name for field in dataclasses.fields(Settings)}


def test_a_service_records_what_it_or_its_environment_asks_for() -> None:
    service = resolved({"telemetry": {}})

    asked = {"inputs": False, "outputs": False, "redact": [], "spool_bytes": 256 * 2**20}
    assert service.settings["telemetry"] == service.telemetry == asked


def test_what_an_environment_redacts_no_service_can_show() -> None:
    own = {"inputs": True, "redact": ["name"], "spool": "1Gi"}
    environment = {"defaults": {"telemetry": {"inputs": False, "outputs": True, "redact": ["ssn", "name"]}}}

    service = resolved({"telemetry": own}, environment)

    assert service.telemetry == {"inputs": True, "outputs": True, "redact": ["name", "ssn"], "spool_bytes": 2**30}
    assert resolved({}, environment).telemetry["redact"] == ["name", "ssn"]


def test_a_service_that_asks_for_no_telemetry_says_nothing_of_it() -> None:
    service = resolved({})

    assert service.telemetry == {}
    assert not {"telemetry", "otlp"} & service.settings.keys()
    assert service.egress == ()


EVERYWHERE = ("0.0.0.0/0", "::/0")


@pytest.mark.parametrize(
    ("address", "destinations"),
    [
        ("http://otel.monitoring.svc:4318", [(None, "monitoring", ())]),
        ("http://otel.monitoring.svc.cluster.local", [(None, "monitoring", ())]),
        ("http://10.1.2.3:4318/prefix", [("10.1.2.3/32", None, (4318,))]),
        ("https://otlp.example.com", [(cidr, None, (443,)) for cidr in EVERYWHERE]),
        ("http://otlp.example.com/v1", [(cidr, None, (80,)) for cidr in EVERYWHERE]),
        ("http://otel:4318", [(cidr, None, (4318,)) for cidr in EVERYWHERE]),
    ],
)
def test_a_service_may_call_the_receiver_of_its_traces(address: str, destinations: list[Any]) -> None:
    own = {"egress": [{"namespace": "db"}]}

    service = resolved(own, {"telemetry": {"otlp": address}})

    assert service.settings["otlp"] == address
    found = [(each.cidr, each.namespace, each.ports) for each in service.egress]
    assert found == [(None, "db", ()), *destinations]


def test_what_a_service_records_is_uploaded_where_its_environment_names_a_store() -> None:
    store = {"store": "s3://bucket/x", "endpoint": "http://minio.storage.svc:9000", "upload_every": "1m"}

    service = resolved({"telemetry": {"spool": "64Mi"}}, {"telemetry": store})

    uploads = Uploads("", store["store"], store["endpoint"], "", 60.0, 16 * 2**20)  # a quarter of the spool
    assert service.uploads == uploads
    assert service.settings["telemetry"]["seal_seconds"] == 60.0
    assert service.egress == (Egress(namespace="storage"),)
    assert resolved({}, {"telemetry": store}).uploads is None
    assert resolved({}, {"telemetry": store}).egress == ()


def test_a_folder_needs_no_way_out() -> None:
    service = resolved({"telemetry": {}}, {"telemetry": {"store": "file:///srv/telemetry"}})

    assert service.egress == ()


def test_where_no_uploader_is_locked_nobody_uploads() -> None:
    environment = {"target": "compose", "registry": "r.example.com/m", "telemetry": {"store": "s3://bucket"}}

    assert resolved({"telemetry": {}}, environment).uploads is None


@pytest.mark.parametrize(
    ("store", "folder"),
    [
        ("file:///srv/Mess%20werte", "/srv/Mess werte"),
        ("file:///srv/für", "/srv/für"),
        ("file:///srv/f%C3%BCr/100%25", "/srv/für/100%"),
        ("s3://bucket", ""),
    ],
)
def test_a_store_in_a_folder_has_the_path_that_its_address_means(store: str, folder: str) -> None:
    uploads = resolved({"telemetry": {}}, {"telemetry": {"store": store}}).uploads

    assert uploads
    assert uploads.folder == folder


@pytest.mark.parametrize(
    "store",
    [
        *("s3:/x", "http://x", "file://x", "file:///a/../b", "s3://b/$(X)", "s3://b ucket"),
        *("file:///a b", "file:///a#b", "file:///a?b", "file:///a/%2E%2E/b", "file:///a/%2e%2e", "file:///a%2F..%2Fb"),
        *("file:///a%0Ab", "file:///a%24b", "file:///a$b", "file:///a%FFb", "file:///a%E2%80%AEb", "file:///a%zz"),
    ],
)
def test_what_is_no_store_is_refused(store: str) -> None:
    with pytest.raises(Refused):
        resolved({}, {"telemetry": {"store": store}})


def test_a_service_stands_over_its_environment_and_that_over_the_built_in() -> None:
    service = resolved({"cpu": "2"}, {"defaults": {"cpu": "1", "queue": 3}})

    assert (service.cpu, service.queue, service.memory) == ("2", 3, "1Gi")


@pytest.mark.parametrize("own", [{"replicas": 2}, {"autoscale": {"max": 2}}])
def test_a_service_that_scales_its_own_way_takes_nothing_from_the_other_way(own: dict[str, Any]) -> None:
    other = {"autoscale": {"min": 3}} if "replicas" in own else {"replicas": 5}

    scale = resolved(own, {"defaults": other}).scale

    assert scale == (FixedScale(2) if "replicas" in own else Autoscale(1, 2, 70))


def test_maps_merge_by_key() -> None:
    service = resolved({"labels": {"a": "1", "b": "2"}}, {"defaults": {"labels": {"b": "0", "c": "3"}}})

    assert service.labels == {"a": "1", "b": "2", "c": "3"}


def test_lists_replace() -> None:
    service = resolved({"egress": [{"cidr": "10.0.0.0/8"}]}, {"defaults": {"egress": [{"namespace": "db"}]}})

    assert [egress.cidr for egress in service.egress] == ["10.0.0.0/8"]


def test_an_empty_list_takes_the_defaults_away() -> None:
    assert resolved({"egress": []}, {"defaults": {"egress": [{"namespace": "db"}]}}).egress == ()


def test_the_image_is_in_the_registry_of_the_environment_by_digest() -> None:
    assert resolved({}, {"registry": "registry.example.com/ml"}).image == f"registry.example.com/ml/churn@{DIGEST}"


def test_the_settings_of_the_server_say_what_it_serves() -> None:
    settings = resolved({"timeout": "500ms"}).settings

    assert (settings["service"], settings["group"], settings["environment"]) == ("churn", "team", "dev")
    assert (settings["manifest"], settings["models"], settings["timeout_seconds"]) == ("churn/1", ["churn/4"], 0.5)


def test_a_service_that_waits_for_its_build_is_not_desired_yet() -> None:
    result = resolve(source_of({"next": "churn/1"}))

    assert (result.desired.environments["dev"].services, result.findings) == ((), ())


@pytest.mark.parametrize("service", [{**PIN, "manifest": "churn/2"}, {"next": "churn/2"}])
def test_a_manifest_that_is_not_declared_is_found_with_those_that_are(service: dict[str, Any]) -> None:
    result = resolve(source_of(service))

    (finding,) = result.findings
    assert (finding.code, finding.hint) == ("M301", "declared manifests of churn: 1")
    assert result.desired.environments["dev"].services == ()


def test_long_lists_are_shortened_from_the_front() -> None:
    assert listed(range(1, 12), most=3) == "…, 9, 10, 11"
    assert listed([]) == "none"


def test_sites_that_may_call_from_a_browser_are_in_the_servers_settings_where_there_are_any() -> None:
    named = resolved({"origins": ["null", "https://portal.example.com"]})

    assert named.settings["origins"] == ["https://portal.example.com", "null"]
    assert "origins" not in resolved({}).settings


@pytest.mark.parametrize("origin", ["*", "portal.example.com", "https://a.example.com/path", "https://A.example.com"])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(Refused):
        resolved({"origins": [origin]})


def test_what_is_mounted_is_named_by_the_lock_of_the_pinned_image() -> None:
    source = source_of(PIN, {"target": "compose", "registry": "r.example.com/models"})
    blob = {"digest": DIGEST, "size": 1}
    layer = {**blob, "key": "b" * 64, "diff_id": DIGEST, "mediaType": "application/vnd.oci.image.layer.v1.tar"}
    platforms = {"linux/amd64": {"manifest": blob, "config": blob, "layers": [layer]}}
    made = {"recipe": "b" * 64, "inputs": "b" * 64, "platforms": platforms}
    foundation = {"base": {"linux/amd64": "b" * 64}, "serving": "b" * 64, "codec": "gzip"}
    volume = {"digest": f"sha256:{'c' * 64}", "size": 1, "platforms": platforms}
    image = ImageSpec.read({**HEAD, "kind": "Image", **blob, **made, "foundation": foundation, "volume": volume})
    declared = source.models["churn"].manifests[1]
    mounted = dataclasses.replace(
        declared, spec=declared.spec.replaced(volume=True), images={"b" * 12: Declared("i.yaml", image)}
    )
    model = dataclasses.replace(source.models["churn"], manifests={1: mounted})

    (service,) = resolve(dataclasses.replace(source, models={"churn": model})).desired.environments["dev"].services

    assert service.volume == f"r.example.com/models/churn@sha256:{'c' * 64}"
    assert resolved({}, {"target": "compose", "registry": "r.example.com/models"}).volume == ""
