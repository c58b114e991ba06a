from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from backend.app.errors import RETRY_AFTER, Failure
from backend.app.models.view import to_json
from backend.app.replies import JSON
from backend.app.routing import Route

router = APIRouter(tags=["health"], route_class=Route)


class Connected(BaseModel):
    connected: bool
    message: str


class Health(BaseModel):
    """Whether the service can do its work."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"status": "healthy", "mongodb": {"connected": True, "message": "The database answers"}},
                {
                    "status": "unhealthy",
                    "mongodb": {"connected": False, "message": "The database cannot be reached"},
                },
            ]
        }
    )

    status: Literal["healthy", "unhealthy"]
    mongodb: Connected


class Alive(BaseModel):
    """That the process answers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "alive"}]})

    status: Literal["alive"]


class Ready(BaseModel):
    """Whether requests should be sent here."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ready"}, {"status": "not ready"}]})

    status: Literal["ready", "not ready"]


@router.get(
    "/health",
    response_model=Health,
    responses={503: {"model": Health, "description": "The database is away"}},
)
async def get_health(request: Request) -> Response:
    """Tell whether the service and its database are up."""
    connected, message = True, "The database answers"
    try:
        await request.app.state.mongo.ping()
    except Failure as failure:
        connected, message = False, failure.detail
    status = "healthy" if connected else "unhealthy"
    return answer(connected, Health(status=status, mongodb=Connected(connected=connected, message=message)))


@router.get("/livez", response_model=Alive)
async def get_liveness() -> Response:
    """Tell that the process answers.

    Asks nothing of the database: for deciding whether to restart the process.
    """
    return answer(True, Alive(status="alive"))


@router.get(
    "/readyz",
    response_model=Ready,
    responses={503: {"model": Ready, "description": "Not ready"}},
)
async def get_readiness(request: Request) -> Response:
    """Tell whether to send requests here: the database answers and its indexes are made."""
    ready = request.app.state.ready.is_set()
    try:
        await request.app.state.mongo.ping()
    except Failure:
        ready = False
    return answer(ready, Ready(status="ready" if ready else "not ready"))


def answer(well: bool, content: BaseModel) -> Response:
    if well:
        return Response(to_json(content.model_dump()), media_type=JSON)
    return Response(to_json(content.model_dump()), 503, {"Retry-After": RETRY_AFTER}, JSON)
