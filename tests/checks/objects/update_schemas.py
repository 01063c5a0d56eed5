"""Writes the schemas that `mmgit.checks.objects` ships: `python tests/checks/objects/update_schemas.py CRDS COMPOSE`.

And the one that tests hold policies for admission controllers against, which people apply and `mmgit check` need not.

CRDS is a folder of CustomResourceDefinitions as YAML, COMPOSE is compose-spec.json; the README beside the schemas says
where they come from.
"""

import itertools
import json
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from mmgit.checks.objects import extraction, shapes

SHIPPED = Path(extraction.__file__).parent / "schemas"
CUSTOM_KINDS = {
    "argoproj.io/v1alpha1/AppProject",
    "argoproj.io/v1alpha1/ApplicationSet",
    "gateway.networking.k8s.io/v1/HTTPRoute",
    "keda.sh/v1alpha1/ScaledObject",
    "kustomize.toolkit.fluxcd.io/v1/Kustomization",
    "monitoring.coreos.com/v1/PrometheusRule",
    "monitoring.coreos.com/v1/ServiceMonitor",
    "source.toolkit.fluxcd.io/v1/GitRepository",
}
ADMISSION = Path(__file__).parents[2] / "render" / "admission.json"
ADMISSION_KINDS = {"policies.kyverno.io/v1/ImageValidatingPolicy", "policy.sigstore.dev/v1alpha1/ClusterImagePolicy"}
# Of an ApplicationSet (1 MB) only what mmgit writes: the generator and the sources of an Application that it uses.
GENERATORS = {"git"}
SOURCE_FIELDS = {"repoURL", "targetRevision", "path", "directory"}

Schema = dict[str, Any]


def main() -> None:
    for minor, schema in shipped_kubernetes().items():
        write(f"kubernetes-{minor}", schema)
    write("custom", custom(definitions_in(Path(sys.argv[1]))))
    write("ray", ray(definitions_in(Path(sys.argv[1]), {shapes.RAY_JOB})))
    ADMISSION.write_text(text_of(custom(definitions_in(Path(sys.argv[1]), ADMISSION_KINDS), ADMISSION_KINDS)))
    write("compose", without_descriptions(json.loads(Path(sys.argv[2]).read_bytes())))


def shipped_kubernetes() -> dict[str, Schema]:
    """Each minor's schema without what a later minor lacks."""
    bundles = {minor: extraction.bundle(minor, shapes.KINDS) for minor in shapes.SHIPPED_MINORS}
    for minor, later in reversed(list(itertools.pairwise(shapes.SHIPPED_MINORS))):
        for name, definition in bundles[minor]["definitions"].items():
            known = bundles[later]["definitions"].get(name, {}).get("properties")
            if known is not None:
                definition["properties"] = {key: each for key, each in definition["properties"].items() if key in known}
    return {minor: without_the_unreachable(schema) for minor, schema in bundles.items()}


def without_the_unreachable(schema: Schema) -> Schema:
    reached: set[str] = set()
    found = _references(schema["properties"])
    while found - reached:
        name = (found - reached).pop()
        reached.add(name)
        found |= _references(schema["definitions"][name])
    return extraction.map_of(schema["properties"], {name: schema["definitions"][name] for name in reached})


def _references(schema: object) -> set[str]:
    return set(re.findall(r'"#/definitions/([^"]+)"', json.dumps(schema)))


def definitions_in(folder: Path, kinds: Collection[str] = CUSTOM_KINDS) -> Iterator[Schema]:
    names = {kind.rpartition("/")[2] for kind in kinds}
    for path in sorted(folder.rglob("*.yaml")):
        text = path.read_text()
        if any(f"    kind: {name}\n" in text for name in names):
            yield yaml.safe_load(text)


def write(name: str, schema: Schema) -> None:
    (SHIPPED / f"{name}.json").write_text(text_of(schema))


def text_of(schema: Schema) -> str:
    return json.dumps(schema, sort_keys=True, separators=(",", ":")) + "\n"


def ray(definitions: Iterable[Schema]) -> Schema:
    """The schema of a RayJob, without those of its pods, which the blueprint shares with a Job, and of its services."""
    schema = custom(definitions, {shapes.RAY_JOB})
    spec = schema["properties"][shapes.RAY_JOB]["items"]["properties"]["spec"]["properties"]
    cluster = spec["rayClusterSpec"]["properties"]
    for unused in ("submitterPodTemplate", "submitterConfig", "deletionPolicy"):
        spec.pop(unused)
    for unused in ("autoscalerOptions", "gcsFaultToleranceOptions"):
        cluster.pop(unused)
    cluster["headGroupSpec"]["properties"].pop("headService")
    for group in (cluster["headGroupSpec"], cluster["workerGroupSpecs"]["items"]):
        group["properties"]["template"] = {"type": "object", "required": ["spec"]}
    return schema


def custom(definitions: Iterable[Schema], kinds: Collection[str] = CUSTOM_KINDS) -> Schema:
    """The schema of the custom kinds, out of their CustomResourceDefinitions."""
    found = {}
    for definition in definitions:
        group, names = definition["spec"]["group"], definition["spec"]["names"]
        for version in definition["spec"]["versions"]:
            kind = f"{group}/{version['name']}/{names['kind']}"
            if kind in kinds:
                found[kind] = {"type": "array", "items": strict(kind, version["schema"]["openAPIV3Schema"])}
    assert found.keys() == kinds
    return extraction.map_of(found, {})


def strict(kind: str, schema: Schema) -> Schema:
    schema["properties"].pop("status", None)
    if kind.endswith("/ApplicationSet"):
        without_the_unused(schema["properties"]["spec"]["properties"])
    small: Schema = closed(schema)
    group, version, name = kind.split("/")
    small["properties"] |= {
        "apiVersion": {"type": "string", "enum": [f"{group}/{version}"]},
        "kind": {"type": "string", "enum": [name]},
        "metadata": extraction.METADATA,
    }
    small["required"] = ["apiVersion", "kind", "metadata", "spec"]
    return small


def without_the_unused(spec: Schema) -> None:
    generators = spec["generators"]["items"]["properties"]
    spec["generators"]["items"]["properties"] = {name: generators[name] for name in GENERATORS}
    generators["git"]["properties"].pop("template")
    application = spec["template"]["properties"]["spec"]["properties"]
    application.pop("sources")
    application.pop("sourceHydrator")
    source = application["source"]["properties"]
    application["source"]["properties"] = {name: source[name] for name in SOURCE_FIELDS}


def without_descriptions(schema: Any) -> Any:
    if isinstance(schema, list):
        return [without_descriptions(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: without_descriptions(value)
        for key, value in schema.items()
        if key != "description" or not isinstance(value, str)
    }


def closed(schema: Any) -> Any:
    """A copy in draft 7 that refuses unknown fields, as the API server's strict field validation does."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    small: Schema = {}
    for key, value in schema.items():
        if key == "properties":
            small[key] = {name: closed(item) for name, item in value.items()}
        elif key in ("default", "enum", "required"):
            small[key] = value
        elif key not in ("description", "format") and not key.startswith("x-kubernetes-"):
            small[key] = closed(value)
    if schema.get("x-kubernetes-int-or-string"):
        small = {"type": ["integer", "string"]} | {key: value for key, value in small.items() if key == "pattern"}
    if "properties" in small and not schema.get("x-kubernetes-preserve-unknown-fields"):
        small.setdefault("additionalProperties", False)
    if "(?" in str(small.get("pattern", "")):
        small.pop("pattern")  # Go's flags, which ECMA's expressions do not know
    small.pop("default", None)
    small.pop("nullable", None)
    return small


if __name__ == "__main__":
    main()
