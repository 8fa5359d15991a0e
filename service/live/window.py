"""The frames of one run that a reader may still need, numbered from 1, within two bounds."""

from __future__ import annotations

from collections import deque

#: Frames kept of one run; an ordinary run has some thirty.
MAX_FRAMES = 512
#: Bytes kept of one run; an ordinary run has some fifty thousand. A single longer frame is kept alone.
MAX_BYTES = 512 * 1024


class Window:
    """The newest frames of a run. What was handed out makes room for what comes; what was not never does.

    With `again=False` what was handed out is let go at once: nobody will ask for it a second time.
    """

    def __init__(self, *, again: bool, max_frames: int = MAX_FRAMES, max_bytes: int = MAX_BYTES) -> None:
        self._again = again
        self._max_frames = max_frames
        self._max_bytes = max_bytes
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        #: Number of the last frame that is no longer kept.
        self.dropped = 0
        self._handed_out = 0

    @property
    def last(self) -> int:
        """Number of the newest frame; 0 before the first."""
        return self.dropped + len(self._frames)

    @property
    def held_bytes(self) -> int:
        """Bytes of the frames kept."""
        return self._bytes

    def fits(self, frame: bytes) -> bool:
        """Whether the frame has room, once what may be let go for it is gone."""
        while self._frames and self._full_with(frame) and self.dropped < self._handed_out:
            self._drop()
        return not self._frames or not self._full_with(frame)

    def add(self, frame: bytes) -> None:
        """Keep a frame that fits."""
        self._frames.append(frame)
        self._bytes += len(frame)

    def go_on_after(self, number: int) -> None:
        """A reader comes that has everything up to `number`, which is not below `dropped`, and nothing after it."""
        self._handed_out = number

    def take(self) -> bytes | None:
        """Hand out the next frame; None before it came."""
        if self._handed_out >= self.last:
            return None
        frame = self._frames[self._handed_out - self.dropped]
        self._handed_out += 1
        if not self._again:
            self._drop()
        return frame

    def _full_with(self, frame: bytes) -> bool:
        return len(self._frames) >= self._max_frames or self._bytes + len(frame) > self._max_bytes

    def _drop(self) -> None:
        self._bytes -= len(self._frames.popleft())
        self.dropped += 1
