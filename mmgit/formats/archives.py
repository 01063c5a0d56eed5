"""Archives, arrays of NumPy and models of Keras: what in them is a pickle, and what of them names code."""

import ast
import json
import re
import tarfile
import zipfile
from collections.abc import Iterator
from typing import IO, Any, Protocol, TypeGuard

from mmgit.formats.endings import claimed_by
from mmgit.formats.found import NAMES_MAX, Found
from mmgit.formats.stream import Broken, Stream
from mmgit.formats.values import LAYERS_OF_CODE, LAYERS_OF_FUNCTIONS, Name
from mmgit.spec.project import Format

MEMBERS_MAX = 100_000
_CONFIG_BYTES_MAX = 64 * 2**20
_HEADER_BYTES_MAX = 2**16
_ENCRYPTED = 0x1
_WINDOW_BYTES = 2**20
_LAYER = re.compile(rb'"class_name":"(%b)"' % "|".join(LAYERS_OF_CODE).encode())
_CALLING = re.compile(rb'"class_name":"(?:%b)"' % "|".join(LAYERS_OF_FUNCTIONS).encode())
_CALLED = re.compile(rb'"function":(?:"([^"]{0,200})"|[^"])')
_SPELT = re.compile(rb"\\u00[4-7][0-9A-Fa-f]")
"""A letter as JSON need not write it, and no library does."""
_ELSEWHERE = re.compile(rb'"module":"(?!(?:tf_)?keras(?:\.(?!utils|saving)\w+)*")([A-Za-z_][\w.]{0,199})"')
_OVERLAP_BYTES = 512
_KERAS = re.compile(r"(tf_)?keras(\.(?!utils|saving)\w+)*").fullmatch
_LETTERS_MAX = 200
_STRANGE = re.compile(r"[^\w.]")
"""What is in no name that `version.yaml` takes."""
_MODULE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*").fullmatch


class Inner(Protocol):
    """Follows what is in a file, which may be called a pickle."""

    def __call__(self, file: IO[bytes], /, *, is_pickle: bool) -> Format | None:
        """The format of that file, if its content says it."""


def read_archive(file: IO[bytes], found: Found, inner: Inner) -> Format | None:
    """Follow each file in a zip archive; the archive's own format, if its names say that."""
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        names = {member.filename for member in members}
        if len(members) > MEMBERS_MAX:
            raise Broken(f"an archive with more than {MEMBERS_MAX:,} files", 0)
        if len(names) < len(members):
            found.doubt("two files in an archive have one name", 0)
        if members and min(member.header_offset for member in members) > 0:
            found.doubt("an archive begins behind other bytes", 0)
        inside: set[Format | None] = set()
        for member in members:
            if member.flag_bits & _ENCRYPTED:
                found.doubt(f"{member.filename[:100]!r} in an archive is encrypted", member.header_offset)
                continue
            with archive.open(member) as stream:
                inside.add(inner(stream, is_pickle=claimed_by(member.filename) == "pickle"))
        return _format(archive, names, inside, found)


def is_tar(head: bytes) -> bool:
    """Whether a file that begins so is an archive of tar's, as PyTorch once wrote and reads."""
    try:
        tarfile.TarInfo.frombuf(head[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def read_tar(file: IO[bytes], inner: Inner) -> Format | None:
    """Follow each file in an archive of tar's."""
    inside: set[Format | None] = set()
    with tarfile.open(fileobj=file, mode="r:") as archive:
        for number, member in enumerate(archive):
            if number == MEMBERS_MAX:
                raise Broken(f"an archive with more than {MEMBERS_MAX:,} files", 0)
            if stream := archive.extractfile(member) if member.isreg() else None:
                inside.add(inner(stream, is_pickle=claimed_by(member.name) == "pickle"))
    return "pickle" if "pickle" in inside else None


def _format(archive: zipfile.ZipFile, names: set[str], inside: set[Format | None], found: Found) -> Format | None:
    if "config.json" in names:  # all that Keras asks for before it makes what that names
        with archive.open("config.json") as file:
            _keras_config(file.read(_CONFIG_BYTES_MAX), found)
    if "pickle" in inside:
        is_script = any("/code/" in name for name in names) and any(name.endswith("/constants.pkl") for name in names)
        return "torchscript" if is_script else "pickle"
    if "config.json" in names and names & {"metadata.json", "model.weights.h5"}:
        return "keras"
    return "skops" if "schema.json" in names else None


def _keras_config(data: bytes, found: Found) -> None:
    """What Keras imports for the layers that a model names: its own are none of anybody's code, but for Lambda."""
    waiting = [json.loads(data)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting.extend(node)
        if not isinstance(node, dict):
            continue
        waiting.extend(node.values())
        module, name = node.get("module"), node.get("class_name")
        if isinstance(name, str) and (name in LAYERS_OF_CODE or not _is_of_keras(module)):
            found.imports(Name(module if _is_module(module) else "keras", _recorded(name)), 0)
        elif name in LAYERS_OF_FUNCTIONS:
            said = node.get("config")
            found.imports(Name("tensorflow", _recorded(said.get("function") if isinstance(said, dict) else None)), 0)


def _recorded(name: object) -> str:
    """A name as `version.yaml` takes it."""
    return (_STRANGE.sub("_", name)[:100] if isinstance(name, str) else "") or "_"


def _is_module(module: object) -> TypeGuard[str]:
    return isinstance(module, str) and len(module) <= _LETTERS_MAX and _MODULE(module) is not None


def _is_of_keras(module: object) -> bool:
    return module is None or (isinstance(module, str) and _KERAS(module) is not None)


def read_hdf5(file: IO[bytes], found: Found) -> Format:
    """Look in a model of Keras for layers that are code: their description is text, wherever it lies in the file.

    The place of what is found is that of the window that it ends in.
    """
    rest, at, is_calling, called = b"", 0, False, set[bytes]()
    while block := file.read(_WINDOW_BYTES):
        text = rest + block.translate(None, b" \t\r\n")
        if match := _LAYER.search(text):
            found.imports(Name("keras.layers", match[1].decode()), at)
            break
        if _SPELT.search(text):
            found.doubt("the description of a model in it hides letters", at)
            break
        for match in _ELSEWHERE.finditer(text):
            found.imports(Name(match[1].decode("latin-1"), "Any"), at)
        is_calling = is_calling or _CALLING.search(text) is not None
        called.update(match[1] or b"" for match in _CALLED.finditer(text) if len(called) <= NAMES_MAX)
        at += len(block)
        rest = text[-_OVERLAP_BYTES:]
    for name in sorted(called) if is_calling else ():
        found.imports(Name("tensorflow", _recorded(name.decode("latin-1"))), 0)
    return "keras"


def objects_in(file: IO[bytes]) -> bool:
    """Pass over the head of an array of NumPy's: whether a pickle of objects follows. Source: numpy.lib.format."""
    stream = Stream(file)
    head = stream.read(8)
    size = int.from_bytes(stream.read(2 if head[6] == 1 else 4), "little")
    if size > _HEADER_BYTES_MAX:
        raise Broken("the head of an array is larger than any", 8)
    text = stream.read(size).decode("latin-1")
    file.seek(stream.at)
    try:
        return _names_objects(ast.literal_eval(text.strip())["descr"])
    except (ValueError, SyntaxError, LookupError, TypeError, RecursionError) as error:
        raise Broken("the head of an array is none", 8) from error


def _names_objects(descr: Any) -> bool:  # noqa: ANN401 - a literal of Python
    """Whether a type has objects: `O`, or `object`, which NumPy reads and never writes."""
    return any("o" in text.lower() for text in _texts(descr))


def _texts(descr: Any) -> Iterator[str]:  # noqa: ANN401 - as above
    """The texts in a type, of a structure those of its parts, without their names. What NumPy never writes is `O`."""
    if isinstance(descr, str):
        yield descr
    elif isinstance(descr, list):
        for field in descr:
            yield from _texts(field[1])
    elif isinstance(descr, tuple):
        for part in descr:
            yield from _texts(part)
    elif not isinstance(descr, int):
        yield "O"
