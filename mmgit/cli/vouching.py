"""`mmgit image sign` and `mmgit image verify`: who vouches for the images of an environment."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mmgit.cli.context import find_root
from mmgit.cli.editing import loaded
from mmgit.cli.output import Form, output_option, print_rows
from mmgit.errors import NotVerified, UsageError
from mmgit.repository import layout
from mmgit.repository.source import DeclaredEnvironment, Source

if TYPE_CHECKING:
    from mmgit.cli.bringing import Pin
    from mmgit.desired import DesiredService
    from mmgit.images.evidence.keys import PublicKey
    from mmgit.images.evidence.verifying import Findings
    from mmgit.review.verdicts import State

COLUMNS = ("image", "signed_by", "sbom", "provenance")
_KEY_LIMIT_BYTES = 2**16
_SHORT = 16
"""Digits of a fingerprint that people see."""

images_argument = click.argument("images", nargs=-1, metavar="[SERVICE|DIGEST]…")
environment_option = click.option("--env", "environment", required=True, help="Where they run; its registry is asked.")


@click.command()
@images_argument
@environment_option
def sign(images: tuple[str, ...], environment: str) -> None:
    """Sign images, their bill of materials and their provenance with the key in MMGIT_SIGNING_KEY.

    Without SERVICE or DIGEST: every image that the environment runs. `cosign verify --key` reads what is written.
    """
    from mmgit.cli.bringing import lock_of_pin  # noqa: PLC0415 - --help must not wait for it
    from mmgit.cli.releasing import registry_of  # noqa: PLC0415 - as above
    from mmgit.cli.workplace import signer, workshop_of  # noqa: PLC0415 - as above
    from mmgit.images import transfer  # noqa: PLC0415 - as above
    from mmgit.images.evidence.keys import VARIABLE  # noqa: PLC0415 - as above

    key = signer()
    if key is None:
        hint = f"{VARIABLE}=$(cat cosign.key) mmgit image sign --env {environment}"
        raise UsageError(f"{VARIABLE} holds no private key", hint)
    source, declared = _declared(environment)
    workshop = workshop_of(find_root())
    prefix = registry_of(declared.spec)
    for pin in _pins(source, declared, images):
        lock, name = lock_of_pin(source, pin), _name(pin)
        if prefix:
            transfer.verify(lock, workshop.registry(prefix, name))
            workshop.gather(lock, name, prefix)
        if source.manifest(pin[0]):
            workshop.describe(lock, source, pin[0])
        if prefix:
            workshop.accompany(lock, prefix, name)
        else:
            workshop.sign(lock, name, key)
        print(f"{prefix or layout.LAYOUT}/{name}@{pin[1]}: signed by {key.public.fingerprint[:_SHORT]}")


@click.command()
@images_argument
@environment_option
@click.option(
    "--key",
    "path",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="A public key, like cosign.pub.",
)
@output_option
def verify(images: tuple[str, ...], environment: str, path: Path | None, form: Form) -> None:
    """Say what lies beside images: who signed them, what their bill of materials holds, how they were made.

    Without SERVICE or DIGEST: every image that the environment runs. Keys are those of `signatures` in its file, or
    --key. With a key, exit code 21 unless it signed all three; without, unless the last two are there.
    """
    from mmgit.cli.releasing import registry_of  # noqa: PLC0415 - --help must not wait for it

    source, declared = _declared(environment)
    pins = _pins(source, declared, images)
    keys = keys_of(declared, path)
    found = {pin: findings_at(registry_of(declared.spec), pin, keys) for pin in pins}
    print_rows([_row(pin, each) for pin, each in found.items()], COLUMNS, form)
    wrong = [(pin, words) for pin, each in found.items() if (words := "; ".join(lacking(each, is_keyed=bool(keys))))]
    if wrong:
        pin, words = wrong[0]
        others = f" ({len(wrong) - 1} more)" if len(wrong) > 1 else ""
        is_here = registry_of(declared.spec) is None and not keys
        hint = f"mmgit build {pin[0]}" if is_here else f"mmgit image sign --env {environment}   with MMGIT_SIGNING_KEY"
        raise NotVerified(f"{_name(pin)}@{pin[1]}: {words}{others}", hint)


def keys_of(declared: DeclaredEnvironment, path: Path | None = None) -> "list[PublicKey]":
    """The keys that vouch for images of an environment, or the one in a file."""
    from mmgit.images.evidence.keys import public_key  # noqa: PLC0415 - --help must not wait for it

    if path is None:
        return [public_key(pem) for pem in (declared.spec.signatures.keys if declared.spec.signatures else ())]
    try:
        with path.open("rb") as file:
            return [public_key(file.read(_KEY_LIMIT_BYTES).decode())]
    except (OSError, ValueError) as error:
        raise UsageError(
            f"{path} cannot be read as a public key", "cosign public-key --key KEY > cosign.pub"
        ) from error


def findings_at(prefix: str | None, pin: "Pin", keys: "Sequence[PublicKey]") -> "Findings":
    """What lies beside an image in the registry at `prefix`, or in the layout of this machine."""
    from mmgit.cli.workplace import workshop_of  # noqa: PLC0415 - --help must not wait for it
    from mmgit.images.evidence.shelves import LayoutShelf, RegistryShelf  # noqa: PLC0415 - as above
    from mmgit.images.evidence.verifying import findings  # noqa: PLC0415 - as above

    workshop = workshop_of(find_root())
    shelf = RegistryShelf(workshop.registry(prefix, _name(pin))) if prefix else LayoutShelf(workshop.layout)
    return findings(pin[1], shelf, keys)


def lacking(found: "Findings", *, is_keyed: bool) -> Iterator[str]:
    """What is not there, in words; with a key only what it signed counts."""
    from mmgit.images.evidence import provenance, sbom  # noqa: PLC0415 - --help must not wait for it

    by_us = " that a declared key signed" if is_keyed else ""
    if is_keyed and not found.keys:
        yield f"no signature by a declared key, of {found.signatures} there"
    for what, type_ in (("bill of materials", sbom.PREDICATE_TYPE), ("provenance", provenance.PREDICATE_TYPE)):
        if found.statement(type_, is_signed=is_keyed) is None:
            yield f"no {what}{by_us}"


def beside(source: Source) -> "Callable[[str, DesiredService, str], tuple[State, str]]":
    """What gates are told of signature and bill of materials of an image: by the keys that `source` declares."""
    from mmgit.cli.releasing import registry_of  # noqa: PLC0415 - --help must not wait for it

    @cache
    def ask(environment: str, manifest: str, image: str) -> "Findings":
        declared = source.environments[environment]
        return findings_at(registry_of(declared.spec), (manifest, image), keys_of(declared))

    def judge(environment: str, service: "DesiredService", wanted: str) -> "tuple[State, str]":
        from mmgit.images.evidence import sbom  # noqa: PLC0415 - --help must not wait for it

        is_keyed = source.environments[environment].spec.signatures is not None
        found = ask(environment, service.manifest, service.image.rpartition("@")[2])
        if wanted == "signature":
            who = ", ".join(key[:_SHORT] for key in found.keys)
            none = f"no signature by a declared key, of {found.signatures} there"
            return ("passed", f"signed by {who}") if who else ("failed", none if is_keyed else "no key is declared")
        bill = found.statement(sbom.PREDICATE_TYPE, is_signed=is_keyed)
        missing = f"no bill of materials{' that a declared key signed' if is_keyed else ''}"
        return ("passed", _said("it is there", bill.keys)) if bill else ("failed", missing)

    return judge


def _row(pin: "Pin", found: "Findings") -> dict[str, Any]:
    from mmgit.images.evidence import provenance, sbom  # noqa: PLC0415 - --help must not wait for it

    bill = found.statement(sbom.PREDICATE_TYPE, is_signed=False)
    made = found.statement(provenance.PREDICATE_TYPE, is_signed=False)
    unknown = f"{found.signatures} unknown" if found.signatures else "nobody"
    components = bill.content.get("components") if bill else None
    builder = made.content.get("runDetails") if made else None
    return {
        "image": f"{_name(pin)}@{pin[1][:19]}",
        "signed_by": ", ".join(key[:_SHORT] for key in found.keys) or unknown,
        "sbom": _said(f"{len(components)} components", bill.keys) if bill and isinstance(components, list) else "none",
        "provenance": _said(_builder(builder), made.keys) if made else "none",
        "digest": pin[1],
        "components": [_component(each) for each in components or () if isinstance(each, dict)],
    }


def _component(component: dict[str, Any]) -> str:
    return str(component.get("purl") or component.get("name"))


def _builder(details: Any) -> str:  # noqa: ANN401 - what a registry gave
    try:
        return f"mmgit {details['builder']['version']['mmgit']}"
    except (KeyError, TypeError):
        return "another builder"


def _said(text: str, keys: tuple[str, ...]) -> str:
    return f"{text}, {'signed' if keys else 'not signed'}"


def _declared(environment: str) -> tuple[Source, DeclaredEnvironment]:
    from mmgit.edits.references import environment_of  # noqa: PLC0415 - --help must not wait for it

    source = loaded(find_root())
    return source, environment_of(source, environment)


def _pins(source: Source, declared: DeclaredEnvironment, named: Sequence[str]) -> "list[Pin]":
    """The images that are meant, each once. Raises `UsageError` for a name that means none."""
    services = {service.name: service.spec for service in declared.services}
    pinned = {name: (spec.manifest, spec.image) for name, spec in services.items() if spec.manifest and spec.image}
    own = [(name, source.own_images[name].spec.digest) for name in source.own_images_of(declared.spec)]
    if not named:
        return list(dict.fromkeys([*pinned.values(), *own]))
    every = [*own, *pinned.values()]
    every += [
        (f"{model.name}/{number}", image.spec.digest)
        for model in source.models.values()
        for number, manifest in model.manifests.items()
        for image in manifest.images.values()
    ]
    chosen = []
    for name in named:
        found = (
            [pinned[name]] if name in pinned else list({pin[1]: pin for pin in every if _begins(pin[1], name)}.values())
        )
        if len(found) != 1:
            raise UsageError(f"{len(found)} images are meant by `{name}` in {declared.name}", "mmgit image list")
        chosen += found
    return list(dict.fromkeys(chosen))


def _begins(digest: str, start: str) -> bool:
    return digest.removeprefix("sha256:").startswith(start.removeprefix("sha256:"))


def _name(pin: "Pin") -> str:
    return pin[0].partition("/")[0]
