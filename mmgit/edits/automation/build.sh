#!/usr/bin/env bash
# Builds and pushes what services wait for, or the MANIFESTS. Needs docker's login to the registry; give it no way to write git.
# Written by `mmgit new`, which leaves it alone from then on: it is yours to change.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${LOCKS:?a folder that is handed to lock.sh}"
read -ra manifests <<<"${MANIFESTS:-}"
mmgit build --push --locks "$LOCKS" "${manifests[@]}"
