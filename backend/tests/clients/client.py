"""One round trip by the client that openapi-python-client makes: `python client.py http://127.0.0.1:8000`."""

import sys

from aijobhunt_client import Client
from aijobhunt_client.api.jobs import list_jobs
from aijobhunt_client.api.users import create_user, delete_user, get_user, patch_user
from aijobhunt_client.models import Problem, User, UserIn, UserPatch


def main(url: str) -> None:
    with Client(base_url=url) as client:
        made = create_user.sync(client=client, body=UserIn(name="Ada", email="ada@example.com"))
        assert isinstance(made, User)
        assert get_user.sync(made.id, client=client) == made

        patched = patch_user.sync(made.id, client=client, body=UserPatch(name="Ada Lovelace"))
        assert isinstance(patched, User)
        assert patched.name == "Ada Lovelace"
        assert patched.email == made.email

        taken = create_user.sync(client=client, body=UserIn(name="Eve", email="ADA@example.com"))
        assert isinstance(taken, Problem)
        assert taken.code == "key_taken"

        assert list_jobs.sync(client=client, limit=10) == []
        assert delete_user.sync_detailed(made.id, client=client).status_code == 204
        missing = get_user.sync(made.id, client=client)
        assert isinstance(missing, Problem)
        assert missing.detail == "User not found"


if __name__ == "__main__":
    main(sys.argv[1])
