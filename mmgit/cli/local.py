"""`mmgit serve`, `mmgit up` and `mmgit down`: services on this machine."""

from functools import partial

import click

from mmgit import steps
from mmgit.cli.context import find_root
from mmgit.cli.editing import loaded
from mmgit.errors import ServingError, UsageError
from mmgit.repository import layout


@click.command()
@click.argument("name", required=False)
@click.option("--env", "environment", help="Serve a service of this environment, pinned as it is there.")
@click.option("--reload", "is_reload", is_flag=True, help="Start again when a scoring file changes.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one.")
def serve(name: str | None, environment: str | None, port: int, *, is_reload: bool) -> None:
    """Serve model NAME from its scoring folder, or with --env a service, as a local process.

    No container, no key, on loopback only. A virtual environment is made by uv from the locked dependencies.
    """
    from mmgit.cli.progress import warn  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import repository_of  # noqa: PLC0415 - as above
    from mmgit.local import process, served  # noqa: PLC0415 - as above

    root = find_root()
    repository_of(root)
    source = loaded(root, f"{layout.MODELS}/{name or ''}", f"{layout.ENVIRONMENTS}/{environment}/")
    if name is None:
        if len(source.models) != 1:
            raise UsageError("say what to serve", f"mmgit serve {'|'.join(source.models) or 'MODEL'}")
        (name,) = source.models
    chosen = served.of_service(root, source, environment, name) if environment else served.of_model(root, source, name)
    if chosen.is_customised:
        warn(f"{steps.FILE} counts in images alone: here nothing is run, and no variable is set by it")
    port = port or process.free_port()
    if process.listens(port):
        called = f"{name} --env {environment}" if environment else name
        hint = f"mmgit serve {called} --port 0   takes a free one"
        raise ServingError(f"somebody listens on port {port} already", hint)
    command = process.command_of(root.path, chosen, port=port)
    up = f"serving {name} on http://127.0.0.1:{port}/api/v1/service/{name}/score   (Ctrl-C stops it)"
    tell = partial(print, up, flush=True)
    watched, uploader = [*chosen.files.values()] if is_reload else [], process.uploader_of(root.path, chosen)
    process.run_until_interrupted(command, port, tell, watched=watched, uploader=uploader)


@click.command()
@click.argument("environment")
def up(environment: str) -> None:
    """Start compose ENVIRONMENT as it is rendered, with the images of this machine, and wait until it is healthy."""
    from mmgit.cli.progress import working  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - as above
    from mmgit.edits.references import environment_of  # noqa: PLC0415 - as above
    from mmgit.local import certificates, compose  # noqa: PLC0415 - as above

    root = find_root()
    source = loaded(root, f"{layout.ENVIRONMENTS}/{environment}/")
    declared = environment_of(source, environment)
    if declared.spec.target != "compose":
        hint = f"mmgit serve SERVICE --env {environment}"
        raise UsageError(f"{environment} has target {declared.spec.target}, not compose", hint)
    compose.refuse_unless_ready(root.path, environment)
    pins = {service.spec.manifest: service.spec.image for service in declared.services if service.spec.manifest}
    with working("fetching images") as watch:
        workshop = workshop_of(root, watch)
        workshop.fetch_own(source, *source.own_images_of(declared.spec))
        for failure in workshop.build(source, pins).failures.values():
            raise failure
    state = certificates.prepare(root.path, environment, declared.spec)
    with working(f"starting {environment}"), compose.registry_of(declared.spec, workshop.layout):
        compose.up(root.path, environment, state=state)
    for service in declared.services:
        host = declared.spec.host or "localhost"
        print(f"{service.name}: https://{host}:{declared.spec.port}/api/v1/service/{service.name}/score")


@click.command()
@click.argument("environment")
def down(environment: str) -> None:
    """Stop and remove the containers of compose ENVIRONMENT."""
    from mmgit.local import certificates, compose  # noqa: PLC0415 - --help must not wait for it

    root = find_root()
    compose.down(root.path, environment, state=certificates.folder_of(root.path, environment))
    print(f"{environment} is down")
