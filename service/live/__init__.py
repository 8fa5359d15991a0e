"""Runs that are being streamed: what their readers may still need is kept within bounds, so that a stream can go on."""

from service.live.run import LiveRun
from service.live.runs import KEPT_RUNS, LiveRuns
from service.live.window import MAX_BYTES, MAX_FRAMES, Window

__all__ = ["KEPT_RUNS", "MAX_BYTES", "MAX_FRAMES", "LiveRun", "LiveRuns", "Window"]
