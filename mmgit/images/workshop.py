"""Building on this machine: its image layout, its package archives, and the registries that may have layers already."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from mmgit.errors import BuildError, RegistryError
from mmgit.frozen import dataclass, field
from mmgit.images import transfer
from mmgit.images.assemble import Assembler
from mmgit.images.bases import layers_of
from mmgit.images.builder import NOT_TWICE, Built, Locked, gather
from mmgit.images.credentials import Access, docker_credentials
from mmgit.images.customise import RunSteps, without_engine
from mmgit.images.layers import Outlet, nowhere
from mmgit.images.layout import Layout
from mmgit.images.models import ModelStore
from mmgit.images.origins import PYPI, Index, Mirror
from mmgit.images.proxy import build_proxy, parts_of_proxy
from mmgit.images.recipes import Job, job_of, locks_of
from mmgit.images.registry import Registry
from mmgit.images.serving import INSTALLED
from mmgit.images.uploader import build_uploader, parts_of_uploader
from mmgit.images.wire import RefusedError
from mmgit.lock import Layer, Lock, layers_by_key, lock_of
from mmgit.progress import Advance, Watch, unheard, unwatched
from mmgit.recipe import newer_parts
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.repository.source import Source
from mmgit.spec import BaseSpec

if TYPE_CHECKING:
    from mmgit.images.evidence.components import Parts
    from mmgit.images.evidence.keys import Signer
    from mmgit.images.upstream import ImageRequest

_OWN = {layout.PROXY: (build_proxy, parts_of_proxy), layout.UPLOADER: (build_uploader, parts_of_uploader)}
"""Builders of mmgit's own images and what these are made of, by the name of their base."""


@dataclass(frozen=True)
class Workshop:
    """What building needs. `lfs` is `.git/lfs/objects`; `docker_config` the folder of docker's config.json."""

    root: Root
    mirror: Mirror
    lfs: Path
    docker_config: Path
    warn: Callable[[str], None] = lambda _: None
    """Is told what may be missing from an image."""
    watch: Watch = unwatched
    """Is told how far builds, downloads and uploads are."""
    everything: Callable[[], Source | None] = lambda: None
    """Loads all that is declared, where what is built is of a source that holds a part."""
    signer: "Callable[[], Signer | None]" = lambda: None
    """The key that signs what is pushed, if one is declared."""
    describes: bool = True
    """Whether images get a bill of materials and a provenance, also where nobody asks for them."""
    prefix: str | None = None
    """The registry that images go to once they are made: large layers are sent there while they are."""
    unreachable: set[str] = field(default_factory=set)
    """Registries that did not answer in this run, and repositories that they refused: they are not asked again."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Where and who we are to stores of models."""
    steps_runner: Callable[[Layout], RunSteps] = lambda _: without_engine
    """What runs steps on images of a layout."""

    @cached_property
    def layout(self) -> Layout:
        """The image layout of the repository."""
        return Layout(self.root.path / layout.LAYOUT)

    @property
    def store(self) -> ModelStore:
        """Where model files are."""
        access = Access(docker_credentials(self.docker_config), self.variables)
        return ModelStore(self.layout, self.lfs, self.watch, access)

    def build(self, source: Source, manifests: Mapping[str, str | None]) -> Built:
        """Make an image of each manifest present in the layout: manifest -> the index digest that it must have, or any.

        A locked image is taken as it is, from here or a registry; it is only made when it comes out as it is locked.
        """
        with self.layout.in_use():
            return gather(
                (manifest, partial(self._present, source, manifest, manifests[manifest])) for manifest in manifests
            )

    def rebuild(self, source: Source, manifest: str) -> Lock:
        """A new image of a manifest, with today's base and server, whatever is locked already.

        Raises:
            BuildError: it is of a recipe that is locked, and steps made other bytes.
        """
        job, locks = job_of(self.root, source, manifest, store=self.store), locks_of(source)
        with self.layout.in_use():
            lock = self._assembler(source, locks).build(job.recipe, job.sources())
            if job.recipe.inputs.steps and locks.get(lock.recipe, lock).index != lock.index:
                raise BuildError(f"the steps made other bytes than {locks[lock.recipe].index.digest} holds", NOT_TWICE)
            return self._described(lock, source, partial(_parts, job))

    def _present(self, source: Source, manifest: str, digest: str | None) -> Lock:
        job = job_of(self.root, source, manifest, store=self.store)
        assembler = self._assembler(source, locks_of(source), manifest.partition("/")[0])
        declared = source.manifest(manifest)
        images = declared.images.values() if declared else ()
        locks = {image.spec.recipe: lock_of(image.spec) for image in images if digest in (None, image.spec.digest)}
        if not locks or job.recipe.key in locks:
            lock = Locked(assembler, locks, self.layout).build(job.recipe, job.sources())
            return self._described(lock, source, partial(_parts, job))
        for lock in locks.values():
            if self._is_here(lock, source, manifest.partition("/")[0]):
                return lock
        lock = next(iter(locks.values()))
        newer = " and ".join(newer_parts(lock.foundation, job.recipe.foundation))
        raise BuildError(
            f"{lock.index.digest} is neither here nor in a registry, and was made with another {newer}",
            f"mmgit image rebuild {manifest}   makes a new image; or fetch the old one from where it was pushed",
        )

    def _is_here(self, lock: Lock, source: Source, name: str) -> bool:
        """Whether the layout holds an image, after asking the registries for what it lacks."""
        if all(self.layout.has(blob) for blob in lock.blobs):
            return True
        for prefix in self._prefixes(source, name):
            absent_bytes = sum(blob.size_bytes for blob in lock.blobs if not self.layout.has(blob))
            try:
                with self.watch(f"pulling {name}", absent_bytes) as advance:
                    transfer.pull(lock, self.layout, self.registry(prefix, name, advance))
            except transfer.AbsentError:
                pass
            except RegistryError as error:
                self._give_up(prefix, name, error)
            else:
                return True
        return False

    def build_own(self, name: str, base: BaseSpec, source: Source) -> Lock:
        """An image of mmgit's own on this base, whatever is locked already."""
        with self.layout.in_use():
            locks = _own_locks(source).values()
            build, parts = _OWN[name]
            lock = build(base, self._assembler(source, {lock.recipe: lock for lock in locks}))
            return self._described(lock, source, partial(parts, base))

    def fetch_own(self, source: Source, *names: str) -> dict[str, Lock]:
        """Make locked images of mmgit's own present in the layout, those that there are; name -> lock.

        Raises:
            BuildError: one is nowhere, and its base is not what it was made of.
        """
        found = {name: lock for name, lock in _own_locks(source).items() if name in names}
        for name, lock in found.items():
            base = source.bases.get(name)
            if not self._is_here(lock, source, name) and (
                base is None or self.build_own(name, base.spec, source).index != lock.index
            ):
                hint = f"mmgit base update {name}"
                raise BuildError(f"the {name} {lock.index.digest} is neither here nor in a registry", hint)
            parts = partial(_OWN[name][1], base.spec) if base is not None else None
            if parts is not None and parts().recipe.key == lock.recipe:
                self._described(lock, source, parts)
        return found

    def resolve_image(self, request: "ImageRequest") -> BaseSpec:
        """The base that an image is today; its layers are in the layout afterwards. Raises `MmgitError`."""
        from mmgit.images.upstream import resolve_image  # noqa: PLC0415 - building stands on what is locked

        with self.layout.in_use(), self.watch(f"pulling {request.reference}") as advance:
            return resolve_image(request, self.layout, self._upstream(request.reference, advance))

    def bring_layer(self, layer: Layer, base: BaseSpec) -> None:
        """Bring a layer of a base from the registry of the image that it is. Raises `MmgitError`: it is not there."""
        from mmgit.images.untar import Unpacked  # noqa: PLC0415 - most bases are packages

        if base.image is None:
            raise BuildError(f"{layer.digest} is of no image")
        with self.watch("pulling a layer of the base", layer.size_bytes) as advance:
            registry = self._upstream(base.image.reference, advance)
            if not transfer.pull_blob(layer, self.layout, registry):
                hint = "mmgit base update, then `mmgit image rebuild`; images that are in a registry need neither"
                raise BuildError(f"{registry} does not have {layer.digest}, a layer of the base, any more", hint)
        path = self.layout.path(layer.digest)
        try:
            list(Unpacked(path, layer))  # what it unpacks to is what is locked
        except BuildError:
            path.unlink()
            raise

    def describe(self, lock: Lock, source: Source, manifest: str) -> None:
        """Keep what the locks say of an image beside it, unless its manifest makes another image by now."""
        job = job_of(self.root, source, manifest, store=self.store)
        if job.recipe.key == lock.recipe:
            self._described(lock, source, partial(_parts, job))

    def _described(self, lock: Lock, source: Source, parts: "Callable[[], Parts]") -> Lock:
        """The image, with what its locks say of it beside it in the layout."""
        if not (self.describes or source.wants_evidence or self.signer()):
            return lock
        from mmgit.images.evidence.sbom import MEDIA_TYPE  # noqa: PLC0415 - a release need not wait for it
        from mmgit.images.evidence.statements import statements  # noqa: PLC0415 - as above

        digest = lock.index.digest
        if not any(each.type == MEDIA_TYPE for each in self.layout.attached(digest)):
            try:
                for artifact in statements(lock.index, parts()):
                    self.layout.attach(artifact, digest)
            except BuildError as error:
                self.warn(f"{digest} has no bill of materials: {error.message}")
        return lock

    def registry(self, prefix: str, name: str, advance: Advance = unheard) -> Registry:
        """As `registry_at`, with the logins of this machine."""
        return registry_at(prefix, name, self.docker_config, advance)

    def push(self, lock: Lock, prefix: str, name: str, bases: Iterable[BaseSpec] = ()) -> int:
        """Send an image to an environment's registry, and prove that it is there; the bytes sent.

        Layers of `bases` that are images of the same registry are mounted from there.
        """
        with self.watch(f"pushing {name}", sum(blob.size_bytes for blob in lock.blobs)) as advance:
            registry = self.registry(prefix, name, advance)
            mountable = {digest: each for base in bases for digest, each in self._mountable(base, registry.host)}
            for blob in lock.blobs:
                if blob.digest in mountable and not registry.has(blob):
                    registry.mount(blob, mountable[blob.digest])
            sent_bytes = transfer.push(lock, self.layout, registry)
        self.accompany(lock, prefix, name)
        return sent_bytes

    def bring(self, lock: Lock, prefix: str, name: str, *, origin: str | None = None) -> int:
        """Have an environment's registry give an image by digest, as `push`; what is missing here is at `origin`."""
        size_bytes = sum(blob.size_bytes for blob in lock.blobs)
        with self.layout.in_use(), self.watch(f"copying {name}", size_bytes) as advance:
            there = self.registry(origin, name) if origin else None
            sent_bytes = transfer.push(lock, self.layout, self.registry(prefix, name, advance), origin=there)
        self.accompany(lock, prefix, name, origin=origin)
        return sent_bytes

    def accompany(self, lock: Lock, prefix: str, name: str, *, origin: str | None = None) -> None:
        """Send what is said of an image after it: what is here, and what is at `origin`."""
        digest, signer = lock.index.digest, self.signer()
        if origin:
            self.gather(lock, name, origin)
        if not (signer or self.layout.attached(digest)):
            return
        from mmgit.images.evidence import moving  # noqa: PLC0415 - a release need not wait for it

        with self.layout.in_use():
            if signer:
                self.sign(lock, name, signer)
            moving.send(digest, self.layout, self.registry(prefix, name))

    def gather(self, lock: Lock, name: str, origin: str) -> None:
        """Bring what is said of an image at `origin` into the layout; warns of what cannot be had."""
        from mmgit.images.evidence import moving  # noqa: PLC0415 - as above

        with self.layout.in_use():
            try:
                for words in moving.fetch(lock.index.digest, self.layout, self.registry(origin, name)):
                    self.warn(words)
            except RegistryError as error:
                self.warn(f"what {origin} says of {name} did not come along: {error.message}")

    def sign(self, lock: Lock, name: str, signer: "Signer") -> None:
        """Keep a signature of an image, and of what is said of it, beside it in the layout."""
        from mmgit.images.evidence.shelves import LayoutShelf  # noqa: PLC0415 - few have a key
        from mmgit.images.evidence.signing import signed  # noqa: PLC0415 - as above

        for artifact in signed(lock.index, name, LayoutShelf(self.layout), signer):
            self.layout.attach(artifact, lock.index.digest)

    def _assembler(self, source: Source, locks: Mapping[str, Lock], name: str = "") -> Assembler:
        known = layers_by_key(locks.values())
        pull = partial(self._pull, source=source)
        return Assembler(
            layout=self.layout,
            mirror=self.mirror,
            packages=_index_of(source),
            known=known,
            pull=pull,
            bring=self.bring_layer,
            elsewhere=self._elsewhere,
            warn=self.warn,
            absent=source.project.spec.absent_libraries,
            run_steps=self.steps_runner(self.layout),
            watch=self.watch,
            ahead=partial(self._ahead, name) if self.prefix and name else nowhere,
        )

    def _ahead(self, name: str, size_bytes: int) -> AbstractContextManager[Outlet]:
        from mmgit.images.ahead import ahead_to  # noqa: PLC0415 - most layers are there

        return ahead_to(lambda: self.registry(self.prefix or "", name), size_bytes)

    def _upstream(self, reference: str, advance: Advance = unheard) -> Registry:
        from mmgit.images.upstream import reader_of  # noqa: PLC0415 - most bases are packages

        return reader_of(reference, docker_credentials(self.docker_config), advance)

    def _mountable(self, base: BaseSpec, host: str) -> Iterator[tuple[str, str]]:
        """The layers of a base that is an image of that registry, by digest, and the repository that has them."""
        if base.image and (registry := self._upstream(base.image.reference)).host == host:
            for platform in base.platforms:
                yield from ((layer.digest, registry.name) for layer in layers_of(base, platform))

    def _elsewhere(self, key: str) -> Layer | None:
        """The layer of a key, if any lock of the repository holds it and it is here or in a registry."""
        source = self.everything()
        layer = layers_by_key(locks_of(source).values()).get(key) if source else None
        if source is None or layer is None:
            return None
        return layer if self.layout.has(layer) or self._pull(layer, source) else None

    def _pull(self, layer: Layer, source: Source) -> bool:
        """Bring a locked layer from a registry of some environment, if one has it."""
        for name, prefix in self._repositories(source):
            try:
                with self.watch(f"pulling a layer of {name}", layer.size_bytes) as advance:
                    if transfer.pull_blob(layer, self.layout, self.registry(prefix, name, advance)):
                        return True
            except RegistryError as error:
                self._give_up(prefix, name, error)
        return False

    def _repositories(self, source: Source) -> Iterator[tuple[str, str]]:
        """Each image and registry that may have it, as far as is known when it is asked for."""
        for name in (*source.models, *layout.OWN_IMAGES):
            yield from ((name, prefix) for prefix in self._prefixes(source, name))

    def _prefixes(self, source: Source, name: str) -> list[str]:
        """The registries of all environments that may have the repository of an image, as far as is known."""
        found = {environment.spec.registry for environment in source.environments.values()}
        return sorted(each for each in found if each and not self.unreachable & {each, f"{each}/{name}"})

    def _give_up(self, prefix: str, name: str, error: RegistryError) -> None:
        self.unreachable.add(f"{prefix}/{name}" if isinstance(error, RefusedError) else prefix)


def registry_at(prefix: str, name: str, docker_config: Path, advance: Advance = unheard) -> Registry:
    """The repository of an image below an environment's `registry:`; `advance` is told of the bytes of blobs."""
    host, _, path = prefix.partition("/")
    return Registry(host, f"{path}/{name}".strip("/"), find=docker_credentials(docker_config), advance=advance)


def _parts(job: Job) -> "Parts":
    from mmgit.images.evidence.components import parts_of  # noqa: PLC0415 - a release need not wait for it

    return parts_of(job.recipe, job.sources(), INSTALLED)


def _index_of(source: Source) -> Index:
    if not source.project.spec.packages.indexes:
        return PYPI
    from mmgit.images.locking import index_of  # noqa: PLC0415 - most projects name none

    return index_of(source.project.spec)


def _own_locks(source: Source) -> dict[str, Lock]:
    return {name: lock_of(image.spec) for name, image in source.own_images.items()}
