"""What a person types so that devices of IoT Edge run what is rendered: commands of Azure's own client, no secrets."""

from collections.abc import Iterator

from mmgit.desired import DesiredEnvironment
from mmgit.render.edge import DEPLOYMENT
from mmgit.render.target import FileTree
from mmgit.repository import layout
from mmgit.repository.header import hash_in

_HASH_CHARACTERS = 12


def steps(environment: DesiredEnvironment, files: FileTree) -> Iterator[tuple[str, str]]:
    """What each is for, and the command.

    Azure never changes the content of a deployment, so its name says which content it has.
    """
    name, folder = environment.name, layout.rendered_folder(environment.name)
    whole = f"{folder}/{DEPLOYMENT}"
    condition = f"--target-condition \"tags.mmgit='{name}'\""
    if whole in files:
        new = f'az iot edge deployment create --hub-name "$HUB" --deployment-id mmgit-{name}-{_hash(files[whole])}'
        yield f"all devices with the tag mmgit={name}", f"{new} --content {whole} {condition} --priority 1"
        return
    for service in environment.services:
        path = f"{folder}/{service.group}/{service.name}.json"
        named = f"mmgit-{name}-{service.name}-{_hash(files[path])}"
        new = f'az iot edge deployment create --hub-name "$HUB" --layered --deployment-id {named}'
        yield (
            f"{service.name}, a layer on all devices with the tag mmgit={name}",
            f"{new} --content {path} {condition} --priority 10",
        )


def _hash(data: bytes) -> str:
    return hash_in(data)[:_HASH_CHARACTERS]
