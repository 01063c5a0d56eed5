#!/usr/bin/env bash
# Says whether what is committed is still what the declarations make. Needs no secret; for every night.
# Written by `mmgit new`, which leaves it alone from then on: it is yours to change.
set -euo pipefail
cd "$(dirname "$0")/../.."

mmgit compile --check # checks everything, and what is rendered
