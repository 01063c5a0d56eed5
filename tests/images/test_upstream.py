"""Bases that are images: what is locked of them, and servers and images that lie."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from mmgit.errors import BuildError, MmgitError, RegistryError
from mmgit.images.credentials import Credentials
from mmgit.images.layout import Layout
from mmgit.images.registry import Reader
from mmgit.images.upstream import ImageRequest, reader_of, resolve_image
from tests.images.conftest import member, tar_of
from tests.images.foreign import DOCKER, GLIBC, LAYER, OCI, Described, Foreign, sha256, system

if TYPE_CHECKING:
    from mmgit.spec.base import BaseSpec
    from tests.images.conftest import FakeRegistry

BOTH = ("linux/amd64", "linux/arm64")


@pytest.fixture
def foreign(fake_registry: "FakeRegistry") -> Foreign:
    return Foreign(fake_registry)


@pytest.fixture
def resolve(layout: Layout) -> Callable[..., "BaseSpec"]:
    def call(reference: str, platforms: tuple[str, ...] = BOTH, **which: str) -> "BaseSpec":
        return resolve_image(ImageRequest(reference, platforms, **which), layout, reader_of(reference, lambda _: None))

    return call


Resolve = Callable[..., "BaseSpec"]


def test_a_tag_is_locked_as_what_it_stands_for_today(foreign: Foreign, resolve: Resolve) -> None:
    reference = foreign.push()

    base = resolve(reference)

    index = foreign.registry.manifests["3.12-slim"]
    assert base.image
    assert base.image.plain() == {
        "reference": reference,
        "digest": sha256(index),
        "size": len(index),
        "mediaType": f"{OCI}.index.v1+json",
    }
    assert base.python
    assert (base.python.path, base.python.minor, base.libc) == ("/usr/local/bin/python3.12", "3.12", "2.36")
    assert base.words == f"image {reference}"


def test_layers_are_locked_as_they_are_with_what_they_unpack_to(
    foreign: Foreign, resolve: Resolve, layout: Layout
) -> None:
    base = resolve(foreign.push())

    plain = base.plain()["platforms"]
    assert plain["linux/amd64"]["layers"] == [
        {"digest": sha256(data), "diff_id": sha256(layer), "size": len(data), "mediaType": f"{LAYER}+{how}"}
        for data, layer, how in zip(foreign.packed, foreign.layers, ("gzip", "zstd"), strict=True)
    ]
    assert plain["linux/arm64"]["manifest"] != plain["linux/amd64"]["manifest"]
    assert plain["linux/amd64"]["environment"] == foreign.variables
    assert all(layout.path(sha256(data)).read_bytes() == data for data in foreign.packed)


def test_an_image_as_docker_writes_it_is_taken(foreign: Foreign, resolve: Resolve) -> None:
    foreign.is_of_docker, foreign.packings = True, ("gzip", "tar")

    plain = resolve(foreign.push()).plain()

    assert plain["image"]["mediaType"] == f"{DOCKER}.distribution.manifest.list.v2+json"
    layers = plain["platforms"]["linux/amd64"]["layers"]
    assert [each["mediaType"].removeprefix(DOCKER) for each in layers] == [
        ".image.rootfs.diff.tar.gzip",
        ".image.rootfs.diff.tar",
    ]


def test_an_image_is_named_by_digest_too(foreign: Foreign, resolve: Resolve) -> None:
    repository = foreign.push().rpartition(":")[0]
    digest = sha256(foreign.registry.manifests["3.12-slim"])

    base = resolve(f"{repository}@{digest}")

    assert base.image
    assert (base.image.reference, base.image.digest) == (f"{repository}@{digest}", digest)


def test_an_image_of_one_platform_needs_no_index(foreign: Foreign, resolve: Resolve) -> None:
    base = resolve(foreign.push_one(), ("linux/amd64",))

    assert base.image
    assert base.image.digest == base.plain()["platforms"]["linux/amd64"]["manifest"]["digest"]
    with pytest.raises(BuildError, match="says in its config that it is for 'linux/amd64'"):
        resolve(foreign.push_one(), ("linux/arm64",))


def test_an_index_without_a_platform_says_which_it_has(foreign: Foreign, resolve: Resolve) -> None:
    foreign.platforms = ("linux/amd64",)

    with pytest.raises(BuildError, match="is not there for linux/arm64, but for") as raised:
        resolve(foreign.push())
    assert "linux/amd64" in raised.value.message
    assert "`platforms:` in mmgit.yaml" in raised.value.hint


def test_a_tag_that_is_not_there_is_named(foreign: Foreign, resolve: Resolve) -> None:
    foreign.push()

    with pytest.raises(RegistryError, match=r"library/python has no 3\.13"):
        resolve(f"{foreign.registry.host}/library/python:3.13")


def _of(what: str, lie: Callable[[Described], object]) -> Callable[[str, Described], object]:
    return lambda which, document: lie(document) if which == what else None


def _first(name: str, **lies: Any) -> Callable[[Described], object]:
    return lambda document: document[name][0].update(lies)


LIES: dict[str, tuple[Callable[[str, Described], object], str]] = {
    "an index that names no media type": (_of("index", lambda it: it.pop("mediaType")), "does not say its mediaType"),
    "a manifest that names none": (_of("manifest", lambda it: it.pop("mediaType")), "does not say its mediaType"),
    "a descriptor that names none": (
        _of("index", lambda it: it["manifests"][0].pop("mediaType")),
        "does not say its mediaType",
    ),
    "a layer that names none": (_of("manifest", lambda it: it["layers"][0].pop("mediaType")), "layer 1 .* mediaType"),
    "an index in an index": (_of("index", _first("manifests", mediaType=f"{OCI}.index.v1+json")), "none that mmgit"),
    "a manifest that calls itself an index": (
        _of("manifest", lambda it: it.update(mediaType=f"{OCI}.index.v1+json")),
        "is none that mmgit takes there",
    ),
    "a manifest of another size": (_of("index", _first("manifests", size=99)), "has [0-9]+ bytes, not 99"),
    "a manifest that is too large": (_of("index", _first("manifests", size=2**30)), "no size from 1 to"),
    "a size that is no number": (_of("manifest", _first("layers", size="12")), "layer 1 .* no size"),
    "a layer of another size": (_of("manifest", _first("layers", size=12)), "expected 12 bytes"),
    "a layer by another hash": (_of("manifest", _first("layers", digest="md5:abc")), "no digest by SHA-256"),
    "a layer that is nowhere": (_of("manifest", _first("layers", digest=f"sha256:{'0' * 64}")), "does not have sha256"),
    "a layer of Windows": (
        _of("manifest", _first("layers", mediaType=f"{DOCKER}.image.rootfs.foreign.diff.tar.gzip")),
        "which mmgit does not unpack",
    ),
    "a layer that unpacks to something else": (
        _of("config", lambda it: it["rootfs"]["diff_ids"].reverse()),
        "unpacks to sha256:.*, not to sha256:.* as is said",
    ),
    "a config of fewer layers": (_of("config", lambda it: it["rootfs"]["diff_ids"].pop()), "do not fit its config"),
    "a config without layers": (_of("config", lambda it: it.update(rootfs=[])), "do not fit its config"),
    "a config that is no object": (_of("config", lambda it: it.update(config=[1])), "does not say how it starts"),
    "a config of another machine": (_of("config", lambda it: it.update(architecture="s390x")), "linux/s390x"),
    "variables on two lines": (
        _of("config", lambda it: it["config"].update(Env=["A=1\nB=2"])),
        "cannot be locked: .*NAME=value",
    ),
    "no list of layers": (_of("manifest", lambda it: it.update(layers="all")), "no list 'layers'"),
    "a thousand layers": (
        _of("manifest", lambda it: it.update(layers=it["layers"] * 500)),
        "do not fit its config or are more than 100",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_image_that_lies_is_not_locked(foreign: Foreign, resolve: Resolve, lie: str) -> None:
    foreign.change, words = LIES[lie]

    with pytest.raises(MmgitError, match=words):
        resolve(foreign.push())


def test_bytes_of_another_digest_are_not_kept(foreign: Foreign, resolve: Resolve, layout: Layout) -> None:
    reference = foreign.push()
    wanted = sha256(foreign.packed[0])
    foreign.registry.blobs[wanted] = b"\0" * len(foreign.packed[0])

    with pytest.raises(RegistryError, match="got other bytes"):
        resolve(reference)

    assert not layout.path(wanted).exists()


def test_a_tag_whose_digest_the_registry_lies_about_is_refused(foreign: Foreign, resolve: Resolve) -> None:
    reference = foreign.push()
    foreign.registry.says = f"sha256:{'0' * 64}"

    with pytest.raises(RegistryError, match=r"gave other bytes than sha256:0{64}"):
        resolve(reference)


def test_a_manifest_with_other_bytes_than_its_digest_is_refused(foreign: Foreign, resolve: Resolve) -> None:
    reference = foreign.push()
    manifests = foreign.registry.manifests
    for digest in [name for name in manifests if name.startswith("sha256:")]:
        manifests[digest] += b" "

    with pytest.raises(RegistryError, match="gave other bytes"):
        resolve(reference)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("usr/bin/python3.11", "several Pythons; say which: --python /usr/bin/python3.11"),
        ("opt/mmgit/front/main.py", "holds /opt/mmgit, .*; name an image .* that it was built on"),
        ("../etc/passwd", "'../etc/passwd' is an unsafe path"),
    ],
)
def test_an_image_that_models_cannot_run_on_is_refused(
    foreign: Foreign, resolve: Resolve, path: str, words: str
) -> None:
    foreign.layers[0] = tar_of(*system(member(path, b"x", mode=0o755)))

    with pytest.raises(BuildError) as raised:
        resolve(foreign.push())
    assert re.search(words, f"{raised.value.message}; {raised.value.hint}")


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([("usr/lib/libc.so.6", GLIBC, 0o755)], "no Python that user 65532 may run"),
        ([("root/bin/python3.12", b"", 0o750)], "no Python that user 65532 may run"),
        ([("bin/python3.12", b"", 0o755)], "no glibc"),
        ([("bin/python3.12", b"", 0o755), ("lib/ld-musl-x86_64.so.1", b"", 0o755)], "C library musl"),
    ],
)
def test_an_image_without_a_python_or_a_glibc_is_refused(
    foreign: Foreign, resolve: Resolve, members: list[tuple[str, bytes, int]], words: str
) -> None:
    foreign.layers[0] = tar_of(*(member(name, data, mode=mode) for name, data, mode in members))

    with pytest.raises(BuildError, match=words):
        resolve(foreign.push())


def test_of_several_pythons_one_is_named(foreign: Foreign, resolve: Resolve) -> None:
    more = [
        member("usr/bin/python3.11", b"x", mode=0o755),
        member("venv/bin/python3", type=b"2", linkname="/usr/local/bin/python3"),
    ]
    foreign.layers[0] = tar_of(*system(*more))
    reference = foreign.push()

    by_link = resolve(reference, python="/venv/bin/python3")
    as_before = resolve(reference, likely="/usr/bin/python3.11")

    assert by_link.plain()["python"] == {"path": "/venv/bin/python3", "minor": "3.12"}
    assert as_before.plain()["python"] == {"path": "/usr/bin/python3.11", "minor": "3.11"}
    with pytest.raises(BuildError, match=r"no Python at /usr/bin/python3\.13"):
        resolve(reference, python="/usr/bin/python3.13")


def test_platforms_that_differ_in_their_python_are_refused(foreign: Foreign, resolve: Resolve) -> None:
    amd64 = foreign.push_one("amd64")
    other = Foreign(foreign.registry, platforms=("linux/arm64",))
    other.layers[0] = tar_of(member("usr/lib/libc.so.6", GLIBC), member("usr/local/bin/python3.13", mode=0o755))
    other.push_one("arm64")
    index = {"amd64": foreign.registry.manifests["amd64"], "arm64": foreign.registry.manifests["arm64"]}
    foreign.change = _of(
        "index",
        lambda it: it.update(
            manifests=[
                {
                    "mediaType": f"{OCI}.manifest.v1+json",
                    "digest": sha256(data),
                    "size": len(data),
                    "platform": {"os": "linux", "architecture": name},
                }
                for name, data in index.items()
            ]
        ),
    )

    with pytest.raises(BuildError, match="another Python or C library on each platform"):
        resolve(foreign.push())
    assert amd64.endswith(":amd64")


def test_the_hub_is_asked_where_it_answers_with_the_login_that_docker_keeps() -> None:
    asked: list[str] = []

    def find(host: str) -> Credentials | None:
        asked.append(host)
        return None

    official, own = reader_of("docker.io/python:3.12", find), reader_of("docker.io/ada/python:3.12", find)

    assert isinstance(official, Reader)
    assert str(official) == "registry-1.docker.io/library/python"
    assert str(own) == "registry-1.docker.io/ada/python"
    with pytest.raises(RegistryError):
        official._authorizer.renew('Bearer realm="http://elsewhere.example/token"', {})  # noqa: SLF001
    assert asked == ["index.docker.io"]


def test_who_only_reads_asks_for_no_more(foreign: Foreign, resolve: Resolve) -> None:
    reference = foreign.push()
    foreign.registry.wants = "Bearer x"
    foreign.registry.challenge = f'Bearer realm="http://{foreign.registry.host}/token",service="s"'

    with pytest.raises(MmgitError):
        resolve(reference)

    scopes = [asked for asked in foreign.registry.asked if "/token" in asked]
    assert scopes
    assert all("pull&" in f"{asked}&" and "push" not in asked for asked in scopes)


def test_an_image_of_a_variant_is_told_from_those_of_others(foreign: Foreign, resolve: Resolve) -> None:
    foreign.platforms = ("linux/arm/v7", "linux/s390x")

    base = resolve(foreign.push(), ("linux/arm/v7", "linux/s390x"))

    assert set(base.plain()["platforms"]) == {"linux/arm/v7", "linux/s390x"}
    foreign.change = lambda what, it: (
        [each["platform"].update(variant="v6") for each in it["manifests"]] if what == "index" else None
    )
    with pytest.raises(BuildError, match=r"is not there for linux/arm/v7, but for \['linux/arm/v6'"):
        resolve(foreign.push(), ("linux/arm/v7",))
    foreign.change = lambda what, it: it.update(variant="v6") if what == "config" else None
    with pytest.raises(BuildError, match="says in its config that it is for 'linux/arm/v6'"):
        resolve(foreign.push(), ("linux/arm/v7",))
