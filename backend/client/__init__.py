"""The client: everything the API offers to programs, typed, blocking (`Client`) and not (`AsyncClient`)."""

from backend.client.asynchronous import AsyncClient
from backend.client.blocking import Client
from backend.client.chunks import Refused
from backend.client.failures import ApiProblem, ClientFailure, Fault, NoAnswer, UnexpectedAnswer
from backend.client.ingestion import Mode, Outcome, Status, Summary
from backend.client.retrying import Retry
from backend.client.runs import IngestRun

__all__ = [
    "ApiProblem",
    "AsyncClient",
    "Client",
    "ClientFailure",
    "Fault",
    "IngestRun",
    "Mode",
    "NoAnswer",
    "Outcome",
    "Refused",
    "Retry",
    "Status",
    "Summary",
    "UnexpectedAnswer",
]
