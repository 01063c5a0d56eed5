"""`mmgit service logs`: what a service logs in an environment, of one request or of all, until now or from now on."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import click

from mmgit.cli.cluster_options import Access, cluster_options
from mmgit.cli.context import find_root
from mmgit.cli.editing import loaded
from mmgit.cli.service_options import only_environment
from mmgit.edits.references import environment_of, service_of
from mmgit.errors import UsageError, visible
from mmgit.frozen import dataclass
from mmgit.repository import layout
from mmgit.repository.files import Root
from mmgit.repository.source import DeclaredEnvironment
from mmgit.spec.fields import DURATION, seconds_of

_TAIL = 100


@dataclass(frozen=True)
class _Wanted:
    """Which lines: not older than `seconds`, the last `tail` of each replica, and with `follow` those to come."""

    service: str
    seconds: int | None
    tail: int | None
    follow: bool


@click.command()
@click.argument("name")
@click.option("--env", "environment", metavar="ENV", help="Its environment; needed where there are several.")
@click.option("--request-id", metavar="ID", help="Only what was logged of this request.")
@click.option("--since", metavar="DURATION", help="Only what is not older, like 10m or 2h.")
@click.option("-f", "--follow", is_flag=True, help="Go on until Ctrl-C, also with replicas that begin later.")
@cluster_options
def logs(  # noqa: PLR0913 - one parameter an option
    name: str,
    environment: str | None,
    *,
    request_id: str | None,
    since: str | None,
    follow: bool,
    kubeconfig: str | None,
    context: str | None,
) -> None:
    """Show what service NAME logs, of all of its replicas: the last 100 lines of each, if nothing says which."""
    root = find_root()
    source = loaded(root, f"{layout.ENVIRONMENTS}/")
    chosen = environment_of(source, only_environment(source, name, environment))
    service_of(source, chosen.name, name)
    seconds = _seconds(since)
    wanted = _Wanted(name, seconds, None if request_id or seconds else _TAIL, follow)
    if chosen.spec.target == "process":
        raise UsageError("the log of `mmgit serve` is what it prints", f"mmgit serve {name} --env {chosen.name}")
    if chosen.spec.target == "iot-edge":
        raise UsageError("devices keep the logs of their modules", f"iotedge logs {name}   on a device")
    if chosen.spec.target == "compose":
        reading = _of_compose(root, chosen, wanted)
    else:
        reading = _of_pods(Access(kubeconfig, context), chosen, wanted)
    try:
        with reading as lines:
            for line in lines:
                if request_id is None or _is_of(line, request_id):
                    print(visible(line.decode(errors="replace")), flush=follow)
    except KeyboardInterrupt:
        if not follow:
            raise


def _seconds(since: str | None) -> int | None:
    if since is None:
        return None
    try:
        return max(1, int(seconds_of(DURATION.checked(since))))
    except ValueError as error:
        raise UsageError(f"--since {since}: {error}", "--since 10m") from error


@contextmanager
def _of_compose(root: Root, environment: DeclaredEnvironment, wanted: _Wanted) -> Iterator[Iterable[bytes]]:
    from mmgit.local import certificates, compose  # noqa: PLC0415 - --help must not wait for it

    state = certificates.folder_of(root.path, environment.name)
    given = {f"--since={wanted.seconds}s": wanted.seconds, f"--tail={wanted.tail}": wanted.tail}
    options = [option for option, value in {**given, "--follow": wanted.follow}.items() if value]
    with compose.logs(root.path, environment.name, state=state, options=[*options, wanted.service]) as lines:
        yield lines


@contextmanager
def _of_pods(access: Access, environment: DeclaredEnvironment, wanted: _Wanted) -> Iterator[Iterable[bytes]]:
    from mmgit.deliver.cluster.logs import Pods, followed, written  # noqa: PLC0415 - --help must not wait for it

    pods = Pods(f"/api/v1/namespaces/{environment.spec.namespace}/pods", f"mmgit.dev/service={wanted.service}")
    given = {"sinceSeconds": wanted.seconds, "tailLines": wanted.tail}
    query = {name: value for name, value in given.items() if value}
    yield followed(access.cluster, pods, query) if wanted.follow else written(access.cluster(), pods, query)


def _is_of(line: bytes, request_id: str) -> bool:
    """Whether a line is of a request: its own, or what `run()` printed for several at once."""
    try:
        said = json.loads(line)
        return request_id == said.get("request_id") or request_id in said.get("request_ids", ())
    except (ValueError, AttributeError, TypeError, RecursionError):
        return False
