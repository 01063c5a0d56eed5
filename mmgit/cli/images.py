"""`mmgit image`: what was built."""

from collections.abc import Iterator
from typing import Any

import click

from mmgit.cli.context import find_root
from mmgit.cli.editing import editing, loaded
from mmgit.cli.grouped import Grouped
from mmgit.cli.output import Form, output_option, print_one, print_rows
from mmgit.cli.vouching import sign, verify
from mmgit.errors import UsageError
from mmgit.repository import layout
from mmgit.repository.source import Source

COLUMNS = ("manifest", "image", "platforms", "size_mb", "used_by")


@click.group(cls=Grouped)
def image() -> None:
    """List, show, rebuild, sign, verify, serve and collect images."""


image.add_command(sign)
image.add_command(verify)


@image.command(name="list")
@output_option
def list_(form: Form) -> None:
    """List the locked images of all manifests."""
    print_rows(list(_rows(loaded(find_root()))), COLUMNS, form)


@image.command()
@click.argument("digest")
@output_option
def show(digest: str, form: Form) -> None:
    """Show the image whose DIGEST begins like this: its layers, and where it is pinned."""
    start = digest.removeprefix("sha256:")
    found = [row for row in _rows(loaded(find_root())) if row["image"].removeprefix("sha256:").startswith(start)]
    if len(found) != 1:
        raise UsageError(f"{len(found)} images begin with {digest}", "mmgit image list")
    print_one(found[0], form)


@image.command()
@click.argument("manifest", metavar="MODEL/N")
def rebuild(manifest: str) -> None:
    """Add a build of MODEL/N with today's base and server. No pin moves; the image before stays."""
    from mmgit.cli.progress import working  # noqa: PLC0415 - as above
    from mmgit.cli.releasing import recorded, say_built  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - as above

    with editing(layout.BASES, layout.MODELS) as session:
        with working(f"building manifest {manifest}") as watch:
            lock = workshop_of(session.root, watch).rebuild(session.source, manifest)
        say_built(session.source, manifest, lock)
        change = recorded(session.source, {manifest: lock})
        image = lock.index.digest
        then = f"mmgit service update NAME --env ENV --manifest {manifest} --image {image}"
        session.deliver(change, *([then] if change.files else []))


@image.command()
@click.option("--port", type=click.IntRange(0, 65535), default=5480, show_default=True, help="0 takes a free one.")
def serve(port: int) -> None:
    """Offer the images of this machine as a read-only registry on loopback, until interrupted."""
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - --help must not wait for it
    from mmgit.images import loopback  # noqa: PLC0415 - as above

    server = loopback.serve(workshop_of(find_root()).layout, port=port)
    print(f"images of this machine: 127.0.0.1:{server.server_port}/MODEL@sha256:…   (Ctrl-C stops it)", flush=True)
    try:
        server.serve_forever()
    finally:
        server.server_close()


@image.command()
def gc() -> None:
    """Delete from this machine's layout what no lock names. Every deleted layer can be built or pulled again."""
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - --help must not wait for it
    from mmgit.images.recipes import locks_of  # noqa: PLC0415 - as above

    root = find_root()
    locks = locks_of(loaded(root, layout.MODELS)).values()
    freed_bytes = workshop_of(root).layout.collect({blob.digest for lock in locks for blob in lock.blobs})
    print(f"{freed_bytes / 1e6:.1f} MB freed")


def _rows(source: Source) -> Iterator[dict[str, Any]]:
    """One row an image, in the order of manifests; sizes count each layer once, over all platforms."""
    users: dict[str, list[str]] = {}
    for environment in source.environments.values():
        for service in environment.services:
            users.setdefault(service.spec.image or "", []).append(f"{environment.name}/{service.name}")
    for model in source.models.values():
        for number, manifest in model.manifests.items():
            for declared in manifest.images.values():
                spec = declared.spec
                layers = {layer.digest: layer for each in spec.platforms.values() for layer in each.layers}
                yield {
                    "manifest": f"{model.name}/{number}",
                    "image": spec.digest,
                    "platforms": list(spec.platforms),
                    "size_mb": round(sum(layer.size for layer in layers.values()) / 1e6, 1),
                    "used_by": users.get(spec.digest, []),
                    "recipe": spec.recipe,
                    "layers": {
                        platform: [{"digest": layer.digest, "size": layer.size} for layer in each.layers]
                        for platform, each in spec.platforms.items()
                    },
                }
