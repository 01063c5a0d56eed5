"""The type of a file from its first and last bytes, by Google's Magika model."""

import json
import os
from pathlib import Path

import numpy as np
import onnxruntime


def init() -> None:
    global session, magika
    folder = Path(os.environ["MMGIT_MODEL_FILETYPE"])
    magika = json.loads((folder / "filetype.json").read_bytes())
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1  # scorers are processes: more of them is the way to use more processors
    session = onnxruntime.InferenceSession(folder / "filetype.onnx", options, providers=["CPUExecutionProvider"])


def run(content: bytes) -> dict:
    label, score = detect(content)
    return {"label": label, "score": round(score, 4), **magika["types"][label]}


def detect(content: bytes) -> tuple[str, float]:
    """The label and how sure the model is; 1.0 where there is too little in the file to ask it."""
    if not content:
        return "empty", 1.0
    tokens = features(content)
    if tokens[magika["bytes_min"] - 1] == magika["padding"]:
        return label_of_few(content[: magika["block_bytes"]]), 1.0
    (scores,) = session.run(["target_label"], {"bytes": tokens[np.newaxis]})[0]
    answer, score = magika["answers"][scores.argmax()], float(scores.max())
    return answer["label"] if score >= answer["threshold"] else answer["unsure"], score


def features(content: bytes) -> np.ndarray:
    """Whitespace around the content left out: its first bytes, padded behind, then its last, padded before."""
    block, size = magika["block_bytes"], magika["end_bytes"]
    first = np.frombuffer(content[:block].lstrip()[:size], np.uint8)
    last = np.frombuffer(content[-block:].rstrip()[-size:], np.uint8)
    tokens = np.full(2 * size, magika["padding"], np.int32)
    tokens[: len(first)] = first
    tokens[2 * size - len(last) :] = last
    return tokens


def label_of_few(content: bytes) -> str:
    try:
        content.decode()
    except UnicodeDecodeError:
        return "unknown"
    return "txt"
