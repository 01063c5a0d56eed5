"""Whether the registry of an environment answers, and has every image that is pinned there."""

from collections.abc import Callable, Iterator, Sequence

from mmgit.deliver.cluster.doctor import Examined
from mmgit.desired import DesiredService
from mmgit.errors import RegistryError
from mmgit.images.parallel import parallel
from mmgit.images.registry import Registry
from mmgit.lock import INDEX_MEDIA_TYPE

_REQUESTS_AT_ONCE = 6

RegistryOf = Callable[[str], Registry]
"""The repository `<host>/<name>`, with our login there."""


def examine_images(environment: str, services: Sequence[DesiredService], registry_of: RegistryOf) -> Iterator[Examined]:
    """The registry, then each pinned image that it lacks, or how many it has."""
    pinned = {service.image: service.name for service in services}
    for host in sorted({image.partition("/")[0] for image in pinned}):
        try:
            registry_of(f"{host}/").ping()
        except RegistryError as error:
            yield Examined(f"registry {host}", "wrong", error.message, error.hint or f"docker login {host}")
            return
    found = parallel(
        lambda image: _image(environment, image, pinned[image], registry_of), sorted(pinned), at_once=_REQUESTS_AT_ONCE
    )
    wrong = [each for each in found if each is not None]
    yield from wrong
    if not wrong:
        yield Examined("pinned images", "ok", f"{len(found)} in the registry")


def _image(environment: str, image: str, service: str, registry_of: RegistryOf) -> Examined | None:
    """What is wrong with an image, if anything is."""
    name, _, digest = image.partition("@")
    try:
        data = registry_of(name).manifest(digest, INDEX_MEDIA_TYPE)
    except RegistryError as error:
        return Examined(
            f"image {image}", "wrong", error.message, error.hint or f"docker login {name.partition('/')[0]}"
        )
    if data is None:
        return Examined(
            f"image {image}",
            "wrong",
            f"the registry does not have it, and service {service} runs it",
            f"mmgit release {service} --env {environment}",
        )
    return None
