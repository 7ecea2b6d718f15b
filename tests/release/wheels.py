"""Whether the pinned set installs without a compiler: `python -m tests.release.wheels`.

For Python 3.11, 3.12 and 3.13 on Linux x86-64 the lock is resolved from wheels alone, hashes
compared; nothing is downloaded but metadata. Ends with 0 where all do, 1 where one does not, 2
where the package index could not be reached.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = ("3.11", "3.12", "3.13")
PLATFORM = "x86_64-manylinux_2_28"
UNREACHABLE = (
    "error sending request",
    "failed to fetch",
    "dns error",
    "timed out",
    "connect error",
)


def resolve(python: str, requirements: Path, uv: str = "uv") -> tuple[int, str]:
    """Resolve a lock from wheels for a Python.

    Args:
        python: its version.
        requirements: the lock.
        uv: the program.

    Returns:
        0, 1 or 2 as the command's status, and what was said: how many packages, or the failure.
    """
    with tempfile.TemporaryDirectory() as target:
        command = [uv, "pip", "install", "--dry-run", f"--target={target}", "--no-python-downloads"]
        command += [f"--python-version={python}", f"--python-platform={PLATFORM}"]
        command += ["--only-binary=:all:", "--require-hashes", f"--requirements={requirements}"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode == 0:
        count = sum(line.startswith(" + ") for line in done.stderr.splitlines())
        return 0, f"{count} packages, all as wheels"
    reached = not any(word in done.stderr.lower() for word in UNREACHABLE)
    return (1 if reached else 2), done.stderr.strip()[-1500:]


def main() -> int:
    """Check every Python; return the worst status."""
    uv = str(Path(sys.executable).with_name("uv"))
    worst = 0
    for python in PYTHONS:
        status, said = resolve(python, ROOT / "requirements.lock", uv)
        if status == 2:
            print(f"Python {python}: not checked, the package index could not be reached.\n{said}")
        else:
            print(f"Python {python}, {PLATFORM}: {said}")
        worst = max(worst, status)
    return worst


if __name__ == "__main__":
    sys.exit(main())
