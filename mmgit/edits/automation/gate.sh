#!/usr/bin/env bash
# Judges a pull request NUMBER by the gates of BASE, from a checkout of BASE. Needs MMGIT_FORGE_TOKEN, to read who approved.
# Written by `mmgit new`, which leaves it alone from then on: it is yours to change.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${BASE:?the commit that the change goes to}" "${HEAD:?the commit of the change}" "${NUMBER:?the pull request}"
known=()
if [ -f "${PREDICTIONS:-}" ]; then known=(--predictions "$PREDICTIONS"); fi # what try.sh found
mmgit gate "$(git merge-base "$BASE" "$HEAD")..$HEAD" --format markdown --pull-request "$NUMBER" "${known[@]}"
