#!/usr/bin/env bash
# Checks a change against the commit BASE where it began. Needs the whole history, no secret; runs nothing of the repository.
# Written by `mmgit new`, which leaves it alone from then on: it is yours to change.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${BASE:?the commit that the change goes to}"
mmgit compile --check # checks everything, and what is rendered
mmgit plan "$BASE" --format markdown
