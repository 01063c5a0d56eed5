"""The image of compose's proxy: HAProxy from the same kind of Debian lock as every base, and nothing else.

Its base is called `proxy`; its lock file lies beside the base's. Configuration is mounted, never baked in.
"""

from typing import TYPE_CHECKING

from mmgit.images import codec
from mmgit.images.assemble import Assembler
from mmgit.images.bases import base_key
from mmgit.images.oci import put_index, put_platform_image
from mmgit.lock import Lock
from mmgit.recipe import Foundation, Inputs, Recipe, key_of

if TYPE_CHECKING:
    from mmgit.images.evidence.components import Parts
    from mmgit.spec.base import BaseSpec

PACKAGES = ("haproxy",)
_CONFIG = {
    "Entrypoint": ["/usr/sbin/haproxy", "-W", "-db", "-f"],
    "Cmd": ["/etc/haproxy"],
    "Env": ["PATH=/usr/sbin:/usr/bin:/bin"],
    "User": "65532:65532",
    "WorkingDir": "/",
}


def parts_of_proxy(base: "BaseSpec") -> "Parts":
    """What the proxy's image is made of: the base alone, and how it starts."""
    from mmgit.images.evidence.components import Parts  # noqa: PLC0415 - a release need not wait for it

    foundation = Foundation(
        base={platform: base_key(base, platform) for platform in sorted(base.platforms)},
        serving=key_of(_CONFIG),
        codec=codec.NAME,
    )
    return Parts(Recipe(Inputs(runtime="haproxy", python="", scoring="", files=(), models=()), foundation), base)


def build_proxy(base: "BaseSpec", assembler: Assembler) -> Lock:
    """Make the proxy's image present in the layout. Raises `BuildError`: a package cannot be had."""
    recipe = parts_of_proxy(base).recipe
    platforms = {
        platform: put_platform_image(platform, [layer], _CONFIG, assembler.layout)
        for platform, layer in assembler.base_layers(base).items()
    }
    return Lock(recipe.key, recipe.inputs.key, recipe.foundation, put_index(platforms, assembler.layout), platforms)
