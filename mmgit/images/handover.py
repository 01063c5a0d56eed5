"""Judges a lock that another machine made and handed over, by what is declared. Reads no blob and runs nothing.

All of an image but the bytes of its new layers follows from the declarations, so all of that is computed again. A layer
whose key is locked already must be that very layer: nobody who may build can replace what other images share.
"""

from collections.abc import Iterator

from mmgit.images.assemble import Assembler, volume_plans
from mmgit.images.bases import environment_of, python_of
from mmgit.images.customise import steps_in
from mmgit.images.layers import LayerPlan
from mmgit.images.oci import config_of, serving_config
from mmgit.images.recipes import locks_of, recipe_of
from mmgit.lock import TAR, Layer, Lock, PlatformImage, blob_of, faults, layers_by_key
from mmgit.plural import counted
from mmgit.repository.files import Files
from mmgit.repository.source import Source


def objections(lock: Lock, manifest: str, source: Source, files: Files, assembler: Assembler) -> Iterator[str]:
    """Why a lock is not one of manifest `<model>/<n>` as it would be built today, in words; nothing if it is."""
    contradictions = tuple(faults(lock))
    yield from contradictions
    recipe, unopened = recipe_of(files, source, manifest, serving=assembler.serving)
    if lock.recipe != recipe.key:
        yield f"it is of recipe {lock.recipe[:12]}, but the manifest is {recipe.key[:12]} today"
    if contradictions or lock.recipe != recipe.key:
        return
    sources = unopened()
    python = python_of(sources.base).path
    volume, mounted = lock.volume, volume_plans(recipe, sources)
    mark, steps = volume.index.digest if volume else "", steps_in(sources.steps)
    known = layers_by_key(locks_of(source).values())
    if (volume is None) == bool(mounted):
        yield "it has a volume where its manifest has none, or none where it has one"
    for platform, image in volume.platforms.items() if volume else ():
        yield from (f"volume, {platform}: {words}" for words in _of_layers(image, mounted, known))
        if image.config != blob_of(config_of(platform, image.layers, {})):
            yield f"volume, {platform}: config {image.config.digest} is not the one of these layers"
    for platform, plans in assembler.plans(recipe, sources).items():
        image = lock.platforms[platform]
        yield from (f"{platform}: {words}" for words in _of_layers(image, plans, known))
        start = serving_config(python, environment_of(sources.base, platform), mark, steps)
        if image.config != blob_of(config_of(platform, image.layers, start)):
            yield f"{platform}: config {image.config.digest} is not the one of these layers"


def _of_layers(image: PlatformImage, plans: list[LayerPlan], known: dict[str, Layer]) -> Iterator[str]:
    if [layer.key for layer in image.layers] != [plan.key for plan in plans]:
        yield f"its {counted(len(image.layers), 'layer')} are not those that the manifest needs"
        return
    for layer, plan in zip(image.layers, plans, strict=True):
        if (layer.media_type == TAR) == plan.is_compressed:
            yield f"the {plan.name} layer is of type {layer.media_type}"
        locked = plan.given or known.get(layer.key, layer)
        if locked != layer:
            yield f"the {plan.name} layer is {layer.digest}, but locked as {locked.digest} already"
