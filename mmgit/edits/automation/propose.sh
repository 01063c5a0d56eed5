#!/usr/bin/env bash
# Proposes what retrain.sh made of MODEL, at the same commit. Needs MMGIT_FORGE_TOKEN, to push a branch and to open a pull request.
# Written by `mmgit new`, which leaves it alone from then on: it is yours to change.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${MODEL:?a model}" "${RESULT:?the folder that retrain.sh filled}"
mmgit retrain --from "$RESULT" --pull-request -- "$MODEL"
