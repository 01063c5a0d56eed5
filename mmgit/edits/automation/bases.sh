#!/usr/bin/env bash
# Proposes what Debian has newer than the bases are locked to. Needs apt, and MMGIT_FORGE_TOKEN, to push a branch and to open a pull request.
# Written by `mmgit new`, which leaves it alone from then on: it is yours to change.
set -euo pipefail
cd "$(dirname "$0")/../.."

mmgit base update --all --pull-request
