"""What a person does once by hand so that a controller applies an environment: commands, and no secret in any of them.

What is secret comes from files, which the person names in place of the words in capitals.
"""

from collections.abc import Collection, Iterator

from mmgit.desired import DesiredEnvironment
from mmgit.render.controllers.admission import policies
from mmgit.repository import layout
from mmgit.spec.service import SecretKey

_PULL_SECRET = "pull-secret"  # noqa: S105 - the name of a parameter
_ARGOCD = "argocd"
# Without the line's end that editors write: it would be sent as a part of the password.
_PASSWORD = "tr -d '\\n' < TOKEN_FILE |"  # noqa: S105 - names a file
_FROM_PIPE = "--from-file=password=/dev/stdin"


def bootstrap_path(environment: str, controller: str) -> str:
    """Where the objects for a controller are rendered."""
    return f"{layout.controllers_folder(environment)}/{controller}/bootstrap.yaml"


def steps(
    environment: DesiredEnvironment, controller: str, url: str, *, sealed: Collection[str]
) -> Iterator[tuple[str, str]]:
    """What is done and its command, in order. The Secrets in `sealed` are decrypted, and the external ones come too."""
    external = environment.spec.secrets.external
    made = {*sealed, *(each.name for each in (external.items if external else ()))}
    path = bootstrap_path(environment.name, controller)
    yield "namespace, accounts and the controller's objects", f"kubectl apply --server-side -f {path}"
    for policy in policies(environment):
        yield "what refuses images that nobody signed", f"kubectl apply --server-side -f {policy}"
    for name, said, command in _secrets(environment, controller, url):
        if name not in made:
            yield f"Secret {name}: {said}", command


def _secrets(environment: DesiredEnvironment, controller: str, url: str) -> Iterator[tuple[str, str, str]]:
    spec = environment.spec
    create = f"kubectl create secret generic -n {spec.namespace}"
    if spec.git_secret and controller == _ARGOCD:
        yield spec.git_secret, f"Argo CD reads {url} with it", _argocd_repository(spec.git_secret, url)
    elif spec.git_secret:
        command = f"{_PASSWORD} {create} {spec.git_secret} --from-literal=username=mmgit {_FROM_PIPE}"
        yield spec.git_secret, f"Flux reads {url} with it", command
    if spec.secrets.sops:
        key = spec.secrets.sops.key
        yield key, "Flux decrypts with it", f"{create} {key} --from-file=age.agekey=PRIVATE_KEY_FILE"
    for name in sorted(_pull_secrets(environment)):
        options = "--type=kubernetes.io/dockerconfigjson --from-file=.dockerconfigjson=DOCKER_CONFIG_FILE"
        yield name, f"images are pulled from {spec.registry} with it", f"{create} {name} {options}"
    if spec.ingress:
        name = spec.ingress.tls.secret
        options = "--cert=CERTIFICATE_FILE --key=PRIVATE_KEY_FILE"
        command = f"kubectl create secret tls -n {spec.namespace} {name} {options}"
        yield name, f"the certificate of {spec.host}", command
    for name, keys in sorted(_variables(environment).items()):
        options = " ".join(f"--from-file={key}=FILE" for key in sorted(keys))
        yield name, "variables of services", f"{create} {name} {options}"
    if (credentials := spec.telemetry.credentials) and any(service.uploads for service in environment.services):
        yield credentials, f"opens {spec.telemetry.store}", f"{create} {credentials} --from-env-file=VARIABLES_FILE"


def _argocd_repository(name: str, url: str) -> str:
    """Source: https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/#repositories."""
    literals = f"--from-literal=type=git --from-literal=url={url} --from-literal=username=mmgit"
    made = f"{_PASSWORD} kubectl create secret generic -n {_ARGOCD} {name} {literals} {_FROM_PIPE}"
    return f"{made} && kubectl label secret -n {_ARGOCD} {name} argocd.argoproj.io/secret-type=repository"


def _pull_secrets(environment: DesiredEnvironment) -> set[str]:
    return {str(name) for each in environment.services if (name := each.parameters.get(_PULL_SECRET))}


def _variables(environment: DesiredEnvironment) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for service in environment.services:
        for value in service.variables.values():
            if isinstance(value, SecretKey):
                found.setdefault(value.secret, set()).add(value.key)
    return found
