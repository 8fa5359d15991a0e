"""Which arithmetic is fast on this machine's CPU."""

from __future__ import annotations

import importlib
from typing import Literal

Dtype = Literal["bf16", "fp32"]


def native_precision() -> Dtype:
    """bf16 where the CPU multiplies it natively; emulated elsewhere, it is slower than fp32."""
    try:
        capabilities = importlib.import_module("torch").cpu.get_capabilities()
    except (ImportError, AttributeError):
        return "fp32"
    return "bf16" if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else "fp32"
