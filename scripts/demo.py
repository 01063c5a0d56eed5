"""Shows mmgit on this repository's own models: `make demo`.

Everything happens in a temporary copy, as the user who runs it: no Docker, no registry, no root. The commands are
shown as they run; the first one that fails ends the demo with its exit code.
"""

import base64
import json
import os
import platform
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from uv import find_uv_bin

ROOT = Path(__file__).resolve().parent.parent
DECLARED = ("mmgit.yaml", ".gitattributes", "bases", "blueprints", "environments", "models")
SERVICE, ENVIRONMENT, MANIFEST, PYTHON = "digits", "dev", "digits/2", "3.11"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
PLATFORM = f"linux/{ARCHITECTURES.get(platform.machine(), 'amd64')}"
LAYERS = ("base", "dependencies", "serving", "scoring", "model files")
START_SECONDS = 120.0
SHADES, PIXEL = "@%#*+=-:. ", 8
"""From ink to paper; the sample shows 8 by 8 pixels, each enlarged so many times."""

MMGIT = (sys.executable, "-m", "mmgit")
GIT = ("git", "-c", "user.name=demo", "-c", "user.email=demo@localhost", "-c", "commit.gpgsign=false")
BOLD, DIM, PLAIN = ("\033[1m", "\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "", "")


def main() -> None:
    """Check, build, compile and serve a copy of this repository."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mmgit-demo-") as name:
        copy = Path(name)
        say(f"A copy of this repository's models and environments: {copy}, removed at the end.")
        take_copy(copy)
        step(1, "Check what is declared, and that what is committed is what the compiler makes")
        mmgit(copy, "check")
        mmgit(copy, "compile", "--check")
        if shutil.which("apt-get"):
            build_and_compile(copy)
        else:
            say("\nSteps 2 to 5 are left out: apt, which picks the packages of the base image, is not on this machine.")
            say("To see an image being built, run this on Debian or Ubuntu, or in a container of one.")
        step(6, "Serve it as a local process, from the same manifest, and ask for a prediction")
        predict(copy)
    say(f"\n{BOLD}Done{PLAIN} in {time.monotonic() - started:.0f} s. README.md goes on with a model of yours.")


def take_copy(copy: Path) -> None:
    """A repository of its own with the declared files, for this machine's platform only."""
    for name in DECLARED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    project = copy / "mmgit.yaml"
    project.write_text(re.sub(r"(?m)^platforms:.*$", f"platforms: [{PLATFORM}]", project.read_text()))
    for arguments in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "Begin")):
        run((*GIT, *arguments), copy)


def build_and_compile(copy: Path) -> None:
    """From today's Debian packages to an image, a pin and rendered files."""
    step(2, "Lock a base image to what Debian has today: apt's solver, without root, nothing is installed")
    mmgit(copy, "base", "update", "--platform", PLATFORM)

    step(3, f"Build an image of manifest {MANIFEST}: no Docker, no registry, the same bytes on every machine")
    mmgit(copy, "image", "rebuild", MANIFEST)
    images = json.loads(run((*MMGIT, "image", "list", "-o", "json"), copy))
    image = next(each for each in images if each["manifest"] == MANIFEST and list(each["layers"]) == [PLATFORM])
    layers = zip(LAYERS, image["layers"][PLATFORM], strict=True)
    say("   its layers: " + ", ".join(f"{name} {layer['size'] / 1e3:,.0f} kB" for name, layer in layers))

    step(4, "Pin it: one edited line in the service's file")
    pin = ("--manifest", MANIFEST, "--image", image["image"])
    mmgit(copy, "service", "update", SERVICE, "--env", ENVIRONMENT, *pin)
    edited = run((*GIT, "diff", "-U0", "--no-color", f"environments/{ENVIRONMENT}/services"), copy)
    show("\n".join(re.findall(r"^[-+] *\w+: .*", edited, re.MULTILINE)))

    step(5, "Compile: every environment's files are rendered; a commit of them is a deployment")
    mmgit(copy, "compile")
    show(run((*GIT, "diff", "--stat", "--no-color", "--", "environments"), copy))


def predict(copy: Path) -> None:
    """Start the service, post the sample that was registered with the model, and print the answer."""
    add_python(copy)
    sample = f"models/{MANIFEST.replace('/', '/manifests/')}/sample.json"
    body = (copy / sample).read_bytes()
    with serving(copy) as url:
        show("\n".join(drawn(body)))
        say(f"   {DIM}POST {url} with {sample}{PLAIN}")
        request = urllib.request.Request(url, body, {"Content-Type": "application/json"})  # noqa: S310 - loopback
        with urllib.request.urlopen(request, timeout=START_SECONDS) as answer:  # noqa: S310 - loopback
            prediction = json.load(answer)
    say(f"   {json.dumps(prediction)}")
    say(f"   {BOLD}It reads a {prediction['digit']}.{PLAIN}")


@contextmanager
def serving(copy: Path) -> Iterator[str]:
    """The address at which the service scores, once it is ready."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = ("serve", SERVICE, "--env", ENVIRONMENT, "--port", str(port))
    announce("mmgit", *arguments)
    log = copy / "serve.log"
    with log.open("wb") as output:
        server = subprocess.Popen(  # noqa: S603 - mmgit's own command
            (*MMGIT, *arguments), cwd=copy, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_until_ready(server, f"http://127.0.0.1:{port}/", log)
        yield f"http://127.0.0.1:{port}/api/v1/service/{SERVICE}/score"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=START_SECONDS)


def wait_until_ready(server: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    """Return when the service takes requests; end the demo with the server's log if it never does."""
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - loopback
                if json.load(answer)["ready"]:
                    return
        except OSError:
            pass
        time.sleep(0.1)
    sys.exit(f"the server did not get ready:\n{log.read_text()}")


def add_python(copy: Path) -> None:
    """Put the Python that the manifest names on PATH; where the machine has none, uv fetches it into .venv once."""
    uv, pythons = find_uv_bin(), ROOT / ".venv" / "pythons"
    find = (uv, "python", "find", PYTHON, "--no-python-downloads", "--no-project", "--quiet")
    if subprocess.run(find, cwd=copy, capture_output=True, check=False).returncode == 0:  # noqa: S603 - uv
        return
    if not list(pythons.glob(f"cpython-{PYTHON}.*/bin")):
        say(f"   the manifest asks for Python {PYTHON}, which is not on this machine: uv fetches it into {pythons}")
        run((uv, "python", "install", PYTHON, "--no-bin", "--install-dir", str(pythons)), copy)
    os.environ["PATH"] = os.pathsep.join([*map(str, pythons.glob(f"cpython-{PYTHON}.*/bin")), os.environ["PATH"]])


def drawn(sample: bytes) -> list[str]:
    """The sample's picture for a terminal, whose cells are twice as high as wide."""
    rows = list(shades(base64.b64decode(json.loads(sample)["image"])))[PIXEL // 2 :: PIXEL]
    return ["".join(SHADES[shade * (len(SHADES) - 1) // 255] * 2 for shade in row[::PIXEL]) for row in rows]


def shades(png: bytes) -> Iterator[bytearray]:
    """The rows of a grey PNG of 8 bits. Source: PNG specification, third edition, sections 5 and 9."""
    compressed, place = b"", 8
    while place < len(png):
        length, kind = struct.unpack_from(">I4s", png, place)
        if kind == b"IDAT":
            compressed += png[place + 8 : place + 8 + length]
        place += length + 12
    width = struct.unpack_from(">I", png, 16)[0]
    above, packed = bytearray(width), zlib.decompress(compressed)
    for start in range(0, len(packed), width + 1):
        row = bytearray(packed[start + 1 : start + 1 + width])
        for x in range(width):
            left, up, corner = (row[x - 1], above[x], above[x - 1]) if x else (0, above[x], 0)
            row[x] = (row[x] + predicted(packed[start], left, up, corner)) % 256
        yield row
        above = row


def predicted(method: int, left: int, up: int, corner: int) -> int:
    """What one of PNG's five filters takes a shade to be."""
    nearest = min((left, up, corner), key=lambda shade: abs(left + up - corner - shade))
    return (0, left, up, (left + up) // 2, nearest)[method]


def mmgit(copy: Path, *arguments: str) -> None:
    """Run a command of mmgit and show it with its output."""
    announce("mmgit", *arguments)
    show(run((*MMGIT, *arguments), copy))


def run(argv: tuple[str, ...], copy: Path) -> str:
    """What a command prints. One that fails ends the demo with its words and its exit code."""
    done = subprocess.run(argv, cwd=copy, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)  # noqa: S603 - commands of this file
    if done.returncode:
        show(done.stdout)
        say(f"{shlex.join(argv)} ended with exit code {done.returncode}")
        sys.exit(done.returncode)
    return done.stdout


def step(number: int, title: str) -> None:
    """Begin a step."""
    say(f"\n{BOLD}{number}  {title}{PLAIN}")


def announce(*words: str) -> None:
    """The command that runs now."""
    say(f"   {DIM}${PLAIN} {shlex.join(words)}")


def show(output: str) -> None:
    """What a command printed."""
    say("\n".join(f"   {line}" for line in output.splitlines()))


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
