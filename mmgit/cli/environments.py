"""`mmgit env`: create, update, list, show and examine environments."""

from collections.abc import Callable, Mapping
from typing import Any

import click

from mmgit.cli.bootstrapping import bootstrap
from mmgit.cli.bringing import bring, unasked, unverified_option
from mmgit.cli.context import find_root
from mmgit.cli.doctor import doctor
from mmgit.cli.editing import editing, loaded
from mmgit.cli.grouped import Grouped
from mmgit.cli.output import Form, output_option, print_one, print_rows
from mmgit.cli.releasing import registry_of
from mmgit.edits.environments import create as create_environment
from mmgit.edits.environments import pins_of
from mmgit.edits.environments import update as update_environment
from mmgit.edits.references import environment_of
from mmgit.errors import UsageError
from mmgit.repository import layout, reading
from mmgit.spec import EnvironmentSpec
from mmgit.spec.environment import READ_BY

_COLUMNS = ("environment", "target", "registry", "namespace", "host", "services")
_TARGETS = ("kubernetes", "compose", "iot-edge", "process")
_SHOWN = ("target", "registry", "namespace", "host", "description")
_READ_BY = {**READ_BY, "tls_secret": ("kubernetes",)}
"""The same of options."""


@click.group(cls=Grouped)
def env() -> None:
    """Create, list, show and examine environments."""


env.add_command(bootstrap)
env.add_command(doctor)

_OPTIONS = (
    click.option("--description", help="What this environment is for."),
    click.option("--registry", help="Where its images are: host and prefix, like registry.example.com/models."),
    click.option("--namespace", help="kubernetes: the namespace of its objects."),
    click.option("--host", help="The name under which its services are called."),
    click.option("--port", type=int, help="compose: the port of its proxy (8443)."),
    click.option("--gateway", metavar="NAMESPACE/NAME", help="kubernetes: the Gateway that ends TLS."),
    click.option("--ingress", metavar="CLASS", help="kubernetes: the ingress class, with --tls-secret."),
    click.option("--tls-secret", metavar="SECRET", help="kubernetes: the secret of the host's certificate."),
    click.option("--git-secret", metavar="SECRET", help="kubernetes: by which its controller reads git."),
    click.option("--accepts", type=click.Choice(["build", "promotion"]), help="What moves its pins (promotion)."),
)


def _environment_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@env.command()
@click.argument("name")
@click.option("--target", type=click.Choice(_TARGETS), required=True, help="What runs services there.")
@_environment_options
def create(name: str, **options: Any) -> None:  # noqa: ANN401 - click's values
    """Declare environment NAME.

    \b
    kubernetes needs --registry, --namespace, --host, and --gateway or --ingress
    compose    needs --registry
    iot-edge   needs --registry; --host is the name of a device
    process    needs nothing: `mmgit serve` runs its services
    """  # noqa: D301 - click's mark for lines that stay
    _refuse_what_others_read(options["target"], options, f"mmgit env create {name} --target {options['target']}")
    with editing(f"{layout.ENVIRONMENTS}/{name}/") as session:
        fields = _fields(**options)
        try:
            change = create_environment(session.source, name, fields)
        except UsageError as error:
            hint = error.hint or "mmgit env create --help   says what each target needs"
            raise UsageError(error.message, hint) from error
        session.deliver(change, f"mmgit service create NAME --env {name}")


@env.command()
@click.argument("name")
@_environment_options
@unverified_option
def update(name: str, *, is_unverified: bool, **options: Any) -> None:  # noqa: ANN401 - click's values
    """Change only what is named of environment NAME.

    Another --registry is given what services run, from the one before or from .mmgit/oci.
    """
    with editing(f"{layout.ENVIRONMENTS}/{name}/") as session:
        target = environment_of(session.source, name).spec.target
        _refuse_what_others_read(target, options, f"mmgit env update {name}")
        fields = {option: value for option, value in _fields(**options).items() if value is not None}
        change = update_environment(session.source, session.root, name, fields)
        for data in change.files.values():
            declared = session.source.environments[name]
            before, after = declared.spec, EnvironmentSpec.read(reading.parse(data or b""))
            if before.registry != after.registry:
                (unasked if is_unverified else bring)(
                    session.source, pins_of(declared), registry_of(after), registry_of(before)
                )
        session.deliver(change, "mmgit compile")


def _refuse_what_others_read(target: str, options: Mapping[str, Any], command: str) -> None:
    """Raise `UsageError` for an option whose field has no effect on this target."""
    for name, targets in _READ_BY.items():
        if options.get(name) is not None and target not in targets:
            option = f"--{name.replace('_', '-')}"
            meant = " and ".join(targets)
            raise UsageError(f"{option} is for target {meant}, not for {target}", f"{command}   without {option}")


def _fields(gateway: str | None, ingress: str | None, tls_secret: str | None, **fields: Any) -> dict[str, Any]:  # noqa: ANN401 - click's values
    """The fields of the file that the options stand for."""
    tls = {"secret": tls_secret} if tls_secret else None
    if tls and not (gateway or ingress):
        raise UsageError("--tls-secret belongs to --gateway or --ingress", "--gateway infra/public")
    if ingress and not tls:
        hint = f"--ingress {ingress} --tls-secret NAME"
        raise UsageError("an ingress needs the secret of the host's certificate", hint)
    if gateway:
        fields["gateway"] = {"name": gateway} | ({"tls": tls} if tls else {})
    if ingress:
        fields["ingress"] = {"class": ingress} | ({"tls": tls} if tls else {})
    return fields


@env.command("list")
@output_option
def list_(form: Form) -> None:
    """List environments."""
    source = loaded(find_root(), f"{layout.ENVIRONMENTS}/")
    rows = [
        {
            "environment": name,
            **{field: getattr(declared.spec, field) for field in _SHOWN},
            "services": len(declared.services),
        }
        for name, declared in source.environments.items()
    ]
    print_rows(rows, _COLUMNS, form)


@env.command()
@click.argument("name")
@output_option
def show(name: str, form: Form) -> None:
    """Show one environment: what is declared, and its services."""
    declared = environment_of(loaded(find_root(), f"{layout.ENVIRONMENTS}/{name}/"), name)
    spec = declared.spec.plain(only_given=True, without_head=True)
    print_one({"environment": name, **spec, "services": [service.name for service in declared.services]}, form)
