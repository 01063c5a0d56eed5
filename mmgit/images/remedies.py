"""What to say of libraries that an image would lack: which package to add, or where to look for another base."""

from collections.abc import Mapping

from mmgit.errors import BuildError
from mmgit.images.contents import Holder, holders_of
from mmgit.images.needs import Lack
from mmgit.images.origins import Mirror
from mmgit.spec.base import JAVA, BaseSpec, with_package

_SHOWN = 10


def without_java(platform: str, base: BaseSpec, name: str) -> BuildError:
    """The error for an image of runtime spark-py on base `name` that has no Java."""
    hint = (
        f"mmgit base update {name} --image …   names an image that has it"
        if base.image
        else with_package(base, name, JAVA)
    )
    message = f"{platform}: neither base `{name}` nor a dependency has Java, which runtime spark-py needs"
    return BuildError(message, hint)


def lacking(lack: Lack, platform: str, base: BaseSpec, name: str, mirror: Mirror) -> BuildError:
    """The error for an image on base `name` that lacks something."""
    parts = [f"{library}, which {file} needs" for library, file in sorted(lack.libraries.items())]
    parts += [
        f"{version} of {library}, which {file} needs (it has glibc {base.libc})"
        for (library, version), file in sorted(lack.versions.items())
    ]
    more = f"; and {len(parts) - _SHOWN} more" if len(parts) > _SHOWN else ""
    message = f"{platform}: neither base `{name}` nor a dependency has {'; '.join(parts[:_SHOWN])}{more}"
    return BuildError(message, _hint(lack, platform, base, name, mirror))


def _hint(lack: Lack, platform: str, base: BaseSpec, name: str, mirror: Mirror) -> str:
    hints = []
    if base.image:
        hints.append(f"mmgit base update {name} --image …   names an image that has it")
    elif lack.libraries:
        hints.append(_packages(holders_of(lack.libraries, base.suite, platform, mirror), base, name))
    if lack.versions:
        newer = "" if base.image else f", or a base of a newer suite: mmgit base update {name} --suite …"
        hints.append(f"take files that were built for glibc {base.libc} or older{newer}")
    if lack.libraries:
        listed = ", ".join(sorted(lack.libraries)[:_SHOWN])
        hints.append(f"where nothing uses it, `absent_libraries: [{listed}]` in mmgit.yaml lets it be absent")
    return "; ".join(filter(None, hints))


def _packages(holders: Mapping[str, Holder], base: BaseSpec, name: str) -> str:
    """The command that adds packages. It names the others too, as it replaces the list."""
    added = [holder.package for holder in holders.values() if holder.package not in base.packages]
    if not added:
        return ""
    guessed = [library for library, holder in holders.items() if holder.is_guessed]
    doubt = f"   ({', '.join(guessed)}: the package is guessed by Debian's naming rule)" if guessed else ""
    return f"{with_package(base, name, *added)}{doubt}"
