"""A local session of Spark that is there before the user's code, as the reference's `spark-py` had one.

The JVM is started as pyspark's scripts start it, by Spark's own launcher, but without a shell: bases have none. It ends
when this process does, and this process when it does. What lies beside the score file is Spark's configuration too:
`spark-defaults.conf` goes before what is set here.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import pwd
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

RUNTIME = "spark-py"

_LAUNCHER, _SUBMIT = "org.apache.spark.launcher.Main", "org.apache.spark.deploy.SparkSubmit"
_DEFAULTS = "spark-defaults.conf"
_MIB = 2**20
_HEAP_SHARE = 0.5
_HEAP_MIB_MIN = 512
"""Spark itself refuses less than 450 MiB."""
_ENDED = 70
_SCRATCH = "mmgit-spark-"


def start_session(folder: Path, *, threads: int, memory_bytes: int) -> None:
    """Let `SparkSession.builder.getOrCreate()` give a session with so many threads, in so much memory (0: unknown).

    Raises:
        RuntimeError: there is no pyspark or no Java, or they do not start; the message says what to do.
    """
    home, java = _home(), _java()
    heap_mib = _heap_mib(memory_bytes)
    _refuse_nameless_user()
    scratch = _scratch()
    settings = _settings(threads, heap_mib, scratch)
    theirs = _names_in(folder / _DEFAULTS)
    confs = [f"{name}={value}" for name, value in settings.items() if name not in theirs]
    os.environ.update(SPARK_HOME=str(home), PYSPARK_PYTHON=sys.executable)
    os.environ.setdefault("SPARK_CONF_DIR", str(folder))
    told = {
        "SPARK_SCALA_VERSION": _scala_version(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_HOSTNAME": "localhost",
        "SPARK_CONNECT_MODE": "0",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "_PYSPARK_DRIVER_CONN_INFO_PATH": str(Path(scratch, "gateway")),
    }
    environment = {**os.environ, **told}
    process = _started(_command(java, home, confs, environment), environment)
    port, secret = _gateway(process, Path(told["_PYSPARK_DRIVER_CONN_INFO_PATH"]))
    threading.Thread(target=_end_with, args=(process,), daemon=True).start()
    os.environ.update(PYSPARK_GATEWAY_PORT=port, PYSPARK_GATEWAY_SECRET=secret)
    try:
        importlib.import_module("pyspark.sql").SparkSession.builder.getOrCreate()
    finally:
        for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET"):
            os.environ.pop(name, None)


def _home() -> Path:
    found = importlib.util.find_spec("pyspark")
    if found is None or found.origin is None:
        raise RuntimeError(f"runtime {RUNTIME} needs pyspark among the dependencies")
    return Path(found.origin).parent


def _java() -> str:
    named = os.environ.get("JAVA_HOME")
    beside = Path(sys.executable).parent / "java"
    candidates = [Path(named, "bin", "java")] if named else [beside, Path(shutil.which("java") or beside)]
    for java in candidates:
        if os.access(java, os.X_OK):
            return str(java)
    where = f"JAVA_HOME ({named})" if named else "PATH"
    raise RuntimeError(
        f"runtime {RUNTIME} needs Java 17 or newer, and there is none in {where}; "
        "a base of Debian packages gets it by: mmgit base update NAME --package default-jre-headless …"
    )


def _refuse_nameless_user() -> None:
    """Java's login, which Hadoop's file systems ask, needs a name for the user."""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        raise RuntimeError(f"user {os.getuid()} has no name in /etc/passwd of the base, which Spark needs") from None


def _heap_mib(memory_bytes: int) -> int:
    """Half of the memory: the other half is for the JVM's own, for this process and for those of Python functions."""
    if not memory_bytes:
        return 2 * _HEAP_MIB_MIN
    heap_mib = int(memory_bytes * _HEAP_SHARE / _MIB)
    if heap_mib < _HEAP_MIB_MIN:
        raise RuntimeError(
            f"runtime {RUNTIME} needs {int(_HEAP_MIB_MIN / _HEAP_SHARE)} MiB for each scorer, and there are "
            f"{memory_bytes // _MIB}: give the service more `memory`, or less `concurrency` and `spares`"
        )
    return heap_mib


def _scratch() -> str:
    """A folder for what the JVM writes and runs; those of processes that were killed are taken away."""
    for left in Path(tempfile.gettempdir()).glob(f"{_SCRATCH}*-*"):
        with suppress(ValueError, PermissionError):
            try:
                os.kill(int(left.name[len(_SCRATCH) :].partition("-")[0]), 0)
            except ProcessLookupError:
                shutil.rmtree(left, ignore_errors=True)
    made = tempfile.mkdtemp(prefix=f"{_SCRATCH}{os.getpid()}-")
    if os.statvfs(made).f_flag & getattr(os, "ST_NOEXEC", 0):
        raise RuntimeError(
            f"Spark runs libraries that it unpacks in {made}, which lets nothing run: "
            "`parameters: {tmp-exec: true}` in the service allows it"
        )
    return made


def _settings(threads: int, heap_mib: int, scratch: str) -> dict[str, str]:
    options = ["-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError", f"-Djava.io.tmpdir={scratch}"]
    return {
        "spark.master": f"local[{threads}]",
        "spark.app.name": "mmgit",
        "spark.driver.memory": f"{heap_mib}m",
        "spark.driver.extraJavaOptions": " ".join(options),
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.default.parallelism": str(threads),
        "spark.sql.shuffle.partitions": str(threads),
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str(Path(scratch, "warehouse")),
    }


def _names_in(file: Path) -> set[str]:
    """The settings that a file of Spark's makes. Source: java.util.Properties, of which Spark takes the simple form."""
    if not file.is_file():
        return set()
    words = (re.split(r"[\s=:]", line.strip(), maxsplit=1)[0] for line in file.read_text("utf-8").splitlines())
    return {word for word in words if word and word[0] not in "#!"}


def _scala_version(home: Path) -> str:
    """What pyspark's scripts find by the names of jars, too."""
    for jar in home.glob("jars/spark-launcher_*.jar"):
        return jar.name.partition("_")[2].partition("-")[0]
    raise RuntimeError(f"there is no Spark in {home}: its jars/ has no spark-launcher")


def _command(java: str, home: Path, confs: list[str], environment: dict[str, str]) -> list[str]:
    """The command of the JVM, as Spark's launcher makes it: it knows which options this Spark needs of this Java."""
    given = [part for conf in confs for part in ("--conf", conf)]
    asked = [java, "-Xmx128m", "-XX:-UsePerfData", "-cp", str(home / "jars" / "*"), _LAUNCHER, _SUBMIT, *given]
    done = subprocess.run(  # noqa: S603 - the user's own Java
        [*asked, "pyspark-shell"], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False
    )
    said = done.stdout.partition(b"\0\n")[2] or done.stdout
    command = [os.fsdecode(part) for part in said.split(b"\0") if part]
    if done.returncode or not command:
        raise RuntimeError(f"Spark's launcher does not run with {java}; the log says why")
    while command[0] == "env" or "=" in command[0]:
        name, _, value = command.pop(0).partition("=")
        environment.update({name: value} if value else {})
    return command


def _started(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """The JVM, in the process group of this process; it reads a pipe that ends when this process does."""
    return subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)  # noqa: S603 - as above


def _gateway(process: subprocess.Popen[bytes], file: Path) -> tuple[str, str]:
    """Port and secret of the JVM, which it writes as pyspark reads them."""
    while not file.exists():
        if process.poll() is not None:
            raise RuntimeError(f"the JVM of Spark ended with status {process.returncode}; the log says why")
        time.sleep(0.02)
    data = file.read_bytes()
    file.unlink()
    port, size = struct.unpack_from(">ii", data)
    return str(port), data[8 : 8 + size].decode("utf-8")


def _end_with(process: subprocess.Popen[bytes]) -> None:
    """End this process when the JVM ends: without it nothing can be scored, and a new scorer has a new one."""
    status = process.wait()
    os.write(2, f"the JVM of Spark ended with status {status}, and so does its scorer\n".encode())
    os._exit(_ENDED)
