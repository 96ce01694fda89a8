"""A W&B server's runs by its GraphQL interface, with nothing but Python: no other host is asked, no redirect followed.

The queries are those of W&B's own client (HistoryPage of wandb 0.31). That client starts a program of its own, which
may fetch rows from a storage of files elsewhere, so it cannot be kept to one host.
"""

import base64
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping

from analysis.runlog.scrub import scrub_text
from analysis.runlog.study import RunLogError
from analysis.runlog.wandb_address import KEY, Address

TIMEOUT = 60  # ours: seconds that an answer may take
MAX_ANSWER = 64 * 2**20  # ours: bytes; 1,000 rows of 1,000 metrics have 30 MB
PAGE_STEPS = 1000  # steps that one answer covers: no more than `samples`, so that nothing is sampled
PAGE_RUNS = 50
MAX_RUNS = 2000  # ours, as files of an import
FIELDS = "name displayName state createdAt config summaryMetrics historyKeys historyLineCount"
BUSY = frozenset({429, 500, 502, 503, 504})  # answers of a server that may have the right one later
WAITS = (1, 5, 20)  # ours: seconds before it is asked again
RUNS_QUERY = f"""
query Runs($project: String!, $entity: String!, $cursor: String, $perPage: Int = {PAGE_RUNS}, $order: String) {{
  project(name: $project, entityName: $entity) {{
    runs(after: $cursor, first: $perPage, order: $order) {{
      edges {{ node {{ {FIELDS} }} cursor }}
      pageInfo {{ endCursor hasNextPage }}
    }}
  }}
}}"""
RUN_QUERY = f"""
query Run($project: String!, $entity: String!, $name: String!) {{
  project(name: $project, entityName: $entity) {{ run(name: $name) {{ {FIELDS} }} }}
}}"""
ROWS_QUERY = """
query HistoryPage($entity: String!, $project: String!, $run: String!, $minStep: Int64!, $maxStep: Int64!,
                  $pageSize: Int!) {
  project(name: $project, entityName: $entity) {
    run(name: $run) { history(minStep: $minStep, maxStep: $maxStep, samples: $pageSize) }
  }
}"""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments) -> None:
        return None


class WandbServer:
    """A server that is asked with a key, through a proxy where one is named."""

    def __init__(self, url: str, key: str, proxy: str = "") -> None:
        self._url, self._key = f"{url}/graphql", key
        self._login = base64.b64encode(f"api:{key}".encode()).decode()
        proxies = dict.fromkeys(("http", "https"), proxy) if proxy else {}
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies), _NoRedirect)

    def list_runs(self, address: Address) -> Iterator[Mapping[str, object]]:
        """Yields what the server says of each run, the oldest first.

        Raises:
            RunLogError: The server does not know the project or run, or gives no such answer.
        """
        place = {"entity": address.entity, "project": address.project}
        if address.run:
            run = self._find(self._ask(RUN_QUERY, {**place, "name": address.run}), "run")
            if not isinstance(run, dict):
                raise RunLogError(f"the server has no run {address}. Check entity, project, run and {KEY}")
            yield run
            return
        cursor, num = None, 0
        while True:
            variables = {**place, "cursor": cursor, "perPage": PAGE_RUNS, "order": "+created_at"}
            runs = self._find(self._ask(RUNS_QUERY, variables), "runs")
            if not isinstance(runs, dict):
                raise RunLogError(f"the server has no project {address}. Check entity, project and {KEY}")
            for edge in runs["edges"]:
                num += 1
                if num > MAX_RUNS:
                    raise RunLogError(f"{address} has more than {MAX_RUNS} runs. Name single runs")
                yield edge["node"]
            if not runs["pageInfo"]["hasNextPage"] or runs["pageInfo"]["endCursor"] == cursor:
                return
            cursor = runs["pageInfo"]["endCursor"]

    def read_rows(self, address: Address, run: Mapping[str, object]) -> Iterator[list[str]]:
        """Yields the rows of a run as texts of JSON, in order, those of 1,000 steps at a time."""
        keys = run.get("historyKeys")
        last = int(keys.get("lastStep", -1)) if isinstance(keys, dict) else -1
        for first in range(0, last + 1, PAGE_STEPS):
            steps = {"minStep": first, "maxStep": min(first + PAGE_STEPS, last + 1), "pageSize": PAGE_STEPS}
            place = {"entity": address.entity, "project": address.project, "run": run["name"]}
            found = self._find(self._ask(ROWS_QUERY, place | steps), "run")
            yield [row for row in found["history"] if isinstance(row, str)]

    def _find(self, data: object, name: str) -> object:
        project = data.get("project") if isinstance(data, dict) else None
        return project.get(name) if isinstance(project, dict) else None

    def _ask(self, query: str, variables: Mapping[str, object]) -> object:
        body = json.dumps({"query": query, "variables": variables}).encode()
        for wait in (*WAITS, None):
            try:
                found = json.loads(self._post(body))
                break
            except urllib.error.HTTPError as error:
                error.close()
                if error.code in BUSY and wait is not None:
                    time.sleep(wait)
                    continue
                hint = f"Check {KEY}" if error.code in (401, 403) else "Try again later"
                raise RunLogError(f"the server refuses to answer (HTTP {error.code}). {hint}") from error
            except RunLogError:
                raise
            except (OSError, ValueError, RecursionError) as error:
                reason = self._in_a_line(str(getattr(error, "reason", error)) or type(error).__name__)
                raise RunLogError(
                    f"the server gives no answer ({reason}). Check WANDB_BASE_URL and the network"
                ) from error
        data = found.get("data") if isinstance(found, dict) else None
        if data is None and isinstance(found, dict) and found.get("errors"):
            said = self._in_a_line(str(found["errors"][0]["message"]))
            raise RunLogError(f"the server refuses ({said}). Check entity, project and {KEY}")
        return data

    def _post(self, body: bytes) -> bytes:
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        request.add_unredirected_header("Authorization", f"Basic {self._login}")
        with self._opener.open(request, timeout=TIMEOUT) as answer:
            content = answer.read(MAX_ANSWER + 1)
        if len(content) > MAX_ANSWER:
            raise RunLogError(f"the server's answer has more than {MAX_ANSWER >> 20} MiB. Log fewer metrics")
        return content

    def _in_a_line(self, text: str) -> str:
        return scrub_text(" ".join(text.split()).replace(self._key, "(key)"))[:120]
