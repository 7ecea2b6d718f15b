"""Save pictures of every page: ``python -m tests.e2e.screenshots OUT [--assets DIR]``."""

import argparse
import os
import tempfile
from pathlib import Path

from tests.e2e.server import ROOT, browser_page, chromium, dashboard, open_page, settle

PAGES = (
    "",
    *("library", "evaluate", "batch"),
    *("reconstructions", "traversals", "structure_property", "latent_map", "network"),
    *("models", "data", "training"),
)
WIDTHS = {1440: 900, 390: 844}


def open_view(page, address: str, name: str) -> None:
    """Open a page; on *Evaluate patches* with an example evaluated."""
    open_page(page, f"{address}/{name}")
    if name == "evaluate":
        page.get_by_role("button", name="Try an example").click()
        page.wait_for_selector(".st-key-evaluation_0")
        settle(page)


def full_height(page, width: int) -> None:
    """Make the window as high as the page, which scrolls inside."""
    height = page.evaluate(
        "Math.max(...[...document.querySelectorAll('[data-testid=\"stMain\"]')]"
        ".map(e => e.scrollHeight))"
    )
    page.set_viewport_size({"width": width, "height": min(int(height) + 80, 9000)})
    page.wait_for_timeout(700)  # charts and pictures follow the new size


def shoot(address: str, out: Path, pages: tuple[str, ...], schemes: tuple[str, ...]) -> None:
    """Save each page at each width in each colour scheme."""
    executable = chromium()
    if executable is None:
        raise SystemExit("no Chromium found; see tests/e2e/install_browser.sh")
    for scheme in schemes:
        for width, height in WIDTHS.items():
            if scheme == "dark" and width < 1000:
                continue
            with browser_page(executable, width, height, color_scheme=scheme) as page:
                for name in pages:
                    page.set_viewport_size({"width": width, "height": height})
                    open_page(page, f"{address}/{name}")
                    if name == "evaluate":
                        page.get_by_role("button", name="Try an example").click()
                        page.wait_for_selector(".st-key-evaluation_0")
                        settle(page)
                    full_height(page, width)
                    file = out / f"{name or 'inverse_design'}_{width}_{scheme}.png"
                    page.screenshot(path=file)
                    print(file)


def main() -> None:
    """Run the dashboard, or use one that runs, and save the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.screenshots", description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--address", help="of a running dashboard")
    parser.add_argument("--pages", nargs="*", default=PAGES)
    parser.add_argument("--schemes", nargs="*", default=("light", "dark"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    wanted = tuple(arguments.pages), tuple(arguments.schemes)
    if arguments.address:
        shoot(arguments.address, arguments.out, *wanted)
        return
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.txt"
        workspace = os.environ.get("MICRODESIGN_WORKSPACE", folder)
        with dashboard(ROOT, log, MICRODESIGN_WORKSPACE=workspace) as address:
            shoot(address, arguments.out, *wanted)


if __name__ == "__main__":
    main()
