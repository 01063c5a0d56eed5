"""Run by a model's own interpreter in its scoring folder: JSON bodies in, `[status, document]` out, one a line each.

The argument is the folder of the serving layer's scorer: bodies are converted and answers written as in an image.
"""

import importlib
import json
import os
import sys
from pathlib import Path

if __name__ == "__main__":
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the scorer logs to standard output
    scorer = sys.argv[1]
    sys.path.insert(0, scorer)
    importlib.import_module("main").load_package(Path(scorer))
    sys.path.remove(scorer)
    scoring = importlib.import_module("_mmgit_scorer.scoring")
    frames = importlib.import_module("_mmgit_scorer.frames")
    worker = importlib.import_module("_mmgit_scorer.worker")
    log = importlib.import_module("_mmgit_scorer.log").RequestLog()
    nothing = {"requests_fd": -1, "answers_fd": -1, "recall_fd": -1, "dependencies": [], "sdk_folder": scorer}
    files = {"scoring_folder": str(Path.cwd()), "score_file": "score.py", "schema_file": "schema.json"}
    loaded = scoring.load(scoring.Assignment(**nothing, **files))
    for line in sys.stdin:
        answer = worker.score(loaded, worker.Request(["test"], frames.ARGUMENTS, 0, line.encode()), log)
        print(json.dumps([answer.status, json.loads(answer.payload)]), file=answers)
