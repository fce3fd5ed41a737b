"""Answers for load balancers and process supervisors."""

from poolhouse.flows.calls import Deps
from poolhouse.storage.errors import StorageError
from poolhouse.web.responses import json_response, respond
from poolhouse.web.routes import Receive, Scope, Send


class Health:
    """``/health/live``: the process answers. ``/health/ready``: the database answers too."""

    def __init__(self, deps: Deps) -> None:
        self._deps = deps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Answer a probe."""
        if scope["path"] == "/health/live":
            await respond(send, json_response(200, {"status": "ok"}))
        elif scope["path"] == "/health/ready":
            ready = await self._is_ready()
            await respond(send, json_response(200 if ready else 503, {"status": "ok" if ready else "unavailable"}))
        else:
            await respond(send, json_response(404, {"message": "Not Found"}))

    async def _is_ready(self) -> bool:
        try:
            await self._deps.store.read(lambda tx: tx.signing_keys.stock_count())
        except StorageError:
            return False
        return True
