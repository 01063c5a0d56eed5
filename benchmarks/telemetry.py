"""Times `mmgit telemetry` over an archive of many requests, as whole processes; prints medians.

Half of the requests are of churn/3, half of churn/4, over thirty days; each has a row of five numbers and five
categories, and an answer.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

import duckdb
from run import MMGIT, Took, took

DAYS = 30
ROWS = """
SELECT
    'r-' || i AS record_id, TIMESTAMPTZ '2026-11-01 00:00:00+00' + to_days({day}) AS time, 'prod' AS environment,
    'churn/' || {version} AS manifest, ['churn/' || {version}] AS models, md5(i::VARCHAR) AS request_id,
    NULL::VARCHAR AS correlation_id, NULL::VARCHAR AS trace_id, 'score' AS route,
    CASE WHEN random() < 0.99 THEN 200 ELSE 500 END::INTEGER AS status, exp(random() * 3 - 6) AS seconds,
    0.0001::DOUBLE AS queue_seconds, 250::BIGINT AS bytes_in, 20::BIGINT AS bytes_out, 'primary' AS key,
    '{{"x":[{{' || {cells} || '}}]}}' AS inputs, NULL::VARCHAR AS inputs_base64, NULL::VARCHAR AS inputs_omitted,
    '[' || round(random(), 4) || ']' AS outputs, NULL::VARCHAR AS outputs_base64, NULL::VARCHAR AS outputs_omitted
FROM range({first}, {last}) AS rows(i)
"""
NUMBER = "'\"n{0}\":' || round(random() * 1000 + {version}, 3)"
CATEGORY = "'\"c{0}\":\"' || ['basic', 'plus', 'pro', 'max'][1 + (random() * 4)::INTEGER % 4] || '\"'"


def archive(folder: Path, requests: int) -> None:
    """Write the archive, a file a day and version."""
    connection = duckdb.connect()
    each = requests // (2 * DAYS)
    for part in range(2 * DAYS):
        version, day = 3 + part % 2, part // 2
        cells = [NUMBER.format(n, version=version) for n in range(5)] + [CATEGORY.format(n) for n in range(5)]
        rows = ROWS.format(
            day=day, version=version, first=part * each, last=(part + 1) * each, cells=" || ',' || ".join(cells)
        )
        place = folder / f"service=churn/model=churn/version={version}/identifier=requests/date=2026-11-{day + 1:02d}"
        place.mkdir(parents=True)
        connection.execute(f"COPY ({rows}) TO '{place}/a.parquet' (FORMAT parquet, COMPRESSION zstd)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--smallest", action="store_true", help="6,000 requests, one round: whether it runs at all")
    options = parser.parse_args()
    requests, rounds = (6_000, 1) if options.smallest else (options.requests, options.rounds)
    with tempfile.TemporaryDirectory(prefix="mmgit-benchmark-") as name:
        folder = Path(name)
        (folder / "mmgit.yaml").write_text('apiVersion: mmgit.dev/v1\nkind: Project\nmmgit: "==0.1.0"\n')
        archive(folder / "store", requests)
        size_mib = sum(file.stat().st_size for file in folder.rglob("*.parquet")) / 2**20
        command = [MMGIT, "telemetry"]
        store = ["churn", "--store", str(folder / "store")]
        measures = {
            "show, all days": [*command, "show", *store],
            "show, one day": [*command, "show", *store, "--from", "2026-11-07", "--to", "2026-11-07"],
            "report, one version against the other": [*command, "report", *store, "--against", "churn/3"],
            "export --rows, one day": [
                *(*command, "export", store[0], str(folder / "rows.parquet"), *store[1:], "--rows"),
                *("--from", "2026-11-07", "--to", "2026-11-07"),
            ],
        }
        results: dict[str, list[Took]] = {label: [] for label in measures}
        for _ in range(rounds):
            for label, argv in measures.items():
                results[label].append(took(argv, folder))
    print(f"{requests:,} requests, {size_mib:.0f} MiB of Parquet, medians of {rounds} rounds\n")
    print("| what | CPU s | wall s | wall s, least | peak MiB |\n|---|---|---|---|---|")
    for label, times in results.items():
        walls = [each.wall for each in times]
        cpu, peak_mib = statistics.median(each.cpu for each in times), max(each.peak_mib for each in times)
        print(f"| {label} | {cpu:.1f} | {statistics.median(walls):.1f} | {min(walls):.1f} | {peak_mib:.0f} |")


if __name__ == "__main__":
    main()
