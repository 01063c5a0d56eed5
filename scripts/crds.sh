#!/usr/bin/env bash
# Prints the definitions of the custom kinds that mmgit renders, for a cluster that lacks them: the versions whose
# schemas `mmgit check` ships, each file by its sha256. Needs curl and sha256sum.
#
#   scripts/crds.sh | kubectl apply --server-side -f -
set -euo pipefail
file=$(mktemp)
trap 'rm -f "$file"' EXIT

while read -r sha256 path; do
  curl --fail --silent --show-error --location --proto =https --retry 3 --max-time 60 --max-filesize 5000000 \
    --output "$file" "https://raw.githubusercontent.com/$path"
  echo "$sha256  $file" | sha256sum --check --quiet >&2 || { echo "not what was pinned: $path" >&2; exit 1; }
  echo "---"
  cat "$file"
done <<'PINS'
d3b1e7d1c88146d6476d6458c824fea85aac56c1129f7d9c97acca14d98f76ad argoproj/argo-cd/v3.2.0/manifests/crds/appproject-crd.yaml
8674444b3f3989027b3fbb14f5715a55a2119ad7a213b7df40e4002aa94eb7f2 argoproj/argo-cd/v3.2.0/manifests/crds/applicationset-crd.yaml
a23fa3f499ec6b4b6f3c8e37763e4ad0e5f2b72c770de8dae3685092f00b2ad4 fluxcd/kustomize-controller/v1.9.1/config/crd/bases/kustomize.toolkit.fluxcd.io_kustomizations.yaml
bd0c08183287b2eea0d885751fc686bc4b2b583e919de6bd57859170b8d1727f fluxcd/source-controller/v1.9.2/config/crd/bases/source.toolkit.fluxcd.io_gitrepositories.yaml
682203b109baecb18d38073a578f7bc2c17d22fe9b0c27bf030850abe014c370 kubernetes-sigs/gateway-api/v1.5.1/config/crd/standard/gateway.networking.k8s.io_httproutes.yaml
af35555862a83933b074af14ad439c4b4ceabaf4daa3e9338e9b23e36d308d80 kedacore/keda/v2.21.0/config/crd/bases/keda.sh_scaledobjects.yaml
32436252cd83925e228604dd33d5218509621946df7c8239f3d9df878d5f0503 kyverno/kyverno/v1.19.1/config/crds/policies.kyverno.io/policies.kyverno.io_imagevalidatingpolicies.yaml
2739dffdfcadd4ecd728d968b5761bd6136aac2f61659764d6891ea76caf312d prometheus-operator/prometheus-operator/v0.89.0/example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml
d54c72a855cee1e84e57914d51e5543c591128a5b8e470d96c190e3dd1b795e6 prometheus-operator/prometheus-operator/v0.89.0/example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml
e23467593124763d9937b1180d48cefe89dc72cf04e9bcf84cbf29822d51b20c sigstore/policy-controller/v0.13.0/config/300-clusterimagepolicy.yaml
PINS
