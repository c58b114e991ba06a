from fastapi import APIRouter, Request
from starlette.responses import Response

from backend.app.deps import IfMatch, IfNoneMatch, Listed, UsersDep
from backend.app.errors import answers
from backend.app.models.base import UserId
from backend.app.models.users import User, UserIn, UserPatch, UserPut
from backend.app.replies import created, listed, one
from backend.app.routing import Route

router = APIRouter(prefix="/users", tags=["users"], route_class=Route)


@router.post("/", status_code=201, response_model=User, responses=answers(409))
async def create_user(body: UserIn, users: UsersDep) -> Response:
    """Add a user.

    Their stats are made along with them. The e-mail address is unique, whatever its case.
    """
    return created(users, await users.add(body), "/users/")


@router.get("/", response_model=list[User])
async def list_users(request: Request, users: UsersDep, query: Listed) -> Response:
    """List users, oldest first."""
    return await listed(request, users, query, {})


@router.get("/{user_id}", response_model=User, responses=answers(304, 404))
async def get_user(user_id: UserId, users: UsersDep, if_none_match: IfNoneMatch = None) -> Response:
    """Get one user."""
    return one(users, await users.get(user_id), if_none_match=if_none_match)


@router.patch("/{user_id}", response_model=User, responses=answers(404, 409, 412))
async def patch_user(user_id: UserId, body: UserPatch, users: UsersDep, if_match: IfMatch = None) -> Response:
    """Change a user by a merge patch.

    Embedded objects merge, `null` takes an optional field away, lists are replaced. What results must be
    valid as a whole. A patch that changes nothing leaves `updated_at` and the entity tag as they are.
    """
    return one(users, await users.change(user_id, body, if_match))


@router.put("/{user_id}", response_model=User, responses=answers(404, 409, 412))
async def put_user(user_id: UserId, body: UserPut, users: UsersDep, if_match: IfMatch = None) -> Response:
    """Replace fields of a user.

    A field that is sent takes the place of the old value, embedded objects whole. What is not sent stays.
    """
    return one(users, await users.change(user_id, body, if_match))


@router.delete("/{user_id}", status_code=204, responses=answers(404, 412))
async def delete_user(user_id: UserId, users: UsersDep, if_match: IfMatch = None) -> Response:
    """Remove a user and all that is theirs.

    Their stats, saved searches, interactions and matches go with them: all at once, or nothing.
    """
    await users.remove(user_id, if_match)
    return Response(status_code=204)
