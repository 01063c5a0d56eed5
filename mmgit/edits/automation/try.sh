#!/usr/bin/env bash
# Tries a change since BASE, or a promotion FROM TO, and writes PREDICTIONS for the others. Runs its code: no secret, no shared cache.
# Written by `mmgit new`, which leaves it alone from then on: it is yours to change.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${PREDICTIONS:?a file to write}"
if [ -n "${TO:-}" ]; then
  mmgit try --from="${FROM:?an environment}" --to="$TO" --report "$PREDICTIONS"
else
  mmgit try "${BASE:?the commit that the change goes to}" --report "$PREDICTIONS"
fi
