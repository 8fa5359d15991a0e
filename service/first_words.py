"""Everybody's first word before anybody's work.

A run first says what the policy has said with its answer, which takes a millisecond, and then works for some sixty.
What is ready in one event loop takes turns: where hundreds ask in the same instant, each would hear its first word when
the work of all the others was well on its way. So a run waits with its work until nobody is left who asked and has not
been sent a word, and those that wait then begin one after another, in the order in which they asked.
"""

from __future__ import annotations

import asyncio

#: Longest that a run waits with its work, seconds: others who ask without end, or who cannot be sent a word, hold up
#: nobody for ever.
LONGEST_S = 1.0


class FirstWords:
    """Who was sent a first word and who waits for one. One event loop."""

    def __init__(self, longest_s: float = LONGEST_S) -> None:
        self._longest_s = longest_s
        self._waiting: set[FirstWord] = set()
        self._changed = asyncio.Event()
        self._next = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._waiting)

    def expected(self) -> FirstWord:
        """Somebody asks for a stream. Whoever holds this must say `over` at some time."""
        word = FirstWord(self)
        self._waiting.add(word)
        return word

    def none(self) -> FirstWord:
        """Somebody asks who is sent nothing before the end."""
        return FirstWord(self)

    def forget(self, word: FirstWord) -> None:
        """Nobody has to wait for it any more."""
        self._waiting.discard(word)
        if not self._waiting:
            self._changed.set()

    async def all_sent(self) -> None:
        """Returns when it is the turn of the run that calls this to begin its work."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._longest_s
        async with self._next:
            while self._waiting and loop.time() < until:
                self._changed.clear()
                try:
                    async with asyncio.timeout_at(until):
                        await self._changed.wait()
                except TimeoutError:
                    break
            # Between two that begin the loop turns once, so that somebody new is heard.
            await asyncio.sleep(0)


class FirstWord:
    """Of one run: expected until it is `over`."""

    def __init__(self, words: FirstWords) -> None:
        self._words = words

    def over(self) -> None:
        """It was sent, or is not to be waited for any more. May be said more than once."""
        self._words.forget(self)

    async def begin(self, says: bool) -> None:
        """Returns when the run may begin its work; `says`: something of it is on its way."""
        if not says:
            self.over()
        await self._words.all_sent()
