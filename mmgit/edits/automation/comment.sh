#!/usr/bin/env bash
# Says what a change does in its pull request NUMBER, from a checkout of BASE. Needs MMGIT_FORGE_TOKEN, to comment.
# Written by `mmgit new`, which leaves it alone from then on: it is yours to change.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${BASE:?the commit that the change goes to}" "${HEAD:?the commit of the change}" "${NUMBER:?the pull request}"
known=()
if [ -f "${PREDICTIONS:-}" ]; then known=(--predictions "$PREDICTIONS"); fi # what try.sh found
mmgit plan "$(git merge-base "$BASE" "$HEAD")..$HEAD" --format markdown --comment "$NUMBER" "${known[@]}"
