"""The other servers, each as its documentation starts it and with its defaults, logs included."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from environments import HERE, own_packages, peer_python
from servers import ROW, TENSOR, Ask, Program


def iris_peers(folder: Path, wanted: Sequence[str]) -> list[Program]:
    """The servers that predict irises whose names begin as one of those wanted; all of them where none is named."""
    known: dict[str, Callable[[str], Program]] = {
        "MLServer, in process": lambda name: mlserver(folder, name, parallel_workers=0),
        "MLServer, isolated": lambda name: mlserver(folder, name),
        "KServe": lambda _: _kserve(folder),
        "FastAPI, def": lambda name: _fastapi(folder, name, "/blocking"),
        "FastAPI, async def": lambda name: _fastapi(folder, name, "/inloop"),
        "LitServe": lambda _: _litserve(folder),
        "BentoML": lambda _: _bentoml(folder),
    }
    return [make(name) for name, make in known.items() if is_wanted(name, wanted)]


def is_wanted(name: str, wanted: Sequence[str]) -> bool:
    """Whether this peer is to be measured."""
    return not wanted or any(name.lower().startswith(start.lower()) for start in wanted)


def mlserver(folder: Path, name: str, **settings: int) -> Program:
    """MLServer with its own runtime for scikit-learn; its default is a process of its own for models."""
    place = _place(folder, name)
    python = peer_python("mlserver")
    subprocess.run([python, str(HERE / "peers" / "mlserver" / "train.py"), str(place / "model.joblib")], check=True)
    (place / "settings.json").write_text(
        json.dumps({"host": "127.0.0.1", "grpc_port": 0, "metrics_port": 0, **settings})
    )
    model = {"name": "iris", "implementation": "mlserver_sklearn.SKLearnModel", "parameters": {"uri": "./model.joblib"}}
    (place / "model-settings.json").write_text(json.dumps(model))
    command = [str(Path(python).parent / "mlserver"), "start", "."]
    ask = Ask("/v2/models/iris/infer", json.dumps({"inputs": [TENSOR]}), '"data":[0]')
    return Program(name, command, ask, place, {"MLSERVER_HTTP_PORT": "{port}"})


def granian(folder: Path) -> Program:
    """Granian's echo in its own interface."""
    binary = Path(peer_python("granian")).parent / "granian"
    command = [str(binary), "--port", "{port}", "--working-dir", str(HERE / "peers" / "granian"), "echo:app"]
    return Program("granian's echo", command, Ask("/", expected='"x"'), _place(folder, "granian"))


def bare(folder: Path) -> Program:
    """A call in the event loop, with nothing around it."""
    command = [sys.executable, str(HERE / "peers" / "bare" / "server.py"), "{port}", str(own_packages("front"))]
    return Program("the bare call", command, Ask("/", expected="5.1"), _place(folder, "bare"))


def _kserve(folder: Path) -> Program:
    command = [peer_python("kserve"), str(HERE / "peers" / "kserve" / "app.py"), "--http_port", "{port}"]
    ask = Ask("/v1/models/iris:predict", json.dumps({"instances": [ROW]}), "[0]")
    return Program("KServe", [*command, "--enable_grpc", "false"], ask, _place(folder, "kserve"))


def _fastapi(folder: Path, name: str, path: str) -> Program:
    binary = Path(peer_python("fastapi")).parent / "uvicorn"
    command = [str(binary), "--port", "{port}", "--app-dir", str(HERE / "peers" / "fastapi"), "app:app"]
    return Program(name, command, Ask(path, expected="[0]"), _place(folder, name))


def _litserve(folder: Path) -> Program:
    command = [peer_python("litserve"), str(HERE / "peers" / "litserve" / "app.py"), "{port}"]
    return Program("LitServe", command, Ask("/predict", expected="[0]"), _place(folder, "litserve"))


def _bentoml(folder: Path) -> Program:
    binary = Path(peer_python("bentoml")).parent / "bentoml"
    command = [str(binary), "serve", "--host", "127.0.0.1", "--port", "{port}", "service:Iris"]
    place = _place(folder, "bentoml")
    (place / "service.py").write_text((HERE / "peers" / "bentoml" / "service.py").read_text())
    return Program("BentoML", command, Ask("/score", expected="[0]"), place, {"BENTOML_HOME": str(place)})


def _place(folder: Path, name: str) -> Path:
    place = folder / name.replace(" ", "-").replace(",", "")
    place.mkdir()
    return place
