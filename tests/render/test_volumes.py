"""Model files that are an image of their own are mounted where the server looks for them, by digest."""

from collections.abc import Callable
from typing import Any

from mmgit.desired import Desired, DesiredEnvironment, DesiredService
from mmgit.render.rendering import render

MakeService = Callable[..., DesiredService]
MakeEnvironment = Callable[..., DesiredEnvironment]
Objects = Callable[..., dict[str, dict[str, Any]]]
VOLUME = f"registry.example.com/models/churn@sha256:{'cd' * 32}"


def pod_of(objects: dict[str, dict[str, Any]]) -> Any:
    return objects["Deployment-a"]["spec"]["template"]["spec"]


def test_the_volume_is_mounted_read_only_beside_the_pinned_image(service: MakeService, objects: Objects) -> None:
    plain, mounted = (pod_of(objects(service(volume=volume))) for volume in ("", VOLUME))

    added = [each for each in mounted["volumes"] if each not in plain["volumes"]]
    assert added == [{"name": "models", "image": {"reference": VOLUME, "pullPolicy": "IfNotPresent"}}]
    mounts = mounted["containers"][0]["volumeMounts"]
    assert {"name": "models", "mountPath": "/srv/scoring/models", "readOnly": True} in mounts
    assert mounted["containers"][0]["image"] == plain["containers"][0]["image"]


def test_many_services_of_one_shape_have_each_its_own(service: MakeService, environment: MakeEnvironment) -> None:
    several = [service(f"churn-{number}", volume=VOLUME[:-1] + str(number)) for number in range(4)]

    together = render(Desired({"production": environment(*several)})).files
    alone = [render(Desired({"production": environment(each)})).files for each in several]

    assert together == {path: data for files in alone for path, data in files.items()}
