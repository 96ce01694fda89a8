"""A stand-in for a W&B server on 127.0.0.1: answers the three queries that we ask when runs are read."""

import asyncio
import contextlib
import json
import math
import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

KEY = "0123456789abcdef0123456789abcdef01234567"
LOSSES = [3 - step / 2000 for step in range(1500)]  # more than a page of 1,000 and a sample of 500
STRANGE = [*LOSSES[:5], "NaN", "Infinity", "-Infinity", 1e36, *LOSSES[9:]]


def rows_of(losses: Sequence[object]) -> list[dict[str, object]]:
    """Returns the history of a run as W&B keeps it."""
    return [{"_step": step, "_timestamp": 1.7e9 + step, "loss": loss} for step, loss in enumerate(losses)]


class StandIn:
    """The server.

    Attributes:
        runs: Rows of the runs by id.
        asked: Names of the queries, in their order.
        logins: What it was shown as login.
        moved_to: Where it sends who asks, "" where it answers.
        refusals: What it answers before anything else, one each time: HTTP status and body.
        num_counted: Rows that it says each run has, None where it counts those that it gives.
        url: Where it listens.
    """

    def __init__(self, runs: Mapping[str, Sequence[Mapping[str, object]]]):
        self.runs = runs
        self.asked: list[str] = []
        self.logins: set[str] = set()
        self.moved_to = ""
        self.refusals: list[tuple[int, dict[str, object]]] = []
        self.num_counted: int | None = None
        self.url = ""

    async def answer(self, request: Request) -> Response:
        self.logins.add(request.headers.get("authorization", ""))
        if self.moved_to:
            return RedirectResponse(self.moved_to, 302)
        asked = await request.json()
        name = re.search(r"query\s+(\w+)", asked["query"])[1]
        self.asked.append(name)
        if self.refusals:
            status, body = self.refusals.pop(0)
            return JSONResponse(body, status)
        return JSONResponse({"data": self.find(name, asked["variables"])})

    def find(self, name: str, variables: Mapping[str, object]) -> dict[str, object]:
        if name == "Runs":
            edges = [{"node": self.describe(each), "cursor": each} for each in self.runs]
            return {"project": {"runs": {"edges": edges, "pageInfo": {"endCursor": None, "hasNextPage": False}}}}
        run = str(variables["run" if name == "HistoryPage" else "name"])
        if run not in self.runs:
            return {"project": {"run": None}}
        page = [
            json.dumps(row)
            for row in self.runs[run]
            if variables.get("minStep", 0) <= row["_step"] < variables.get("maxStep", math.inf)
        ]
        return {"project": {"run": self.describe(run) | {"history": page}}}

    def describe(self, run: str) -> dict[str, object]:
        rows = self.runs[run]
        config = {"lr": {"value": 0.1}, "optimizer": {"value": "adam"}, "data": {"value": "/home/someone"}}
        return {
            **{"name": run, "displayName": f"name of {run}", "state": "finished", "createdAt": "2026-11-22T00:00:00"},
            **{"config": json.dumps(config), "summaryMetrics": '{"baseline_loss": 2.3}'},
            **{"user": {"name": "someone", "username": "someone"}},
            "historyLineCount": len(rows) if self.num_counted is None else self.num_counted,
            "historyKeys": {"lastStep": max((row["_step"] for row in rows), default=-1)},
        }


@contextlib.contextmanager
def serve(runs: Mapping[str, Sequence[Mapping[str, object]]]) -> Iterator[StandIn]:
    """Yields a server that listens, and ends it."""
    stand_in = StandIn(runs)
    app = Starlette(routes=[Route("/graphql", stand_in.answer, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
    listener = socket.create_server(("127.0.0.1", 0))
    stand_in.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        yield stand_in
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
