"""What a build takes from registries: one that lacks an image is still asked for others."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from mmgit.errors import BuildError
from mmgit.images.origins import DEBIAN
from mmgit.images.registry import Registry
from mmgit.images.transfer import push
from mmgit.images.workshop import Workshop
from mmgit.lock import spec_of
from mmgit.repository.files import Root

if TYPE_CHECKING:
    from tests.images.conftest import FakeRegistry, World


@pytest.mark.parametrize("faults", [[], [("GET", "/ml/proxy/", 403)]])
def test_a_registry_that_lacks_an_image_or_refuses_it_is_asked_for_others(
    world: "World", fake_registry: "FakeRegistry", tmp_path: Path, faults: list[tuple[str, str, int | str]]
) -> None:
    lost = world.build()
    there = replace(world, model=b"other weights").build()
    push(there, world.layout, Registry(fake_registry.host, "ml/uploader"))
    images = {name: SimpleNamespace(spec=spec_of(lock)) for name, lock in (("proxy", lost), ("uploader", there))}
    environment = SimpleNamespace(spec=SimpleNamespace(registry=f"{fake_registry.host}/ml"))
    source: Any = SimpleNamespace(own_images=images, bases={}, environments={"test": environment})
    (tmp_path / "repository").mkdir()
    workshop = Workshop(Root(tmp_path / "repository"), DEBIAN, tmp_path, tmp_path)

    fake_registry.faults += faults

    with pytest.raises(BuildError, match=r"the proxy .* is neither here nor in a registry"):
        workshop.fetch_own(source, "proxy")

    assert workshop.fetch_own(source, "uploader") == {"uploader": there}
    assert all(workshop.layout.has(blob) for blob in there.blobs)
