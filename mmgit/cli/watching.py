"""`mmgit service dashboard` and `alerts`: what watches a service, for Grafana and Prometheus without an operator."""

import click

from mmgit.cli.context import find_root
from mmgit.cli.editing import loaded
from mmgit.cli.service_options import only_environment
from mmgit.desired import DesiredEnvironment, DesiredService
from mmgit.edits.references import service_of
from mmgit.errors import UsageError
from mmgit.repository import layout
from mmgit.resolve import resolve

_ENVIRONMENT = click.option("--env", "environment", metavar="ENV", help="Its environment; needed if there are several.")


@click.command()
@click.argument("name")
@_ENVIRONMENT
def dashboard(name: str, environment: str | None) -> None:
    """Print the Grafana dashboard of service NAME, as JSON to import or to provision.

    With `monitoring: {dashboards: true}` an environment of target kubernetes has it as a ConfigMap.
    """
    from mmgit.render.dashboards import dashboard_of  # noqa: PLC0415 - --help must not wait for it

    print(dashboard_of(*_desired(name, environment)), end="")


@click.command()
@click.argument("name")
@_ENVIRONMENT
def alerts(name: str, environment: str | None) -> None:
    """Print the alert rules of service NAME, as a rule file of Prometheus.

    With `monitoring: {alerts: true}` an environment of target kubernetes has them as a PrometheusRule.
    """
    from mmgit.render.alerts import rules  # noqa: PLC0415 - --help must not wait for it
    from mmgit.render.emit import emit  # noqa: PLC0415 - as above
    from mmgit.render.queries import queries_of  # noqa: PLC0415 - as above

    place, service = _desired(name, environment)
    group = {"name": f"{name}-{place.name}", "rules": rules(queries_of(place, name), service)}
    print(emit([{"groups": [group]}]), end="")


def _desired(name: str, environment: str | None) -> tuple[DesiredEnvironment, DesiredService]:
    source = loaded(find_root(), f"{layout.ENVIRONMENTS}/")
    chosen = only_environment(source, name, environment)
    service_of(source, chosen, name)
    place = resolve(source).desired.environments[chosen]
    service = next((each for each in place.services if each.name == name), None)
    if service is None:
        raise UsageError(f"service `{name}` in {chosen} runs nothing yet", f"mmgit release {name} --env {chosen}")
    return place, service
