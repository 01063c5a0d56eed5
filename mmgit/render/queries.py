"""What dashboards and alerts ask Prometheus of one service, in the metrics of the server's admin port. Pure."""

from mmgit.desired import DesiredEnvironment
from mmgit.frozen import dataclass

_SCORING = 'route=~"score|infer"'


@dataclass(frozen=True)
class Queries:
    """Of a service; `own` are the labels by which its series are known."""

    own: str

    def now(self, metric: str) -> str:
        """The sum of a gauge over all replicas."""
        return f"sum({metric}{{{self.own}}})"

    def rate(self, metric: str, window: str, *, by: str = "", where: str = "") -> str:
        """How fast a counter grows, a second."""
        labels = f"{self.own},{where}" if where else self.own
        return f"sum{f' by ({by}) ' if by else ''}(rate({metric}{{{labels}}}[{window}]))"

    def growth(self, metric: str, window: str, *, by: str = "") -> str:
        """How much a counter grew."""
        return f"sum{f' by ({by}) ' if by else ''}(increase({metric}{{{self.own}}}[{window}]))"

    def quantile(self, share: float, histogram: str, window: str) -> str:
        """A quantile of a histogram, from its buckets."""
        return f"histogram_quantile({share:g}, {self.rate(f'{histogram}_bucket', window, by='le')})"

    def mean(self, histogram: str, window: str) -> str:
        """The mean of a histogram."""
        return f"{self.rate(f'{histogram}_sum', window)} / {self.rate(f'{histogram}_count', window)}"

    def status_share(self, statuses: str, window: str) -> str:
        """The share of answers to requests that may score which have one of these statuses."""
        some = self.rate("mmgit_requests_total", window, where=f'{_SCORING},status=~"{statuses}"')
        return f"{some} / {self.rate('mmgit_requests_total', window, where=_SCORING)}"

    def slow_share(self, seconds: float, window: str) -> str:
        """The share of answers that took longer than a bound of the histogram."""
        quick = self.rate("mmgit_request_duration_seconds_bucket", window, where=f'le="{float(seconds)}"')
        return f"1 - {quick} / {self.rate('mmgit_request_duration_seconds_count', window)}"


def queries_of(environment: DesiredEnvironment, service: str) -> Queries:
    """In Kubernetes a Prometheus operator adds the namespace; elsewhere there is the service alone."""
    namespace = environment.spec.namespace
    where = f'namespace="{namespace}",' if environment.spec.target == "kubernetes" and namespace else ""
    return Queries(f'{where}service="{service}"')
