"""Writes a synthetic mmgit repository in which every check passes: services × environments, models, locked images.

Image locks are made with mmgit's own recipe and lock code from the files that lie in the repository, so each pin is
proved when it is compiled. Nothing is built: digests of layers are made up.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mmgit import __version__
from mmgit.edits.locks import record
from mmgit.inputs import inputs_of
from mmgit.lock import Blob, Layer, Lock, PlatformImage, blob_of, index_of, manifest_of
from mmgit.recipe import Foundation, Recipe, key_of
from mmgit.repository.files import Root
from mmgit.repository.load import load

PLATFORMS = ("linux/amd64", "linux/arm64")
ENVIRONMENTS = ("dev", "staging", "production")
SERVICES_PER_MODEL = 10
NUMBERS = (1, 2)
_CODEC = "gzip zlib-ng 2.3.3 level 3, layer format 1"
_HEAD = "apiVersion: mmgit.dev/v1\nkind: "
_WEIGHTS = b"weights of a model that nobody loads\n"
_SCORE = "def run(rows):\n    return [sum(row) for row in rows]\n"


@dataclass(frozen=True)
class Service:
    """What differs from one service to the next."""

    name: str
    group: str
    manifest: str
    key_id: str
    queue: int
    threshold: str
    least: int
    most: int

    @property
    def key_digest(self) -> str:
        """The digest of a key that nobody has."""
        return digest_of(f"key {self.name}")


def service(number: int, services: int) -> Service:
    """Service `number` of so many: they share models, ten to one, and lie in twenty groups."""
    model = f"model-{number % max(1, services // SERVICES_PER_MODEL):04d}"
    return Service(
        name=f"score-{number:05d}",
        group=f"team-{number % 20:02d}",
        manifest=f"{model}/{NUMBERS[number % len(NUMBERS)]}",
        key_id=f"key{number:05d}",
        queue=10 + number % 7,
        threshold=f"0.{50 + number % 49}",
        least=2 + number % 3,
        most=8 + number % 5,
    )


def declare(root: Path, services: Iterable[Service], environments: Iterable[str] = ENVIRONMENTS) -> None:
    """A repository with these services in each of the environments."""
    services = tuple(services)
    _write(root / "mmgit.yaml", f'{_HEAD}Project\nmmgit: "=={__version__}"\n')
    _write(root / "bases/default.lock.yaml", _base())
    manifests = sorted({each.manifest for each in services})
    for manifest in manifests:
        _declare_model(root, manifest)
    digests = dict(_locked(root, manifests))
    for environment in environments:
        _write(root / f"environments/{environment}/environment.yaml", _environment(environment))
        for each in services:
            path = root / f"environments/{environment}/services/{each.group}/{each.name}.yaml"
            _write(path, service_text(each, environment, digests[each.manifest]))


def service_text(each: Service, environment: str, image: str) -> str:
    """The file of a service, as people write it."""
    return (
        f"# Owned by {each.group}. Edit by pull request.\n{_HEAD}Service\n"
        f'description: "Scores card payments: returns a risk between 0 and 1"\n'
        f"manifest: {each.manifest}\nimage: {image}\n"
        f"autoscale: {{min: {each.least}, max: {each.most}, target: 65}}\n"
        f"cpu: 750m\nmemory: 512Mi\nconcurrency: 4\nqueue: {each.queue}\ntimeout: 30s\n"
        f"variables:\n  LOG_LEVEL: info\n  FEATURE_STORE: redis://features.{environment}.svc:6379/0\n"
        f'  THRESHOLD: "{each.threshold}"\n  API_TOKEN: {{secret: api-keys, key: token}}\n'
        f"labels: {{tier: gold, owner: {each.group}}}\n"
        f"annotations: {{contact: {each.group}@example.com}}\n"
        f'keys:\n  - {{name: primary, id: {each.key_id}, digest: "{each.key_digest}"}}\n'
    )


def image_of(manifest: str) -> str:
    """The digest of a manifest's image."""
    return blob_of(index_of(_platforms(manifest))).digest


def digest_of(text: str) -> str:
    """A digest that is nobody's, the same each time."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _declare_model(root: Path, reference: str) -> None:
    model, number = reference.split("/")
    folder = root / "models" / model
    sha256 = hashlib.sha256(_WEIGHTS).hexdigest()
    _write(folder / "model.yaml", f"{_HEAD}Model\ndescription: a risk between 0 and 1\nowners: [risk]\n")
    version = f"{_HEAD}ModelVersion\nfiles:\n  - {{path: model.bin, sha256: {sha256}, size: {len(_WEIGHTS)}}}\n"
    _write(folder / f"versions/{number}/version.yaml", version)
    _write(folder / f"versions/{number}/model.bin", _WEIGHTS.decode())
    manifest = f'{_HEAD}Manifest\nruntime: python\npython: "3.11"\nbase: default\nmodels: [{reference}]\n'
    _write(folder / f"manifests/{number}/manifest.yaml", f"{manifest}scoring: score.py\n")
    _write(folder / f"manifests/{number}/score.py", f"# {reference}\n{_SCORE}")


def _locked(root: Path, manifests: Iterable[str]) -> Iterable[tuple[str, str]]:
    """Locks an image for each manifest; manifest -> digest."""
    opened = Root(root)
    source = load(opened).source
    assert source is not None
    for manifest in manifests:
        foundation = Foundation(
            base={platform: _key(platform) for platform in PLATFORMS}, serving=_key("serving"), codec=_CODEC
        )
        inputs = inputs_of(source, manifest, opened.read)
        platforms = _platforms(manifest)
        index = blob_of(index_of(platforms))
        lock = Lock(Recipe(inputs, foundation).key, inputs.key, foundation, index, platforms)
        for path, data in record(manifest, lock).files.items():
            assert data is not None
            _write(root / path, data.decode())
        yield manifest, lock.index.digest


def _platforms(manifest: str) -> dict[str, PlatformImage]:
    return {platform: _platform(f"{manifest} {platform}", platform) for platform in PLATFORMS}


def _platform(name: str, platform: str) -> PlatformImage:
    base = key_of({"layer": "base", "codec": _CODEC, "base": _key(platform)})
    layers = tuple(
        Layer(
            digest=digest_of(f"{made_of} layer"),
            size_bytes=5_000_000,
            diff_id=digest_of(f"{made_of} content"),
            key=key,
            media_type="application/vnd.oci.image.layer.v1.tar+gzip",
        )
        for made_of, key in [(platform, base), *((f"{name} {n}", _key(f"{name} {n}")) for n in range(1, 5))]
    )
    config = Blob(digest_of(f"{name} config"), 994)
    return PlatformImage(blob_of(manifest_of(config, layers)), config, layers)


def _key(text: str) -> str:
    return digest_of(text).removeprefix("sha256:")


def _base() -> str:
    package = f'{{name: python3-minimal, version: "3.11.2-1+b1", path: pool/p.deb, size: 10, sha256: "{"0" * 64}"}}'
    platforms = "".join(f"  {platform}:\n    - {package}\n" for platform in PLATFORMS)
    python = 'python: {path: /usr/bin/python3, minor: "3.11"}\nlibc: "2.36"\n'
    return f"{_HEAD}Base\nsuite: bookworm\npackages: [python3-minimal]\n{python}platforms:\n{platforms}"


def _environment(name: str) -> str:
    return (
        f"{_HEAD}Environment\ntarget: kubernetes\nregistry: registry.{name}.example.com/models\n"
        f"namespace: ml-{name}\nhost: {name}.example.com\naccepts: build\n"
        f"gateway: {{name: infra/public, tls: {{secret: models-tls}}}}\n"
        f"defaults:\n  labels: {{cost-center: cc-1024}}\n"
        f'  variables: {{REGION: eu-west-1, TELEMETRY_URL: "http://otel.{name}.svc:4318"}}\n'
    )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
