"""Services: what each runs and how, how it is called, a form to try it, and what it ran before."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from mmgit.addresses import Address, address_of
from mmgit.clients import LANGUAGES
from mmgit.desired import Autoscale, DesiredService
from mmgit.plural import counted
from mmgit.portal import paths
from mmgit.portal.contents import Contents
from mmgit.portal.frame import Here, Page, badge, code, day, facts, listed, section, table
from mmgit.portal.html import Html, Node, el
from mmgit.portal.pages import api, changes, reports
from mmgit.portal.pages.environments import MATRIX, marks, since
from mmgit.repository.source import DeclaredEnvironment, DeclaredService
from mmgit.review.differences import short


def pages(contents: Contents) -> Iterator[Page]:
    """A page of each service."""
    for environment, service in contents.services:
        yield _service(contents, environment, service)


def _service(contents: Contents, environment: DeclaredEnvironment, service: DeclaredService) -> Page:
    path, spec = paths.service(environment.name, service.name), service.spec
    here = Here(path)
    reference = spec.manifest or spec.next or ""
    document = contents.documents.get(reference)
    address = address_of(environment.spec, service.name, spec)
    sample = api.sample_of(document)
    main = (
        el("h1", service.name, " ", badge(environment.name), *marks(service)),
        el("p", spec.description, class_="lead") if spec.description else None,
        el("p", el("strong", "Held: "), _hold(service), class_="note") if spec.hold else None,
        facts(_runs(here, contents, service)),
        section("Call it", *_usage(address, environment, service, sample)),
        _form(address, sample),
        api.description(here, reference, document),
        section("How it runs", facts(_how(service, contents.running.get(service.path)))),
        section("What it ran", changes.of_service(here, contents, service)),
        reports.of_service(here, contents, environment.name, service.name),
    )
    origin = urlsplit(address.url)
    above = (MATRIX, (paths.environment(environment.name), environment.name))
    return Page(path, f"{service.name} in {environment.name}", main, above, f"{origin.scheme}://{origin.netloc}")


def _runs(here: Here, contents: Contents, service: DeclaredService) -> Iterator[tuple[str, Node]]:
    spec, source = service.spec, contents.source
    manifest = source.manifest(spec.manifest) if spec.manifest else None
    yield "Runs", paths.to_manifest(here, source, spec.manifest) or "nothing yet"
    yield (
        "Model versions",
        listed(paths.to_version(here, source, each) for each in manifest.spec.models) if manifest else None,
    )
    yield "Image", code(short(spec.image)) if spec.image else None
    yield "Since", since(contents, service)
    yield "Next", paths.to_manifest(here, source, spec.next)
    yield "Group", service.group
    yield "Declared in", code(service.path)


def _hold(service: DeclaredService) -> Node:
    hold = service.spec.hold
    return [hold.reason, f" (until {hold.until})" if hold.until else None] if hold else None


def _usage(address: Address, environment: DeclaredEnvironment, service: DeclaredService, sample: str) -> Iterator[Node]:
    lines = [f"curl {address.url}", "-H 'Content-Type: application/json'", "-d @request.json"]
    if address.needs_key:
        lines.insert(1, '-H "Authorization: Bearer $MMGIT_KEY"')
    yield el("p", el("strong", "POST "), code(address.url))
    if sample:
        yield el("p", "A sample, as ", code("request.json"), ":")
        yield _block(sample, "The sample")
    yield _block(" \\\n  ".join(lines), "A call with curl")
    name, where = service.name, environment.name
    yield el("p", code(f"mmgit service run {name} --env {where}"), " sends the sample.")
    yield el("p", code(f"mmgit clients {name} --env {where} --language {'|'.join(LANGUAGES)}"), " writes a client.")


def _block(text: str, label: str) -> Html:
    return el("pre", el("code", text), tabindex="0", role="group", aria_label=label)


def _form(address: Address, sample: str) -> Html:
    """The script shows it; without one there are the commands above."""
    key = (
        el("label", "Key", for_="try-key"),
        el("input", type="password", id="try-key", autocomplete="off", spellcheck="false"),
        el("p", "It is sent to the service alone, and forgotten with this page.", class_="remark"),
    )
    form = el(
        "form",
        *(key if address.needs_key else ()),
        el("label", "Request, as JSON", for_="try-body"),
        el("textarea", sample or "{}", id="try-body", rows="8", spellcheck="false"),
        el("button", "Send", type="submit"),
        el("output", for_="try-body", id="try-status", role="status"),
        el("pre", el("code", id="try-answer"), tabindex="0", role="group", aria_label="The answer", hidden=True),
        data_try=address.url,
    )
    return el("section", el("h2", "Try it"), form, id="try", hidden=True)


def _how(service: DeclaredService, running: DesiredService | None) -> Iterator[tuple[str, Node]]:
    if running is not None:
        yield "Replicas", _scale(running)
        yield "Processors", running.cpu
        yield "Memory", running.memory
        yield "GPUs", running.gpu or None
        yield "Scorers a replica", f"{running.concurrency}, and {counted(running.queue, 'request')} may wait"
        yield "Time for a request", f"{running.timeout_seconds:g} s"
        yield "Objectives", _objectives(running)
        yield "Records of requests", _recording(running)
    rows = (
        (key.name, code(key.id), day(key.created) if key.created else None, day(key.expires) if key.expires else None)
        for key in service.spec.keys
    )
    yield "Keys", table("Keys", ("Key", "Id", "Made", "Ends"), rows) if service.spec.keys else None


def _scale(running: DesiredService) -> str:
    scale = running.scale
    if not isinstance(scale, Autoscale):
        return str(scale.replicas)
    used = "processors" if scale.metric == "cpu" else "scorers"
    return f"{scale.min} to {scale.max}, towards {scale.target} % of its {used}"


def _objectives(running: DesiredService) -> str | None:
    if running.slo is None:
        return None
    availability = f"{running.slo.availability:g} % answered without an error" if running.slo.availability else None
    time, _, share = (running.slo.latency or "").partition("@")
    latency = f"{share} % within {time}" if time else None
    return ", ".join(filter(None, (availability, latency)))


def _recording(running: DesiredService) -> str | None:
    if not running.telemetry:
        return None
    kept = [name for name in ("inputs", "outputs") if running.telemetry[name]]
    hidden = running.telemetry["redact"]
    return ", ".join(["times and sizes", *kept]) + (f"; without {', '.join(hidden)}" if hidden else "")
