"""The builder without a daemon: plans every layer by key, takes those that are there, makes the others."""

import hashlib
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mmgit.errors import BuildError
from mmgit.frozen import asdict, dataclass, field
from mmgit.images import codec
from mmgit.images.bases import base_key, environment_of, layers_of, packages_of, python_of
from mmgit.images.builder import Sources
from mmgit.images.conda.place import Prefix
from mmgit.images.customise import RunSteps, as_in_image, ground_of, refuse_without_shell, steps_in, without_engine
from mmgit.images.layers import Ahead, LayerPlan, holds_no_binary, layer_key, nowhere, plan, write
from mmgit.images.layout import Layout
from mmgit.images.needs import JVM, Contents, lack_of, of_other_pythons, remembered
from mmgit.images.oci import put_index, put_platform_image, serving_config
from mmgit.images.origins import DEBIAN, PYPI, Index, Machine, Mirror
from mmgit.images.parallel import parallel
from mmgit.images.scoring import model_plans, scoring_plan
from mmgit.images.serving import INSTALLED, Serving
from mmgit.images.tar import Entry
from mmgit.lock import TAR, Layer, Lock, Volume
from mmgit.plural import counted
from mmgit.progress import Watch, unwatched
from mmgit.recipe import Foundation, Recipe, newer_parts
from mmgit.steps import Run

if TYPE_CHECKING:
    from mmgit.spec.base import BaseSpec

DEPENDENCIES = "opt/dependencies"
_ROUNDS = 3
_OF_USERS = frozenset({"dependencies", "scoring", "model"})


def foundation_of(
    base: "BaseSpec",
    platforms: Iterable[str],
    *,
    serving: Serving = INSTALLED,
    documents: Mapping[str, bytes] | None = None,
) -> Foundation:
    """What mmgit brings to an image today, for `platforms`.

    Raises:
        BuildError: the base is not locked for one of them.
    """
    platforms = sorted(platforms)
    return Foundation(
        base={platform: base_key(base, platform) for platform in platforms},
        serving=serving.identity_on(platforms),
        codec=codec.NAME,
        documents={path: hashlib.sha256(data).hexdigest() for path, data in sorted((documents or {}).items())},
    )


@dataclass(frozen=True)
class Assembler:
    """Makes images from the layout's layers, those of other builds, and the package archives."""

    layout: Layout
    mirror: Mirror = DEBIAN
    index: Index = PYPI
    """Where mmgit's own packages come from."""
    serving: Serving = INSTALLED
    known: Mapping[str, Layer] = field(default_factory=dict)
    """Layer key -> layer, from all locks."""
    pull: Callable[[Layer], bool] = lambda _: False
    """Brings a layer from a registry into the layout, if one has it."""
    bring: Callable[[Layer, "BaseSpec"], None] = lambda *_: None
    """Brings a layer of a base that is an image from that image's registry into the layout."""
    elsewhere: Callable[[str], Layer | None] = lambda _: None
    """Finds a layer by key in locks that `known` is not of, and brings it into the layout."""
    warn: Callable[[str], None] = lambda _: None
    """Gets what people should know of an image that was made all the same."""
    watch: Watch = unwatched
    ahead: Ahead = nowhere
    """Where layers go while they are made."""
    absent: Collection[str] = ()
    """Libraries that binaries may name though an image lacks them."""
    packages: Index | None = None
    """Where the packages of a project come from, if not from `index`."""
    run_steps: RunSteps = without_engine
    """Runs what customises an image."""

    def build(self, recipe: Recipe, sources: Sources) -> Lock:
        """The image of `recipe`. Raises `BuildError`: something that it is made of cannot be had, or is not that."""
        plans, mounted = self.plans(recipe, sources), volume_plans(recipe, sources)
        layers = self._layers({each.key: each for group in (*plans.values(), mounted) for each in group})
        volume = self._volume([layers[each.key] for each in mounted], plans) if mounted else None
        mark = volume.index.digest if volume else ""
        steps = steps_in(sources.steps)
        for platform, group in plans.items():
            self._refuse_lack(platform, [*group, *mounted], layers, sources, recipe.inputs.runtime)
        platforms = {
            platform: put_platform_image(
                platform,
                [layers[each.key] for each in group],
                serving_config(python_of(sources.base).path, environment_of(sources.base, platform), mark, steps),
                self.layout,
            )
            for platform, group in plans.items()
        }
        index = put_index(platforms, self.layout)
        return Lock(recipe.key, recipe.inputs.key, recipe.foundation, index, platforms, volume)

    def _volume(self, layers: Sequence[Layer], platforms: Iterable[str]) -> Volume:
        images = {platform: put_platform_image(platform, layers, {}, self.layout) for platform in platforms}
        return Volume(put_index(images, self.layout), images)

    def plans(self, recipe: Recipe, sources: Sources) -> dict[str, list[LayerPlan]]:
        """The layers of each platform, from the lowest up. Nothing is opened. Raises `BuildError` as `build`."""
        _check(recipe, sources, self.serving)
        shared = [scoring_plan(recipe.inputs, sources.files, sources.documents)]
        if not recipe.inputs.volume:
            shared += model_plans(recipe.inputs.models, sources.models)
        return {platform: [*self._lower(platform, recipe, sources), *shared] for platform in recipe.foundation.base}

    def _lower(self, platform: str, recipe: Recipe, sources: Sources) -> list[LayerPlan]:
        """The layers below the manifest's own files: base, dependencies, serving."""
        base = sources.base
        python = python_of(base)
        machine = Machine(platform, python.minor, python.path, base.libc)
        built_for = {"machine": [*asdict(machine).values()]}
        plans = self._base_plans(base, platform)
        if sources.pylock is not None:
            made_of = {**built_for, "lock": recipe.inputs.dependencies}
            made_of |= {"conda": recipe.inputs.conda} if recipe.inputs.conda else {}
            note = _note(layer_key("dependencies", made_of), platform)
            dependencies = partial(self._dependency_entries, sources, machine, note)
            plans.append(plan("dependencies", made_of, dependencies))
        if sources.steps is not None and (runs := steps_in(sources.steps).runs):
            below = {"steps": recipe.inputs.steps, "below": [each.key for each in plans]}
            plans.append(plan("steps", below, partial(self._step_entries, platform, tuple(plans), runs, sources)))
        serving = partial(self.serving.entries, machine=machine, index=self.index)
        return [*plans, plan("serving", {**built_for, "serving": self.serving.identity_on([platform])}, serving)]

    def base_layers(self, base: "BaseSpec") -> dict[str, Layer]:
        """The layer of a base of packages for each of its platforms. Raises `BuildError`: a package cannot be had."""
        plans = {platform: self._base_plans(base, platform)[0] for platform in base.platforms}
        layers = self._layers({each.key: each for each in plans.values()})
        return {platform: layers[each.key] for platform, each in plans.items()}

    def layers_on(
        self, base: "BaseSpec", name: str, made_of: Mapping[str, object], entries: Callable[..., Iterable[Entry]]
    ) -> dict[str, list[Layer]]:
        """The layers of a base and one on them, for each of its platforms; `entries` are told machine and index.

        Raises:
            BuildError: a package cannot be had.
        """
        python = python_of(base)
        plans = {}
        for platform in base.platforms:
            machine = Machine(platform, python.minor, python.path, base.libc)
            made = partial(entries, machine=machine, index=self.index)
            plans[platform] = [
                *self._base_plans(base, platform),
                plan(name, {"machine": [*asdict(machine).values()], **made_of}, made),
            ]
        layers = self._layers({each.key: each for group in plans.values() for each in group})
        return {platform: [layers[each.key] for each in group] for platform, group in plans.items()}

    def _base_plans(self, base: "BaseSpec", platform: str) -> list[LayerPlan]:
        """The one layer of a base of packages, or those of an image."""
        if layers := layers_of(base, platform):
            bring = partial(self._given_entries, base)
            return [
                LayerPlan("base", each.key, partial(bring, each), is_compressed=each.media_type != TAR, given=each)
                for each in layers
            ]
        return [plan("base", {"base": base_key(base, platform)}, partial(self._base_entries, base, platform))]

    def _layers(self, plans: Mapping[str, LayerPlan]) -> dict[str, Layer]:
        found = {key: self._there(planned) for key, planned in plans.items()}
        absent = [plans[key] for key, layer in found.items() if layer is None]
        rounds = ([each for each in absent if _round(each) == number] for number in range(_ROUNDS))
        made = [layer for each in rounds for layer in parallel(self._make, each, at_once=os.cpu_count() or 1)]
        return {key: layer for key, layer in found.items() if layer} | {layer.key: layer for layer in made}

    def _there(self, planned: LayerPlan) -> Layer | None:
        known = planned.given or self.known.get(planned.key)
        if known is not None and self.layout.has(known):
            return known
        return self.layout.recall(planned.key) if known is None else None

    def _make(self, planned: LayerPlan) -> Layer:
        with self.layout.alone(planned.key):
            return self._there(planned) or self._made(planned)

    def _made(self, planned: LayerPlan) -> Layer:
        known = self.known.get(planned.key)
        if known is not None and self.pull(planned.given or known):
            return planned.given or known
        if planned.given:
            planned.entries(Path(os.devnull))
            return planned.given
        if planned.is_assembled and (found := self.elsewhere(planned.key)):
            self.layout.remember(found)
            return found
        try:
            return write(planned, self.layout, self.watch, self.ahead)
        except BuildError:
            # the files of this layer may be missing here, and the layer be in a registry
            if planned.is_assembled or not (found := self.elsewhere(planned.key)):
                raise
            return found

    def _given_entries(self, base: "BaseSpec", layer: Layer, _: Path) -> tuple[Entry, ...]:
        """A layer of a base that is an image has no entries of ours: it comes as it is."""
        self.bring(layer, base)
        return ()

    def _base_entries(self, base: "BaseSpec", platform: str, _: Path) -> list[Entry]:
        from mmgit.images.packages import base_entries  # noqa: PLC0415 - only a cold build fetches packages

        packages = packages_of(base, platform)
        return base_entries(packages, base.suite, self.layout, self.mirror, watch=self.watch)

    def _dependency_entries(self, sources: Sources, machine: Machine, note: str, scratch: Path) -> Iterator[Entry]:
        from mmgit.images.binaries import contents_of_folder  # noqa: PLC0415 - few dependencies are new
        from mmgit.images.site import lay_out, site_entries  # noqa: PLC0415 - the same

        if sources.conda is not None:
            yield from self._conda_entries(sources, machine, scratch)
            return
        with self.watch(f"laying out Python packages for {machine.platform}"):
            index = self.packages or self.index
            lay_out(sources.pylock or b"", machine, scratch, index=index, wheels=sources.wheels)
        remembered(self.layout, note, partial(contents_of_folder, scratch, machine.platform))
        yield from site_entries(scratch, DEPENDENCIES, machine.interpreter)

    def _conda_entries(self, sources: Sources, machine: Machine, scratch: Path) -> Iterator[Entry]:
        """The environment of conda's own packages, with the others where its Python looks for them."""
        from mmgit.images.site import lay_out, site_entries  # noqa: PLC0415 - the same

        assert sources.conda is not None  # noqa: S101 - whoever asks has looked
        prefix = Prefix(machine.python)
        parts = [scratch / name for name in ("conda", "site")]
        for part in parts:
            part.mkdir()
        with self.watch(f"laying out conda packages for {machine.platform}"):
            yield from sources.conda.entries(machine.platform, prefix, self.layout, parts[0], self.warn)
        index = self.packages or self.index
        lay_out(sources.pylock or b"", machine, parts[1], index=index, wheels=sources.wheels)
        yield from site_entries(parts[1], f"{prefix.path}/{prefix.site_packages}", prefix.interpreter)

    def _step_entries(
        self, platform: str, below: Sequence[LayerPlan], runs: Sequence[Run], sources: Sources, scratch: Path
    ) -> Iterable[Entry]:
        """What steps change of the layers below, which are there by now."""
        there = [layer for each in below if (layer := self._there(each))]
        of_base = there[: sum(each.name == "base" for each in below)]
        refuse_without_shell(of_base, self.layout, sources.base, sources.base_name)
        inherited = environment_of(sources.base, platform)
        ground = ground_of(platform, there, inherited, self.layout)
        with self.watch(f"running {counted(len(runs), 'step')} for {platform}"):
            return self.run_steps(ground, [as_in_image(run, inherited) for run in runs], scratch)

    def _refuse_lack(
        self, platform: str, group: list[LayerPlan], layers: Mapping[str, Layer], sources: Sources, runtime: str
    ) -> None:
        """Raise `BuildError` where binaries in the layers, or a runtime, need what neither they nor the base have."""

        def read(planned: LayerPlan) -> Contents:
            from mmgit.images.binaries import contents_of_layer  # noqa: PLC0415 - most are read already

            return contents_of_layer(layers[planned.key], self.layout, platform)

        def read_base() -> Contents:
            from mmgit.images.binaries import contents_of_base  # noqa: PLC0415 - as above

            return contents_of_base([layers[each.key] for each in lowest], self.layout, platform)

        own = [
            remembered(self.layout, _note(each.key, platform), partial(read, each))
            for each in group
            if each.name in _OF_USERS and not holds_no_binary(each.key, self.layout)
        ]
        needs_java = runtime == "spark-py"
        if not needs_java and not any(each.libraries or each.versions for each in own):
            return
        minor = python_of(sources.base).minor
        wheels = 0 if sources.pylock is None else 1  # they may have modules for several, and are chosen by their tags
        for name, other in (pair for each in own[wheels:] for pair in of_other_pythons(each, minor).items()):
            raise BuildError(
                f"{platform}: {name} is for Python {other}, and base `{sources.base_name}` has {minor}",
                f"build it for Python {minor}, or use one with {other}: mmgit base update NAME --suite … or --image …",
            )
        lowest = [each for each in group if each.name == "base"]
        below = remembered(self.layout, _note(lowest[0].key, platform), read_base)
        for each in group:
            if each.name == "steps":  # which need not make the same bytes again, so its note is of these
                note = _note(f"{each.key}.{layers[each.key].digest.removeprefix('sha256:')}", platform)
                names = remembered(self.layout, note, partial(read, each)).names
                own.append(Contents(names))  # what brings programs brings what they need
        if needs_java and not any(JVM in each.names for each in (below, *own)):
            from mmgit.images.remedies import without_java  # noqa: PLC0415 - nothing lacks mostly

            raise without_java(platform, sources.base, sources.base_name)
        lack = lack_of(below, own, self.absent)
        if lack.libraries or lack.versions:
            from mmgit.images.remedies import lacking  # noqa: PLC0415 - nothing lacks mostly

            with self.watch(f"looking for packages of {sources.base.words}"):
                raise lacking(lack, platform, sources.base, sources.base_name, self.mirror)


def _round(planned: LayerPlan) -> int:
    """What needs the base comes after it, and what needs all that lies below comes last."""
    return {"base": 0, "steps": _ROUNDS - 1}.get(planned.name, 1)


def _note(key: str, platform: str) -> str:
    """Under which name it is noted what a layer holds."""
    return f"{key}.{platform.rpartition('/')[2]}.needs"


def volume_plans(recipe: Recipe, sources: Sources) -> list[LayerPlan]:
    """The layers of model files that are mounted; none where they are in the image."""
    return model_plans(recipe.inputs.models, sources.models, is_volume=True) if recipe.inputs.volume else []


def _check(recipe: Recipe, sources: Sources, serving: Serving) -> None:
    """That the sources are those of the recipe, as far as it can be seen without opening files."""
    wanted, has = recipe.inputs.python, python_of(sources.base).minor
    if wanted != has:
        raise BuildError(
            f"the manifest asks for Python {wanted}, but {sources.base.words} has Python {has}",
            f'a base has one Python: set `python: "{has}"`, or name another base',
        )
    today = foundation_of(sources.base, recipe.foundation.base, serving=serving, documents=sources.documents)
    locks = [sources.pylock, sources.conda.lock if sources.conda else None, sources.steps]
    locked = [hashlib.sha256(lock).hexdigest() if lock is not None else None for lock in locks]
    inputs = recipe.inputs
    frozen = {"dependencies": inputs.dependencies, "conda": inputs.conda, "steps": inputs.steps}
    parts = newer_parts(recipe.foundation, today)
    parts += tuple(name for name, digest in zip(frozen, locked, strict=True) if frozen[name] != digest)
    if today != recipe.foundation or parts:
        raise BuildError(f"the recipe was made with another {' and '.join(parts)}", "mmgit image rebuild")
