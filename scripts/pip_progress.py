"""Runs pip so that a person sees what happens, and turns its failures into one sentence each.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import queue
import re
import subprocess
import sys
import threading
import time
from pathlib import Path


class SetupError(Exception):
    """Setting up failed; the message is one sentence that says what to do."""


class NoWheelError(SetupError):
    """A package has no build for this platform or this Python."""


#: What pip prints, and what a person should do about it. The first match wins: without a network pip also says
#: that it found no distribution.
_CAUSES: tuple[tuple[str, str, type[SetupError]], ...] = (
    (
        r"No space left on device",
        "The disk is full: free some space and run the same command again, it continues where it stopped.",
        SetupError,
    ),
    (
        r"name resolution|Name or service not known|NewConnectionError|Network is unreachable|ConnectTimeoutError"
        r"|ReadTimeoutError|Connection refused|ProxyError|Max retries exceeded|SSLError",
        "The package index cannot be reached: check the network or pip's index settings and run the same command "
        "again, it continues where it stopped.",
        SetupError,
    ),
    (
        r"DO NOT MATCH THE HASHES",
        "A downloaded package is not the one the lock file names: run the same command again, and if it happens "
        "again do not install that package and report it.",
        SetupError,
    ),
    (
        r"No matching distribution found|is not a supported wheel|Could not find a version|Requires-Python",
        "A package has no build for this platform and Python {python}: see {log}.",
        NoWheelError,
    ),
    (r"Permission denied", "A file could not be written: run the command as the owner of this folder.", SetupError),
)

_HEARTBEAT_S = 5.0


def explain(output: str, log: Path) -> SetupError:
    """The error for what pip printed."""
    for pattern, sentence, kind in _CAUSES:
        if re.search(pattern, output):
            return kind(sentence.format(log=log, python=f"{sys.version_info[0]}.{sys.version_info[1]}"))
    return SetupError(f"Installing failed: the reason is at the end of {log}.")


def describe(line: str) -> str | None:
    """What a line of pip's output means to a person waiting, or None for lines that do not matter."""
    found = re.match(r"\s*Downloading (?:\S*/)?([A-Za-z0-9_.]+)-(\d[^-]*)-\S+ \(([\d.]+) ([kMG]B)\)", line)
    if found:
        name, version, size, unit = found.groups()
        return f"downloading {name} {version} ({size} {unit})" if unit != "kB" else None
    found = re.match(r"Installing collected packages: (.+)", line)
    if found:
        return f"installing {len(found.group(1).split(', '))} packages"
    return None


def run_pip(python: Path, arguments: list[str], title: str, log: Path) -> None:
    """Run `python -m pip ARGUMENTS`, with its whole output in `log` and its progress on standard output.

    Raises:
        SetupError: pip failed.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [str(python), "-m", "pip", *arguments, "--disable-pip-version-check", "--no-input"]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(process, lines), daemon=True).start()
    output: list[str] = []
    doing = "resolving"
    try:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"\n$ pip {' '.join(arguments)}\n")
            while True:
                try:
                    line = lines.get(timeout=_HEARTBEAT_S)
                except queue.Empty:
                    _show(f"  {title}: {doing} ({time.monotonic() - started:.0f} s)")
                    continue
                if line is None:
                    break
                file.write(line)
                output.append(line)
                news = describe(line)
                if news is not None:
                    doing = news
                    _show(f"  {title}: {doing} ({time.monotonic() - started:.0f} s)")
    except OSError as error:  # the log itself could not be written
        raise SetupError(f"{log} could not be written ({error.strerror}): free some space and run it again.") from error
    finally:
        if process.poll() is None and sys.exc_info()[0] is not None:
            process.terminate()
        code = process.wait()
    if code != 0:
        raise explain("".join(output), log)
    _show(f"  {title}: done ({time.monotonic() - started:.0f} s)", last=True)


def _read(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    with process.stdout as output:
        for line in output:
            lines.put(line)
    lines.put(None)


def _show(text: str, *, last: bool = False) -> None:
    """One line that is overwritten on a terminal, and a plain line elsewhere."""
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\x1b[2K{text[:100]}" + ("\n" if last else ""))
    else:
        sys.stdout.write(text + "\n")
    sys.stdout.flush()
