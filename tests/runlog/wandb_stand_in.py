"""A stand-in for a W&B server on 127.0.0.1: answers what wandb 0.31 asks when it reads runs."""

import asyncio
import contextlib
import gzip
import json
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


class StandIn:
    """The server.

    Attributes:
        runs: Rows of the runs by id.
        asked: Names of the queries, in their order.
        logins: What it was shown as login.
        moved_to: Where it sends who asks, "" where it answers.
        url: Where it listens.
    """

    def __init__(self, runs: Mapping[str, Sequence[Mapping[str, object]]]):
        self.runs = runs
        self.asked: list[str] = []
        self.logins: set[str] = set()
        self.moved_to = ""
        self.url = ""

    async def answer(self, request: Request) -> Response:
        self.logins.add(request.headers.get("authorization", ""))
        if self.moved_to:
            return RedirectResponse(self.moved_to, 302)
        body = await request.body()
        if request.headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        asked = json.loads(body)
        name = asked.get("operationName") or re.search(r"(?:query|mutation)\s+(\w+)", asked["query"])[1]
        self.asked.append(name)
        return JSONResponse({"data": self.find(name, asked.get("variables") or {})})

    def find(self, name: str, variables: Mapping[str, object]) -> dict[str, object]:
        run = str(variables.get("name") or variables.get("runName") or variables.get("run") or "")
        if name in ("Viewer", "GetDefaultEntity"):
            person = {"id": "u1", "entity": "team", "username": "someone", "email": "someone@example.org"}
            return {"viewer": person | {"flags": "{}", "teams": {"edges": []}, "admin": False}}
        if name in ("GetRuns", "Runs", "LightweightRuns", "GetLightweightRuns"):
            edges = [{"node": self.describe(each), "cursor": each} for each in self.runs]
            page = {"endCursor": None, "hasNextPage": False}
            runs = {"edges": edges, "pageInfo": page, "totalCount": len(edges)}
            return {"project": {"internalId": "7", "runCount": len(edges), "readOnly": False, "runs": runs}}
        if run not in self.runs:
            return {"project": {"run": None}} if run else {}
        rows = [json.dumps(row) for row in self.runs[run]]
        first, last = int(variables.get("minStep") or 0), int(variables.get("maxStep") or 2**31)
        page = [row for row in rows if first <= json.loads(row)["_step"] < last]
        history = {"parquetUrls": [], "liveData": list(self.runs[run])}
        return {"project": {"run": self.describe(run) | {"history": page, "parquetHistory": history}}}

    def describe(self, run: str) -> dict[str, object]:
        rows = self.runs[run]
        names = {name for row in rows for name in row}
        keys = {name: {"typeCounts": [{"type": "number", "count": len(rows)}]} for name in names}
        last = max((row["_step"] for row in rows), default=-1)
        config = {"lr": {"value": 0.1}, "optimizer": {"value": "adam"}, "data": {"value": "/home/someone"}}
        return {
            **{"id": f"id-{run}", "projectId": "7", "tags": [], "name": run, "displayName": f"name of {run}"},
            **{"sweepName": None, "state": "finished", "config": json.dumps(config), "group": None, "jobType": None},
            **{"commit": None, "readOnly": False, "createdAt": "2026-11-22T00:00:00", "heartbeatAt": None},
            **{"description": "", "notes": None, "systemMetrics": "{}", "summaryMetrics": '{"baseline_loss": 2.3}'},
            **{"historyLineCount": len(rows), "user": {"name": "someone", "username": "someone"}},
            **{"historyKeys": {"lastStep": last, "keys": keys, "sets": []}},
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
