"""Writes the services of a synthetic repository as users of Helm and kustomize would: one umbrella chart, one base.

Both are made of what mmgit itself renders for one service, with that service's values taken out, so that all render
the same objects. A real chart computes more, so Helm is measured at its best.
"""

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path

from generate import Service, declare, image_of

from mmgit import pipeline
from mmgit.checks.objects.extraction import bundle
from mmgit.checks.objects.shapes import KINDS
from mmgit.deliver.baseline import Surroundings
from mmgit.repository.files import Root

PATTERN = Service("pattern-name", "pattern-group", "pattern-model/7", "patternkey", 4321, "0.4321", 321, 654)
_TEXTS = {
    "pattern-model/7": "manifest",
    "pattern-model": "model",
    "pattern-name": "name",
    "pattern-group": "group",
    "patternkey": "keyId",
    "0.4321": "threshold",
}


def values(each: Service) -> dict[str, object]:
    """A service as the values of a chart."""
    return {
        "name": each.name,
        "group": each.group,
        "manifest": each.manifest,
        "model": each.manifest.partition("/")[0],
        "image": image_of(each.manifest),
        "keyId": each.key_id,
        "keyDigest": each.key_digest,
        "queue": each.queue,
        "threshold": each.threshold,
        "min": each.least,
        "max": each.most,
    }


def pattern(environment: str) -> str:
    """What mmgit renders for the pattern."""
    with tempfile.TemporaryDirectory() as folder:
        declare(Path(folder), [PATTERN], [environment])
        (text,) = pipeline.compiled(Root(Path(folder)), Surroundings()).tree.values()
    return text.decode().partition("\n")[2]


def umbrella(folder: Path, services: Iterable[Service], environment: str) -> None:
    """One chart that ranges over all services."""
    text = pattern(environment)
    settings = next(line for line in text.splitlines() if "mmgit.dev/settings" in line)
    text = text.replace(settings, settings.partition("sha256:")[0] + "sha256:{{ toJson $s | sha256sum }}")
    text = text.replace(image_of(PATTERN.manifest), "{{ $s.image }}").replace(PATTERN.key_digest, "{{ $s.keyDigest }}")
    for found, name in _TEXTS.items():
        text = text.replace(found, f"{{{{ $s.{name} }}}}")
    text = text.replace('"queue": 4321', '"queue": {{ $s.queue }}')
    text = text.replace("minReplicas: 321", "minReplicas: {{ $s.min }}")
    text = text.replace("maxReplicas: 654", "maxReplicas: {{ $s.max }}")
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: all\nversion: 0.1.0\n")
    (folder / "templates/all.yaml").write_text(f"{{{{- range $s := .Values.services }}}}\n{text}{{{{- end }}}}\n")
    (folder / "values.yaml").write_text(json.dumps({"services": [values(each) for each in services]}))


def schemas(folder: Path) -> str:
    """The schemas that mmgit checks with, as kubeconform reads them; its `-schema-location`."""
    folder.mkdir()
    for kind in KINDS:
        whole = bundle("1.36", [kind])
        one = {**whole["properties"][kind]["items"], "definitions": whole["definitions"]}
        version, name = kind.split("/")[-2:]
        (folder / f"{name.lower()}-{version}.json").write_text(json.dumps(one))
    return f"{folder}/{{{{.ResourceKind}}}}-{{{{.ResourceAPIVersion}}}}.json"


def overlays(folder: Path, services: Iterable[Service], environment: str) -> None:
    """A base with all objects, and an overlay a service: names, labels, image, replicas, settings and keys.

    Names carry a prefix instead of being replaced; otherwise these are the same objects.
    """
    (folder / "base").mkdir(parents=True)
    text = pattern(environment).replace("pattern-name", "service")
    (folder / "base/all.yaml").write_text(text)
    (folder / "base/kustomization.yaml").write_text(f"{_KUSTOMIZATION}resources: [all.yaml]\n")
    image = next(line.partition("image: ")[2] for line in text.splitlines() if " image: " in line)
    for each in services:
        overlay = folder / each.name
        overlay.mkdir()
        (overlay / "kustomization.yaml").write_text(_overlay(each, image.partition("@")[0]))


_KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


def _overlay(each: Service, image: str) -> str:
    said = values(each)
    settings = json.dumps(said, indent=2).replace("\n", "\n        ")
    keys = json.dumps({"keys": [{"name": "primary", "id": each.key_id, "digest": each.key_digest}]})
    return (
        f"{_KUSTOMIZATION}resources: [../base]\nnamePrefix: {each.name}-\n"
        f"labels:\n- includeSelectors: true\n  pairs: {{mmgit.dev/service: {each.name}}}\n"
        f"- includeTemplates: true\n  pairs: {{mmgit.dev/group: {each.group}}}\n"
        f'images:\n- {{name: {image}, digest: "{said["image"]}"}}\n'
        f"patches:\n- target: {{kind: HorizontalPodAutoscaler}}\n  patch: |-\n"
        f"    - {{op: replace, path: /spec/minReplicas, value: {each.least}}}\n"
        f"    - {{op: replace, path: /spec/maxReplicas, value: {each.most}}}\n"
        f"- target: {{kind: ConfigMap, name: service-settings}}\n  patch: |-\n"
        f"    - op: replace\n      path: /data/settings.json\n      value: |\n        {settings}\n"
        f"- target: {{kind: ConfigMap, name: service-keys}}\n  patch: |-\n"
        f"    - op: replace\n      path: /data/keys.json\n      value: |\n        {keys}\n"
    )
