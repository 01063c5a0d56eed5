import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path


def test_plugins_for_declared_types_are_not_run(tmp_path: Path, copy_of_ours: Callable[[Path], Path]) -> None:
    root, plugins = copy_of_ours(tmp_path / "copy"), tmp_path / "plugins"
    (plugins / "odd-1.dist-info").mkdir(parents=True)
    (plugins / "odd-1.dist-info/entry_points.txt").write_text("[pydantic]\nodd = odd:plugin\n")
    (plugins / "odd.py").write_text("raise SystemExit('the plugin ran')\n")
    environment = {"PATH": os.defpath, "PYTHONPATH": str(plugins)}

    ended = subprocess.run([sys.executable, "-m", "mmgit", "check"], cwd=root, env=environment, check=False)

    assert ended.returncode == 0
