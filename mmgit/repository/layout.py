"""Where everything lies: every path of a repository, relative to its root, in one place."""

PROJECT = "mmgit.yaml"
BASES = "bases"
MODELS = "models"
BLUEPRINTS = "blueprints"
BLUEPRINT = "blueprint.yaml"
ENVIRONMENTS = "environments"
STATE = ".mmgit"
"""Journal, lock, image layout and compile state: never committed."""
STAGING = "staging"
"""The folder in it where files are written that shall appear elsewhere at once."""
LAYOUT = f"{STATE}/oci"
DEFAULT_GROUP = "default"


def base(name: str) -> str:
    """The lock of a base."""
    return f"{BASES}/{name}.lock.yaml"


PROXY = "proxy"
"""The base of compose's proxy, whose image is locked beside it."""
UPLOADER = "uploader"
"""The base of what uploads telemetry; the same of its image."""
OWN_IMAGES = (PROXY, UPLOADER)


def own_image(name: str) -> str:
    """The lock of an image of mmgit's own."""
    return f"{BASES}/{name}.image.yaml"


def model(name: str) -> str:
    """What a model is."""
    return f"{MODELS}/{name}/model.yaml"


def scoring_folder(model_name: str) -> str:
    """What people edit, test and review, and what a manifest is frozen from."""
    return f"{MODELS}/{model_name}/scoring"


def training_folder(model_name: str) -> str:
    """What trains a model: code, requirements, and what these are locked to."""
    return f"{MODELS}/{model_name}/training"


def version_folder(reference: str) -> str:
    """The folder of model version `<model>/<n>`."""
    name, _, number = reference.partition("/")
    return f"{MODELS}/{name}/versions/{number}"


def version(reference: str) -> str:
    """The file of model version `<model>/<n>`."""
    return f"{version_folder(reference)}/version.yaml"


def manifest_folder(reference: str) -> str:
    """The folder of manifest `<model>/<n>`: the frozen scoring files and `pylock.toml`."""
    name, _, number = reference.partition("/")
    return f"{MODELS}/{name}/manifests/{number}"


def manifest(reference: str) -> str:
    """The file of manifest `<model>/<n>`."""
    return f"{manifest_folder(reference)}/manifest.yaml"


def image(reference: str, key: str) -> str:
    """The file of the build of manifest `<model>/<n>` whose recipe has `key` (64 hexadecimal digits)."""
    return f"{manifest_folder(reference)}/images/{key[:12]}.yaml"


def environment(name: str) -> str:
    """The file of an environment."""
    return f"{ENVIRONMENTS}/{name}/environment.yaml"


def services_folder(environment_name: str) -> str:
    """The folder of an environment's services and groups."""
    return f"{ENVIRONMENTS}/{environment_name}/services"


def service(environment_name: str, group: str, name: str) -> str:
    """The file of a service. The default group needs no folder."""
    folder = services_folder(environment_name)
    return f"{folder}/{name}.yaml" if group == DEFAULT_GROUP else f"{folder}/{group}/{name}.yaml"


def evidence_folder(environment_name: str) -> str:
    """The folder of what was seen of an environment's services."""
    return f"{ENVIRONMENTS}/{environment_name}/evidence"


def evidence(environment_name: str, group: str, name: str) -> str:
    """The file of what was seen of a service."""
    return f"{evidence_folder(environment_name)}/{group}/{name}.yaml"


SEALED = ".sops.yaml"
"""How the name of a file with an encrypted Secret ends."""


def secrets_folder(environment_name: str) -> str:
    """The folder of an environment's encrypted Secrets."""
    return f"{ENVIRONMENTS}/{environment_name}/secrets"


def rendered_folder(environment_name: str) -> str:
    """The compiler's output for an environment, owned by it whole."""
    return f"{ENVIRONMENTS}/{environment_name}/rendered"


def controllers_folder(environment_name: str) -> str:
    """The controller's bootstrap, applied once by a person."""
    return f"{ENVIRONMENTS}/{environment_name}/controllers"
