#!/usr/bin/env bash
# Installs mmgit into the Python environment that is active: every package by its hash.
# Written by `mmgit new`, which leaves it alone from then on: it is yours to change.
set -euo pipefail
cd "$(dirname "$0")/../.."

python -m pip install --quiet --require-hashes -r ci/mmgit/requirements.txt
