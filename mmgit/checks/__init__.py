"""Whether what is declared fits together. No network, and nothing of the repository is executed.

A check is a function from a `Scope` to findings; `CHECKS` is all of them.
"""

from mmgit.checks import (
    contracts,
    devices,
    environments,
    files,
    formats,
    handover,
    immutability,
    pins,
    redaction,
    references,
    secrets,
    trainings,
)
from mmgit.checks.scope import Baseline, Check, Scope

_CHECKS_BESIDE_SERVICES: tuple[Check, ...] = (
    references.manifests_name_what_is_declared,
    references.manifests_fit_their_base,
    files.manifests_have_their_files,
    files.runtimes_have_what_they_serve,
    files.golden_rows_can_be_read,
    files.steps_can_be_read,
    files.schemas_and_samples_can_be_read,
    files.scoring_files_hold_no_key,
    files.versions_have_their_files,
    formats.formats_are_taken,
    pins.images_contradict_nothing,
    trainings.trainings_are_locked,
    trainings.clusters_train_what_can_be_trained,
    trainings.clusters_can_fetch_what_they_build,
    secrets.sealed_secrets_are_encrypted,
    secrets.sealed_secrets_are_decrypted,
    immutability.what_is_released_stays,
)
CHECKS_OF_ENVIRONMENTS: tuple[Check, ...] = (
    environments.stores_are_written,
    redaction.environments_redact_what_they_have,
)
"""They look at all services of an environment at once: at what these run, and whether they record."""
CHECKS_OF_SERVICES: tuple[Check, ...] = (
    pins.pins_name_an_image_of_their_manifest,
    pins.pinned_images_have_the_inputs_of_their_manifest,
    environments.services_can_be_called,
    environments.compose_has_its_proxy,
    environments.promotions_come_from_an_environment,
    environments.routes_say_who_may_call,
    environments.stores_are_reached,
    environments.volumes_can_be_mounted,
    environments.fields_are_read_by_their_target,
    environments.replicas_are_as_asked,
    environments.processes_render_nothing,
    environments.batches_are_of_rows,
    environments.who_scales_to_zero_has_an_activator,
    devices.devices_have_what_services_ask,
    redaction.services_redact_what_they_have,
    contracts.breaking_contracts_get_a_service_of_their_own,
    handover.autoscalers_take_over_from_what_runs,
    handover.handovers_end,
    secrets.variables_hold_no_secret,
)
"""They look at each service by itself: of all services they find what they find of some and of the others."""
CHECKS = _CHECKS_BESIDE_SERVICES + CHECKS_OF_ENVIRONMENTS + CHECKS_OF_SERVICES

__all__ = ["CHECKS", "CHECKS_OF_ENVIRONMENTS", "CHECKS_OF_SERVICES", "Baseline", "Check", "Scope"]
