"""Services on Kubernetes: one file each with all of its objects, in the form in which the API server stores them."""

from mmgit.blueprints.faults import BlueprintFault
from mmgit.desired import DesiredEnvironment, DesiredService
from mmgit.errors import Finding
from mmgit.render import context, escaping, fixed
from mmgit.render.blueprint_set import BlueprintSet
from mmgit.render.canonical import canonical
from mmgit.render.emit import emit
from mmgit.render.moulds import Moulds
from mmgit.render.server_files import ServerFiles, server_files
from mmgit.render.shapes import Object
from mmgit.render.target import Rendered
from mmgit.repository import layout
from mmgit.repository.header import with_header


class Kubernetes:
    """An environment of target `kubernetes`."""

    def __init__(self, environment: DesiredEnvironment, blueprints: BlueprintSet) -> None:
        self._environment = environment
        self._blueprints = blueprints
        self._variables = context.environment_variables(environment)
        self._folder = layout.rendered_folder(environment.name)
        self._moulds = Moulds(self._canonical)

    def service(self, service: DesiredService) -> Rendered:
        """`<group>/<service>.yaml`."""
        files = server_files(service)
        filled = self._moulds.filled(service, files)
        if filled is not None:
            return Rendered(self._file(service, filled.text), filled.make_objects, (), filled.mould)
        try:
            built = self._built(service, files)
        except BlueprintFault as found:
            return Rendered(findings=found.findings)
        objects, findings = _patched(built, service) if service.patches else (built, ())
        for each in objects:
            canonical(each)
        text = emit(objects)
        if escaping.flux(objects, text):
            text = emit(objects)
        return Rendered(self._file(service, text), lambda: objects, findings)

    def shared(self) -> Rendered:
        """Nothing: a controller reads the folders, so no file lists services."""
        return Rendered()

    def _file(self, service: DesiredService, text: str) -> dict[str, bytes]:
        return {f"{self._folder}/{service.group}/{service.name}.yaml": with_header(text.encode())}

    def _canonical(self, service: DesiredService, files: ServerFiles) -> list[Object]:
        return [canonical(each) for each in self._built(service, files)]

    def _built(self, service: DesiredService, files: ServerFiles) -> list[Object]:
        asked = (service.path, ("blueprint",))
        blueprint = self._blueprints.ready(service.blueprint, asked)
        parameters = blueprint.parameters.values(service.parameters, service.path)
        own = context.service_variables(self._environment, service, parameters)
        built = blueprint.build({**self._variables, **own})
        try:
            objects = fixed.complete(built, service, self._environment.spec.namespace or "", files)
        except ValueError as error:
            raise BlueprintFault(Finding("M512", *asked, f"blueprint `{service.blueprint}`: {error}")) from None
        return [escaping.kubernetes(each) for each in objects]


def _patched(built: list[Object], service: DesiredService) -> tuple[list[Object], tuple[Finding, ...]]:
    from mmgit.render.patches import patched  # noqa: PLC0415 - most services have none

    return patched([(str(each["kind"]), str(each["metadata"]["name"]), each) for each in built], service)
