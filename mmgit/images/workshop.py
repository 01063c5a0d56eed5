"""Building on this machine: its image layout, its package archives, and the registries that may have layers already."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mmgit.errors import RegistryError
from mmgit.images import transfer
from mmgit.images.assemble import Assembler
from mmgit.images.builder import Builder, Built, Locked, build_all
from mmgit.images.credentials import docker_credentials
from mmgit.images.layout import Layout
from mmgit.images.models import ModelStore
from mmgit.images.origins import Mirror
from mmgit.images.proxy import build_proxy
from mmgit.images.recipes import job_of, locks_of
from mmgit.images.registry import Registry
from mmgit.lock import Layer, Lock, layers_by_key, lock_of
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.repository.source import Source
from mmgit.spec import BaseSpec


@dataclass(frozen=True)
class Workshop:
    """What building needs. `lfs` is `.git/lfs/objects`; `docker_config` the folder of docker's config.json."""

    root: Root
    mirror: Mirror
    lfs: Path
    docker_config: Path
    unreachable: set[str] = field(default_factory=set)
    """Registries that did not answer in this run: they are not asked again."""

    @cached_property
    def layout(self) -> Layout:
        """The image layout of the repository."""
        return Layout(self.root.path / layout.LAYOUT)

    @property
    def store(self) -> ModelStore:
        """Where model files are."""
        return ModelStore(self.layout, self.lfs)

    def build(self, source: Source, manifests: Iterable[str], *, is_rebuild: bool = False) -> Built:
        """Make the images of these manifests present in the layout; a locked one must come out as it is locked.

        A rebuild makes a new image with today's base and server, also where one is locked.
        """
        locks = locks_of(source)
        assembler = self._assembler(source, locks.values())
        builder: Builder = assembler if is_rebuild else Locked(assembler, locks, self.layout)
        jobs = (job_of(self.root, source, manifest, store=self.store) for manifest in manifests)
        with self.layout.in_use():
            return build_all(((job.manifest, job.recipe, job.sources) for job in jobs), builder)

    def build_proxy(self, base: BaseSpec, source: Source) -> Lock:
        """Make the image of compose's proxy present in the layout, from this base."""
        locks = [lock_of(source.proxy.spec)] if source.proxy else []
        with self.layout.in_use():
            return build_proxy(base, self._assembler(source, locks))

    def registry(self, prefix: str, name: str) -> Registry:
        """The repository of an image below an environment's `registry:`."""
        host, _, path = prefix.partition("/")
        return Registry(host, f"{path}/{name}".strip("/"), find=docker_credentials(self.docker_config))

    def push(self, lock: Lock, prefix: str, name: str) -> int:
        """Send an image to an environment's registry, and prove that it is there; the bytes sent."""
        return transfer.push(lock, self.layout, self.registry(prefix, name))

    def _assembler(self, source: Source, locks: Iterable[Lock]) -> Assembler:
        known = layers_by_key(locks)
        return Assembler(self.layout, mirror=self.mirror, known=known, pull=lambda layer: self._pull(layer, source))

    def _pull(self, layer: Layer, source: Source) -> bool:
        """Bring a locked layer from a registry of some environment, if one has it."""
        prefixes = {environment.spec.registry for environment in source.environments.values()}
        for prefix in sorted(prefix for prefix in prefixes if prefix and prefix not in self.unreachable):
            for name in (*source.models, layout.PROXY):
                try:
                    if transfer.pull_blob(layer, self.layout, self.registry(prefix, name)):
                        return True
                except RegistryError:
                    self.unreachable.add(prefix)
                    break
        return False
