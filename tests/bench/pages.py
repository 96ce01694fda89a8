"""How long pages of a large study take in a real browser, and what they send: `make bench-pages`, or with --help.

The study is that of docs/benchmarks.md: 200 runs of 10,000 steps with planted spikes and blow-ups. "Verdict" is the
time from the start of a visit until the title of the page can be read, which is the verdict on the first page; "drawn"
until the script has ended and every chart has its axes.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

from analysis.judged_file import kept_path
from app_pages.frame import PAGES
from app_pages.studies import PROJECT, SAMPLE_KEY
from tests.bench.page_visits import Visit, Visitor, cpu_seconds, new_browser, resident_megabytes, tables_of
from tests.bench.planted_study import STUDY, write_study
from tests.reviews.postgresql import free_port

TARGETS = {"new browser": "2.0", "reload": "0.8"}  # seconds until the verdict (ours)
PEERS = """
Others on data of the same kind, as of 2026-11-28, on two shared cores at load 1 to 3; medians of 3 but for (1):

| tool | new browser / reload, s | sent, MB | server, MB | spikes on the screen |
|---|---|---|---|---|
| TensorBoard 2.21 | 8.0 / 7.8 | 8.8 | 273 | 0 of 20 |
| trackio 0.43 | 94 (1) | 16.5 | 195 | 6 of 20 |
| optuna-dashboard | 131 (1) / not drawn in 240 | 87 | 7,900 | 20 of 20 |
| MLflow 3.17.2 | 20.6 / 9.2 (1) | 11.2 | 2,400 | only of the 10 runs shown |
| trainscope 1.8.1, one run at a time | 5.7 / 8.5 (1) | 3.1 | 389 | its list of runs: none |
"""


def main() -> int:
    """Measures and prints."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--runs", type=int, default=200, metavar="N", help="of the study; %(default)s")
    ask.add_argument("--steps", type=int, default=10_000, metavar="N", help="of each run; %(default)s")
    ask.add_argument("--times", type=int, default=3, metavar="N", help="every visit, for a median; %(default)s")
    ask.add_argument("--store", type=Path, metavar="DIR", help="where the study stays; default a temporary folder")
    args = ask.parse_args()
    folder = args.store or Path(tempfile.mkdtemp(prefix="steadystep-pages-"))
    try:
        say(f"writing {args.runs} runs of {args.steps:,} steps")
        spikes = write_study(folder, args.runs, args.steps)
        print(f"Load average {os.getloadavg()[0]:.1f} before.\n")
        with sync_playwright() as playwright:
            time_first_pages(playwright, folder, args.times)
            look_at_pages(playwright, folder, spikes, args.times)
    finally:
        if args.store is None:
            shutil.rmtree(folder)
    print(f"\nimport of app.py: {time_import():.2f} s of processor time")
    print(PEERS)
    print(f"Load average {os.getloadavg()[0]:.1f} after, on {os.cpu_count()} cores.")
    return 0


def say(text: str) -> None:
    """Tells on standard error how far it is."""
    print(text, file=sys.stderr, flush=True)


@contextmanager
def started(store: Path) -> Iterator[tuple[str, int]]:
    """Starts the dashboard as users do; yields its address and process once it has nothing left to do."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    environment = os.environ | {"STEADYSTEP_STORE": str(store), "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            wait_until_idle(f"http://127.0.0.1:{port}", process.pid)
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()


def wait_until_idle(url: str, pid: int) -> None:
    """Waits until a server answers and has used no processor for half a second; a minute at most."""
    end, used = time.monotonic() + 60, -1.0
    while time.monotonic() < end and used != (used := cpu_seconds(pid)):
        time.sleep(0.5)
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=30).close()
        except urllib.error.URLError:
            used = -1.0


def time_first_pages(playwright: Playwright, store: Path, times: int) -> None:
    """Prints how long the first page takes, in five states of server and browser."""
    found: dict[str, list[Visit]] = {}

    def visit(state: str, url: str, pid: int, again: str = "") -> None:
        say(state)
        with new_browser(playwright) as browser:
            visitor = Visitor(browser, pid)
            found.setdefault(state, []).append(visitor.open(f"{url}/?study={STUDY}"))
            if again:
                found.setdefault(again, []).append(visitor.reload())

    for _ in range(times):
        with started(store) as (url, pid):
            visit("server just started", url, pid)
        with started(store) as (url, pid):
            with new_browser(playwright) as browser:
                Visitor(browser, pid).open(f"{url}/?study={SAMPLE_KEY}")
            visit("new browser", url, pid)
            visit("new browser, study open elsewhere", url, pid, again="reload")
        kept = kept_path(STUDY, store)
        content = kept.read_bytes()
        kept.unlink()
        with started(store) as (url, pid):
            visit("runs that nobody has judged", url, pid)
        kept.write_bytes(content)
    print("| first page | verdict, s | target | drawn, s | server, CPU s | browser, CPU s | sent, MB | unpacked, MB |")
    print("|---|---|---|---|---|---|---|---|")
    for state, visits in found.items():
        verdict = statistics.median(visit.verdict for visit in visits)
        print(f"| {state} | {verdict:.2f} | {TARGETS.get(state, '')} | {row_of(visits)} |")


def row_of(visits: list[Visit], target: str = "") -> str:
    """Returns the medians of visits as cells of a table; the target, if there is one, beside the time."""
    seconds, server, browser, wire, raw = (
        statistics.median(getattr(visit, name) for visit in visits)
        for name in ("seconds", "server", "browser", "wire", "raw")
    )
    time_ = f"{seconds:.2f} | {target}" if target else f"{seconds:.2f}"
    return f"{time_} | {server:.2f} | {browser:.2f} | {wire / 1e6:.2f} | {raw / 1e6:.2f}"


def look_at_pages(playwright: Playwright, store: Path, spikes: Mapping[str, int], times: int) -> None:
    """Prints what every page takes in a browser that has seen one before, what widgets take, and memory."""
    with started(store) as (url, pid), new_browser(playwright) as browser:
        visitor = Visitor(browser, pid)
        visitor.open(f"{url}/?study={STUDY}")
        print("\n| page, second visit | drawn, s | server, CPU s | browser, CPU s | sent, MB | unpacked, MB |")
        print("|---|---|---|---|---|---|")
        for name in (name for section in PAGES.values() for name in section):
            say(name)
            address = f"{url}/{'' if name == 'findings' else name}?study={STUDY}"
            print(f"| {name} | {row_of([visitor.open(address), visitor.open(address)][1:])} |")
        change_widgets(visitor, url, spikes, times)
        print(f"\nmemory of the server: {resident_megabytes(pid)} MB (target 400)")


def change_widgets(visitor: Visitor, url: str, spikes: Mapping[str, int], times: int) -> None:
    """Prints how long pages take to follow a widget, and how many planted spikes the picture of all runs was sent."""
    page, found = visitor.page, {}
    visitor.open(f"{url}/loss?study={STUDY}")
    every = visitor.change(lambda: page.get_by_text("All runs", exact=True).click())
    for _ in range(times):
        for label in ("Around the best", "All runs"):
            visit = visitor.change(lambda label=label: page.get_by_text(label, exact=True).click())
            found.setdefault(f"loss, {label.lower()}, again", []).append(visit)
    visitor.open(f"{url}/grad_norm?study={STUDY}")
    for _ in range(times):
        visit = visitor.change(lambda: page.get_by_role("slider").first.press("PageDown"))
        found.setdefault("percentile of the gradient norm", []).append(visit)
    print("\n| widget | changed, s | target | server, CPU s | browser, CPU s | sent, MB | unpacked, MB |")
    print("|---|---|---|---|---|---|---|")
    print(f"| loss, all runs, first time | {row_of([every], '0.3')} |")
    for label, visits in found.items():
        print(f"| {label} | {row_of(visits, '0.3')} |")
    shown = count_spikes(every, spikes)
    print(f"\nplanted one-step spikes among the points of all runs: {shown} of {len(spikes)}")


def count_spikes(visit: Visit, spikes: Mapping[str, int]) -> int:
    """Returns how many of the planted spikes, by run, are among the points that a chart was sent."""
    sent = set()
    for table in tables_of(visit.messages):
        if {"run_id", "step"} <= set(table.column_names):
            sent |= set(zip(table["run_id"].to_pylist(), map(int, table["step"].to_pylist()), strict=True))
    return sum((run, step) in sent for run, step in spikes.items())


def time_import() -> float:
    """Returns the processor time of a process that imports app.py and ends."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import app"], cwd=PROJECT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    sys.exit(main())
