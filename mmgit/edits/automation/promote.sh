#!/usr/bin/env bash
# Proposes what runs in FROM for TO, whose registry has it by then. Needs MMGIT_FORGE_TOKEN, to push a branch and to open a pull request, and docker's login to read that registry.
# Written by `mmgit new`, which leaves it alone from then on: it is yours to change.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${FROM:?an environment}" "${TO:?an environment}"
read -ra services <<<"${SERVICES:-}"
known=()
if [ -f "${PREDICTIONS:-}" ]; then known=(--predictions "$PREDICTIONS"); fi # what try.sh found
mmgit promote --from="$FROM" --to="$TO" --pull-request "${known[@]}" -- "${services[@]}"
