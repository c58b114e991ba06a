from fastapi import APIRouter, Request
from starlette.responses import Response

from backend.app.db.overview import overview
from backend.app.deps import StandingDep
from backend.app.models.overview import Overview
from backend.app.replies import answer
from backend.app.routing import Route

router = APIRouter(prefix="/stats", tags=["stats"], route_class=Route)


@router.get("/overview", response_model=Overview)
async def get_overview(request: Request, standing: StandingDep) -> Response:
    """Get an overview of all there is.

    For a front page: what there is and what is new, postings by week and by source, the companies and
    skills that most postings name. With up to 10,000 postings and interactions it is counted for each
    request; with more, about once a minute for everybody, or less often the longer that takes. `as_of` says
    when.
    """
    found = await overview(standing)
    return answer(request, found.document | {"as_of": found.as_of})
