#!/usr/bin/env bash
# Builds what a change since BASE brings, and pushes nothing. Give it no secret and no cache that others read.
# Written by `mmgit new`, which leaves it alone from then on: it is yours to change.
set -euo pipefail
cd "$(dirname "$0")/../.."

: "${BASE:?the commit that the change goes to}"
mmgit build --since "$BASE"
