"""Answers of any length, one thing after the other."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Generic, TypeVar

T = TypeVar("T")


class AsyncStream(Generic[T]):
    """To be gone through once, as it comes in: singly, or in the batches that it comes in."""

    def __init__(self, batches: Callable[[], AsyncGenerator[Sequence[T], None]]) -> None:
        self.batches = batches

    async def __aiter__(self) -> AsyncIterator[T]:
        async with aclosing(self.batches()) as batches:
            async for batch in batches:
                for one in batch:
                    yield one
