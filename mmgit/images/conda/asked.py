"""What a conda file asks for: channels, packages of conda's own, and its `pip:` list. Pure."""

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from mmgit.errors import BuildError, UnsafePath
from mmgit.frozen import dataclass
from mmgit.images.origins import normal
from mmgit.repository.paths import parts_of

_PYTHON = re.compile(r"python\s*={1,2}\s*(\d+\.\d+)(?:\..*)?")
_NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_ADDRESS = re.compile(
    r"(?:https://[A-Za-z0-9.-]+|http://(?:127\.0\.0\.1|localhost))(?::[0-9]{1,5})?(/[A-Za-z0-9._~/+-]*)?"
)
_PUBLIC = "https://conda.anaconda.org"
_SHAPE = "dependencies: [python=3.11, numpy, {pip: [shap]}]"


@dataclass(frozen=True)
class CondaFile:
    """A conda file: the Python minor if it names one, specs of conda packages, channels, and requirements."""

    python: str | None
    specs: tuple[str, ...]
    channels: tuple[str, ...]
    """Addresses, or folders from the root of the repository."""
    requirements: str


def conda_file(document: object) -> CondaFile:
    """What plain values of a conda file say.

    Raises:
        BuildError: it has another shape, or a channel that is none.
    """
    listed = document.get("dependencies", []) if isinstance(document, Mapping) else None
    if not isinstance(document, Mapping) or not isinstance(listed, list):
        raise BuildError("the conda file holds no list `dependencies`", _SHAPE)
    python, specs, requirements = None, list[str](), list[str]()
    for item in listed:
        if isinstance(item, Mapping) and list(item) == ["pip"] and isinstance(item["pip"], list):
            requirements += [str(requirement) for requirement in item["pip"]]
        elif not isinstance(item, str):
            raise BuildError(f"the conda file asks for {item!r}, which is no package", _SHAPE)
        elif found := _PYTHON.fullmatch(item):
            python = found[1]
        elif name_of(item) not in {"python", "pip"}:
            specs.append(item)
    channels = _channels(document.get("channels", [])) if specs else ()
    return CondaFile(python, tuple(specs), channels, "".join(f"{each}\n" for each in requirements))


def name_of(spec: str) -> str:
    """The package that a spec is about, as `numpy` of `conda-forge::numpy >=1.26`."""
    return normal(re.split(r"[\s=<>!~\[]", spec.rpartition("::")[2].strip())[0])


def _channels(listed: Any) -> tuple[str, ...]:  # noqa: ANN401 - plain values
    if not isinstance(listed, list) or not [each for each in listed if each != "nodefaults"]:
        raise BuildError("the conda file names no channel", "channels: [conda-forge]")
    return tuple(_channel(each) for each in listed if each != "nodefaults")


def _channel(given: Any) -> str:  # noqa: ANN401 - as above
    if given == "defaults":
        hint = "name one: channels: [conda-forge], an https address, or a folder: ./channels/acme"
        raise BuildError("`defaults` are several channels, under terms of their own", hint)
    text = given if isinstance(given, str) else ""
    if (found := _ADDRESS.fullmatch(text)) and "/t/" not in (found[1] or ""):
        return text.rstrip("/")
    if text.startswith("./"):
        with suppress(UnsafePath):
            return "/".join(parts_of(text.removeprefix("./").rstrip("/")))
    if _NAMED.fullmatch(text):
        return f"{_PUBLIC}/{text}"
    raise BuildError("a channel of the conda file is no name, no https address without a login, and no ./folder")
