"""Takes the Magika model out of its PyPI package: `python train.py FOLDER`. Nothing is trained here.

Writes filetype.onnx, filetype.json, NOTICE and LICENSE into FOLDER and schema.json and sample.json beside score.py.
The metric is the share of sample files for which score.py says what the package itself says.
"""

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

import magika
from samples import samples

from mmgit.sdk import DataTypes, SampleDefinition, generate_schema

HERE = Path(__file__).resolve().parent
SCORING = HERE.parent / "scoring"
PACKAGE = Path(magika.__file__).parent
MODEL = PACKAGE / "models" / "standard_v3_3"
SCORE_DIFFERENCE_MAX = 1e-5
sys.path.append(str(SCORING))

import score  # noqa: E402 - it is compared with the package, and the schema is that of its arguments


def config_of(model: dict, types: dict) -> dict:
    """What score.py needs of the package's two configuration files."""
    if model["beg_size"] != model["end_size"] or model["mid_size"] or model["use_inputs_at_offsets"]:
        raise ValueError("the model wants other parts of a file than score.py gives it")
    answers = [_answer(label, model, types) for label in model["target_labels_space"]]
    labels = {"empty", "txt", "unknown"} | {answer["label"] for answer in answers}
    return {
        "block_bytes": model["block_size"],
        "end_bytes": model["end_size"],
        "bytes_min": model["min_file_size_for_dl"],
        "padding": model["padding_token"],
        "answers": answers,
        "types": {label: _shown(types[label]) for label in sorted(labels)},
    }


def _answer(label: str, model: dict, types: dict) -> dict:
    """What the model's output `label` means: a type, or a general one when its score is below the threshold."""
    meant = model["overwrite_map"].get(label, label)
    threshold = model["thresholds"].get(label, model["medium_confidence_threshold"])
    return {"label": meant, "threshold": threshold, "unsure": "txt" if types[meant]["is_text"] else "unknown"}


def _shown(known: dict) -> dict:
    """What a client is told of a type; the package knows no MIME type for some."""
    general = "text/plain" if known["is_text"] else "application/octet-stream"
    shown = {name: known[name] for name in ("description", "group", "is_text")}
    return {**shown, "mime_type": known["mime_type"] or general}


def is_agreed(content: bytes, package: magika.Magika) -> bool:
    """Whether score.py and the package give one answer."""
    theirs = package.identify_bytes(content)
    label, certainty = score.detect(content)
    is_equal = label == theirs.output.label and abs(certainty - theirs.score) <= SCORE_DIFFERENCE_MAX
    if not is_equal:
        print(f"{label} {certainty}, but the package says {theirs.output.label} {theirs.score}", file=sys.stderr)
    return is_equal


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder

    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(MODEL / "model.onnx", folder / "filetype.onnx")
    model = json.loads((MODEL / "config.min.json").read_bytes())
    types = json.loads((PACKAGE / "config" / "content_types_kb.min.json").read_bytes())
    (folder / "filetype.json").write_text(json.dumps(config_of(model, types), indent=1) + "\n", encoding="utf-8")
    for name in ("NOTICE", "LICENSE"):
        shutil.copyfile(HERE / name, folder / name)

    os.environ["MMGIT_MODEL_FILETYPE"] = str(folder)
    score.init()
    package, contents = magika.Magika(), samples()
    agreed = [is_agreed(content, package) for content in contents.values()]
    print(json.dumps({"agreement": sum(agreed) / len(agreed)}))
    content = contents["count.py"]
    inputs = {"content": SampleDefinition(DataTypes.BYTES, content)}
    generate_schema(score.run, inputs, outputs=score.run(content), filepath=SCORING / "schema.json")


if __name__ == "__main__":
    main()
