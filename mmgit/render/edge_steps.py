"""What a person types so that devices of IoT Edge run what is rendered: commands of Azure's own client, no secrets."""

from collections.abc import Iterator, Mapping

from mmgit.desired import DesiredEnvironment
from mmgit.render.edge import DEPLOYMENT
from mmgit.repository import layout

_COMMIT_CHARACTERS = 12


def steps(environment: DesiredEnvironment, written: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What each is for, and the command, which does nothing where the deployment is there. `written`: path -> commit.

    Azure never changes the content of a deployment, and of two the newer one wins. So its name says which commit wrote
    its file: what is rolled back is a new one, too.
    """
    name, folder = environment.name, layout.rendered_folder(environment.name)
    devices = f"all devices with the tag mmgit={name}"
    whole = f"{folder}/{DEPLOYMENT}"
    if whole in written:
        yield devices, _command(f"mmgit-{name}", whole, written[whole], f"{_condition(name)} --priority 1")
        return
    for service in environment.services:
        path = f"{folder}/{service.group}/{service.name}.json"
        options = f"{_condition(name)} --priority 10 --layered"
        command = _command(f"mmgit-{name}-{service.name}", path, written[path], options)
        yield f"{service.name}, a layer on {devices}", command


def _condition(environment: str) -> str:
    return f"--target-condition \"tags.mmgit='{environment}'\""


def _command(name: str, path: str, commit: str, options: str) -> str:
    named = f'--hub-name "$HUB" --deployment-id {name}-{commit[:_COMMIT_CHARACTERS]}'
    is_there = f"az iot edge deployment show {named} >/dev/null 2>&1"
    return f"{is_there} || az iot edge deployment create {named} --content {path} {options}"
