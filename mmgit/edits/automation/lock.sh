#!/usr/bin/env bash
# Locks, pins and compiles what build.sh pushed, one commit. Needs MMGIT_FORGE_TOKEN, to push; give it no way to write the registry.
# Written by `mmgit new`, which leaves it alone from then on: it is yours to change.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${LOCKS:?the folder that build.sh filled}"
mmgit lock "$LOCKS" --push
