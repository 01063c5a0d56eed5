#!/usr/bin/env bash
# Puts servers of stores into FOLDER: Azurite, moto and gcp-storage-emulator, and MLflow.
# Needs npm and make's .venv. Tests take versitygw in place of moto where it is in PATH.
set -euo pipefail
folder=${1:?usage: scripts/stores.sh FOLDER}
cd "$(dirname "$0")/.."
uv=$PWD/.venv/bootstrap/uv
mkdir -p "$folder/bin"
folder=$(cd "$folder" && pwd)
npm install --silent --no-audit --no-fund --prefix "$folder/azurite" azurite@3.37.0 >/dev/null
ln -sf "$folder/azurite/node_modules/.bin/azurite-blob" "$folder/bin/"
"$uv" venv --quiet --allow-existing "$folder/python"
"$uv" pip install --quiet --python "$folder/python/bin/python" 'moto[s3,server]==5.2.5' gcp-storage-emulator==2026.7.19
ln -sf "$folder"/python/bin/{moto_server,gcp-storage-emulator} "$folder/bin/"
"$uv" venv --quiet --allow-existing "$folder/mlflow"
"$uv" pip install --quiet --python "$folder/mlflow/bin/python" mlflow==3.17.0
