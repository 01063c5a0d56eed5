"""`mmgit env doctor`: what a cluster and a registry have of what an environment needs."""

import click

from mmgit.cli.cluster_options import Access, cluster_options, environment_in_cluster, side_of
from mmgit.cli.context import find_root
from mmgit.cli.editing import loaded
from mmgit.cli.output import Form, output_option, print_rows
from mmgit.errors import NotAsDeclared
from mmgit.frozen import asdict
from mmgit.repository import layout

_COLUMNS = ("what", "state", "said")


@click.command()
@click.argument("name")
@cluster_options
@output_option
def doctor(name: str, *, kubeconfig: str | None, context: str | None, form: Form) -> None:
    """Look whether everything is there that environment NAME needs to work, and say what to do where it is not.

    Asks the cluster and the registry; changes nothing. Ends with 17 when something is wrong.
    """
    from mmgit.cli.workplace import docker_config  # noqa: PLC0415 - --help must not wait for it
    from mmgit.deliver.cluster.doctor import Patient, examine  # noqa: PLC0415 - as above
    from mmgit.deliver.cluster.images import examine_images  # noqa: PLC0415 - as above
    from mmgit.images.credentials import docker_credentials  # noqa: PLC0415 - as above
    from mmgit.images.registry import Registry  # noqa: PLC0415 - as above

    root, access = find_root(), Access(kubeconfig, context)
    chosen = environment_in_cluster(loaded(root, f"{layout.ENVIRONMENTS}/"), name)
    side = side_of(root, chosen)
    find = docker_credentials(docker_config())

    def registry_of(repository: str) -> Registry:
        host, _, path = repository.partition("/")
        return Registry(host, path, find=find)

    objects = [each for made in side.objects.values() for each in made]
    found = [*examine(Patient(access.cluster(), chosen, objects, access.kubectl(chosen)))]
    found += examine_images(name, side.desired.environments[name].services, registry_of)
    print_rows([asdict(each) for each in found], (*_COLUMNS, "then") if form == "tsv" else _COLUMNS, form)
    wrong = [each for each in found if each.state == "wrong"]
    for each in wrong if form == "table" else ():
        print(f"{each.what}: {each.said}\n  next: {each.then}" if each.then else f"{each.what}: {each.said}")
    if wrong:
        raise NotAsDeclared(f"{len(wrong)} of {len(found)} things in {name} are wrong")
