"""Save small pictures of every page: ``python -m tests.e2e.screenshots [--out docs/screenshots]``.

The dashboard runs on a workspace of its own, in which two designs are saved and twelve small
castings become a data set and a model of ten steps by clicks, so that no page is shown empty.

``sources.json`` beside the pictures says of each when it was taken and of which commit, so that
``git diff COMMIT -- dashboard`` shows what has changed since. No test fails for a page that has:
else every edit of a page would need a browser.
"""

import argparse
import io
import tempfile
from collections.abc import Collection
from pathlib import Path

from PIL import Image

from core.files import read_json, write_json
from core.results import record
from tests.e2e import own_data
from tests.e2e.server import ROOT, browser_page, chromium, dashboard, drawn, open_page, settle

OUT = ROOT / "docs" / "screenshots"
PAGES = (
    "",
    *("library", "evaluate", "batch"),
    *("reconstructions", "traversals", "structure_property", "latent_map", "network"),
    *("models", "data", "training"),
)
PHONE, DARK = ("", "evaluate", "latent_map"), ("", "latent_map")
WIDE_PX, PHONE_PX, HEIGHT_PX = 1440, 390, 900
KINDS = (
    ("", WIDE_PX, "light", PAGES),
    ("_dark", WIDE_PX, "dark", DARK),
    ("_phone", PHONE_PX, "light", PHONE),
)
SOURCES = "sources.json"
SAVED_PX = 960  # width of the wide ones as they are saved
TALLEST_PX = 3600  # of the page; what is below is cut off
QUALITY = 70
TRAINING_MS = 600_000  # ten steps, latents, network and examples on a busy machine
MOST_BYTES = 1_500_000  # of all together
TARGETS = ("uts_mpa=430&ys_mpa=280", "uts_mpa=250&ys_mpa=165")
VIEWS = {  # where there is more to see than on arrival
    "": f"?{TARGETS[0]}",
    "evaluate": "?example=large+spheres",
    "latent_map": "?colour=measured.graphite_pct&a=40&b=3000",
    "network": "?known=mg_wt:0.045,radius_mm:20",
}


def file_of(name: str, suffix: str) -> str:
    """Return the file name of a page's picture."""
    return f"{name or 'inverse_design'}{suffix}.webp"


def files_of(names: Collection[str]) -> set[str]:
    """Return the file names of the pictures of pages."""
    return {
        file_of(name, suffix) for suffix, _, _, pages in KINDS for name in pages if name in names
    }


def open_view(page, address: str, name: str) -> None:
    """Open a page where something is to be seen, and wait until all of it is drawn."""
    open_page(page, f"{address}/{name}{VIEWS.get(name, '')}")
    if name == "evaluate":
        page.wait_for_selector(".st-key-evaluation_0")
    drawn(page)


def full_height(page, width: int) -> None:
    """Make the window as high as the page, which scrolls inside."""
    height = page.evaluate(
        "Math.max(...[...document.querySelectorAll('[data-testid=\"stMain\"]')]"
        ".map(e => e.scrollHeight))"
    )
    page.set_viewport_size({"width": width, "height": min(int(height) + 20, TALLEST_PX)})
    drawn(page)
    page.wait_for_timeout(700)  # charts and pictures follow the new size


def save_designs(page, address: str) -> None:
    """Save two designs into the library and choose both for comparison."""
    for target in TARGETS:
        open_page(page, f"{address}/?{target}")
        page.locator(".st-key-design_save button").first.click()
        page.get_by_role("button", name="Save to the library").click()
        page.get_by_text("Saved").first.wait_for()
        settle(page)


def compare(page) -> None:
    """Put the saved designs side by side."""
    for _ in TARGETS:
        page.locator(".st-key-library_compare input").click()
        page.get_by_role("option").first.click()
        settle(page)
    page.keyboard.press("Escape")
    page.locator(".st-key-library_comparison").wait_for()
    drawn(page)


def evaluate_batch(page, files: own_data.Files) -> None:
    """Evaluate a few pictures and a file that is none."""
    broken = files.table.with_name("notes.png")
    broken.write_bytes(files.table.read_bytes())
    given = [*files.pictures[:4], broken]
    page.locator(".st-key-batch_files input[type=file]").set_input_files(given)
    settle(page)
    page.locator(".st-key-batch_submit button").click()
    page.get_by_text(f"{len(given) - 1} of {len(given)} files evaluated").wait_for()
    drawn(page)


def shoot(address: str, out: Path, files: own_data.Files, names: tuple[str, ...]) -> None:
    """Save each page, wide and light, some of them dark or as on a phone."""
    executable = chromium()
    if executable is None:
        raise SystemExit("no Chromium found; see tests/e2e/install_browser.sh")
    for suffix, width, scheme, pages in KINDS:
        with browser_page(executable, width, HEIGHT_PX, color_scheme=scheme) as page:
            if "library" in names and "library" in pages:
                save_designs(page, address)
            for name in (n for n in pages if n in names):
                page.set_viewport_size({"width": width, "height": HEIGHT_PX})
                if name == "training" and "data" in names:  # the data set has just been made
                    own_data.start_training(page, steps=10)
                    page.get_by_text("The model is ready").wait_for(timeout=TRAINING_MS)
                    drawn(page)
                else:
                    open_view(page, address, name)
                if name == "library":
                    compare(page)
                if name == "batch":
                    evaluate_batch(page, files)
                if name == "data":
                    own_data.drop(page, address, files)
                full_height(page, width)
                save(page.screenshot(), out / file_of(name, suffix))
                if name == "data":
                    own_data.make_data_set(page, files)


def note_sources(out: Path, names: Collection[str]) -> None:
    """Write of which commit and day the pictures of these pages are; the others' stay known.

    With ``-dirty`` where code of `core` or `bayesnet` was not committed.
    """
    about = record("tests.e2e.screenshots", [], model_sha256="", data_hash="")
    path = out / SOURCES
    known = read_json(path) if path.is_file() else {}
    taken = {file: {n: about[n] for n in ("commit", "date")} for file in files_of(names)}
    write_json(path, dict(sorted((known | taken).items())))


def save(png: bytes, path: Path) -> None:
    """Save a screenshot as a small WebP, wide ones made smaller."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    if image.width > SAVED_PX:
        height = round(image.height * SAVED_PX / image.width)
        image = image.resize((SAVED_PX, height), Image.Resampling.LANCZOS)
    image.save(path, "WEBP", quality=QUALITY, method=6)
    print(path, path.stat().st_size)


def main() -> None:
    """Run the dashboard and save the pictures."""
    parser = argparse.ArgumentParser(prog="python -m tests.e2e.screenshots", description=__doc__)
    parser.add_argument("--out", type=Path, default=OUT)
    parser.add_argument("--pages", nargs="*", default=PAGES, help="names; '' for the first")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        files = own_data.write_files(Path(folder) / "user")
        environment = {
            "MICRODESIGN_WORKSPACE": str(Path(folder) / "workspace"),
            "MICRODESIGN_TRAINING": "on",
        }
        with dashboard(ROOT, Path(folder) / "log.txt", **environment) as address:
            shoot(address, arguments.out, files, tuple(arguments.pages))
    note_sources(arguments.out, arguments.pages)
    size = sum(path.stat().st_size for path in arguments.out.glob("*.webp"))
    if size > MOST_BYTES:
        raise SystemExit(f"{arguments.out} holds {size} bytes; at most {MOST_BYTES} are wanted")


if __name__ == "__main__":
    main()
