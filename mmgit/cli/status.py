"""`mmgit status` and `mmgit diff`: what a live cluster runs, beside what is declared. They change nothing there."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from mmgit.cli.cluster_options import Access, cluster_options, environment_in_cluster, side_of
from mmgit.cli.context import find_root
from mmgit.cli.editing import editing, loaded
from mmgit.cli.output import Form, output_option, print_rows
from mmgit.edits.references import environment_of
from mmgit.errors import NotAsDeclared
from mmgit.plural import counted
from mmgit.repository import layout

if TYPE_CHECKING:
    from mmgit.deliver.cluster.connection import Cluster
    from mmgit.deliver.cluster.differences import Difference
    from mmgit.deliver.cluster.status import Standing

_SHORT = 12
_ENVIRONMENT = click.option("--env", "environment", metavar="ENV", help="Its environment; needed if there are several.")
_STATUS = ("service", "group", "state", "manifest", "image", "ready", "since")
_DIFF = ("object", "field", "declared", "cluster")


@click.command()
@_ENVIRONMENT
@cluster_options
@click.option("--record", "is_recorded", is_flag=True, help="Write what was seen into environments/ENV/evidence/.")
@output_option
def status(
    environment: str | None, *, kubeconfig: str | None, context: str | None, is_recorded: bool, form: Form
) -> None:
    """Show what is pinned in git and what runs in the cluster: how well, since when, and what to do about the rest.

    Ends with 17 when something is not as pinned or not healthy. It only reads the cluster.
    """
    from mmgit.deliver.cluster.status import standings  # noqa: PLC0415 - --help must not wait for it

    access = Access(kubeconfig, context)
    chosen = environment_in_cluster(loaded(find_root(), f"{layout.ENVIRONMENTS}/"), environment)
    cluster = access.cluster()
    found = standings(cluster, chosen, access.kubectl(chosen))
    print_rows([_row(each) for each in found], (*_STATUS, "reason", "next") if form == "tsv" else _STATUS, form)
    if form == "table":
        _explain(found)
    if is_recorded:
        _record(cluster, chosen.name, found)
    wrong = [each.service for each in found if not each.is_as_pinned]
    if wrong:
        raise NotAsDeclared(f"{len(wrong)} of {len(found)} services in {chosen.name} are not as pinned and healthy")


@click.command()
@_ENVIRONMENT
@cluster_options
@output_option
def diff(environment: str | None, *, kubeconfig: str | None, context: str | None, form: Form) -> None:
    """Show where the objects of the cluster are not what the declarations make.

    Looks at what mmgit declares: what autoscalers, controllers and the cluster itself add is no difference. Ends with
    17 when there is one. It only reads the cluster.
    """
    from mmgit.deliver.cluster.differences import differences  # noqa: PLC0415 - --help must not wait for it

    access, root = Access(kubeconfig, context), find_root()
    chosen = environment_in_cluster(loaded(root, f"{layout.ENVIRONMENTS}/"), environment)
    side = side_of(root, chosen)
    objects = [each for made in side.objects.values() for each in made]
    found = differences(access.cluster(), objects, str(chosen.spec.namespace))
    if found or form != "table":
        print_rows([_difference(each) for each in found], _DIFF, form)
    else:
        print(f"{counted(len(objects), 'object')} in {chosen.name}: no difference")
    if found:
        raise NotAsDeclared(f"{counted(len(found), 'difference')} in {chosen.name}", f"mmgit env doctor {chosen.name}")


def _row(standing: "Standing") -> dict[str, Any]:
    running, trouble = standing.running, standing.trouble
    return {
        "service": standing.service,
        "group": standing.group,
        "state": standing.state,
        "manifest": standing.manifest,
        "image": _short(standing.image),
        "running": {"manifest": running.manifest, "image": _short(running.image)} if running else None,
        "ready": f"{running.ready}/{running.desired}" if running else None,
        "since": running.since if running else None,
        "reason": trouble.reason if trouble else None,
        "next": trouble.then if trouble else None,
    }


def _explain(found: "list[Standing]") -> None:
    for each in found:
        if each.trouble:
            print(f"{each.service}: {each.trouble.reason}\n  next: {each.trouble.then}")


def _difference(difference: "Difference") -> dict[str, Any]:
    return {
        "object": f"{difference.kind}/{difference.name}",
        "field": difference.field,
        "declared": difference.declared,
        "cluster": difference.live,
    }


def _short(digest: str | None) -> str | None:
    return digest.removeprefix("sha256:")[:_SHORT] if digest else None


def _record(cluster: "Cluster", environment: str, found: "list[Standing]") -> None:
    from mmgit.deliver.cluster.status import cluster_uid, seen  # noqa: PLC0415 - --help must not wait for it
    from mmgit.edits.evidence import record  # noqa: PLC0415 - as above

    uid, now = cluster_uid(cluster), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    evidence = {each.service: said for each in found if (said := seen(each, uid, now))}
    with editing(f"{layout.ENVIRONMENTS}/") as session:
        chosen = environment_of(session.source, environment)
        session.deliver(record(session.root, chosen, evidence), f"git add {layout.evidence_folder(environment)}")
