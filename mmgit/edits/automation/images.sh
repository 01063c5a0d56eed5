#!/usr/bin/env bash
# Copies what runs in FROM to the registry of TO. Needs docker's login to read the one and write the other; give it no way to write git.
# Written by `mmgit new`, which leaves it alone from then on: it is yours to change.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${FROM:?an environment}" "${TO:?an environment}"
read -ra services <<<"${SERVICES:-}"
mmgit promote --from="$FROM" --to="$TO" --images -- "${services[@]}"
