#!/usr/bin/env bash
# Trains MODEL, and puts the result into the folder RESULT. It runs people's code: give it no token, and nothing else that could be lost.
# Written by `mmgit new`, which leaves it alone from then on: it is yours to change.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${MODEL:?a model}" "${RESULT:?a folder that is handed to propose.sh}"
mmgit retrain --result "$RESULT" -- "$MODEL"
