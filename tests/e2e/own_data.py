"""The path from pictures on disk to a first design, by clicks alone."""

import csv
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from tests.e2e.server import open_page, settle
from tests.tiny import make_castings

SPECIMENS = 12
# Carbides that can be measured: scales within a factor of two, most pictures spheroidite.
STEELS_UM_PER_PX = (0.09, 0.2)


@dataclass(frozen=True)
class Files:
    """What a user has on disk.

    Attributes:
        name: of the data set that is made of them.
        pictures: one or more a specimen.
        specimens: how many.
        table: a spreadsheet.
    """

    name: str
    pictures: list[Path]
    specimens: int
    table: Path


def write_files(folder: Path, side_px: int = 256) -> Files:
    """Write castings as a user has them: pictures named by specimen, and a spreadsheet."""
    data = make_castings(folder / "made", SPECIMENS, side_px)
    pictures = []
    for file, specimen in zip(data.table["file"], data.table["specimen"], strict=True):
        picture = folder / f"{specimen}_1.png"
        (data.root / file).rename(picture)
        pictures.append(picture)
    table = folder / "castings.csv"
    with table.open("w", encoding="cp1252", newline="") as stream:
        writer = csv.writer(stream, delimiter=";")
        writer.writerow(["Sample", "Mg (wt%)", "Radius (mm)", "UTS (MPa)", "Härte (HV)"])
        for name, row in data.specimens.iterrows():
            values = (row["mg_wt"], row["radius_mm"], row["uts_mpa"], row["ys_mpa"])
            writer.writerow([name, *(f"{value:g}".replace(".", ",") for value in values)])
    return Files("My castings", pictures, SPECIMENS, table)


def write_steels(real: Path, folder: Path) -> Files:
    """Write a spreadsheet of heat treatments beside real steels (UHCSDB), a row a picture.

    Args:
        real: the folder with ``manifest.csv`` and ``uhcs``.
        folder: for the spreadsheet.
    """
    manifest = pd.read_csv(real / "manifest.csv")
    steels = manifest[manifest["file"].str.startswith("uhcs/")]
    chosen = steels[steels["um_per_px"].between(*STEELS_UM_PER_PX)]
    rows = chosen.assign(file=chosen["file"].str.removeprefix("uhcs/"))
    headings = {
        "file": "Picture",
        "specimen": "Specimen",
        "um_per_px": "um per px",
        "anneal_temp_c": "Anneal temperature (°C)",
        "anneal_h": "Anneal time (h)",
        "cooling": "Cooling",
    }
    table = folder / "steels.csv"
    rows[list(headings)].rename(columns=headings).to_csv(table, index=False)
    pictures = [real / name for name in chosen["file"]]
    return Files("Steels", pictures, chosen["specimen"].nunique(), table)


def press(page, key: str) -> None:
    """Press a button by its key."""
    page.locator(f".st-key-{key} button").click()
    settle(page)


def fill(page, key: str, value: str) -> None:
    """Fill a field by its key."""
    box = page.locator(f".st-key-{key} input")
    box.fill(value)
    box.press("Tab")
    settle(page)


def drop(page, address: str, files: Files) -> None:
    """Drop pictures and table on the page *Own data* and wait until they are checked."""
    open_page(page, f"{address}/data")
    count = len(files.pictures)
    for key, given, listed in (
        ("data_files", files.pictures, f"{count} pictures · no table"),
        ("data_table", files.table, f"in {files.table.name}"),
    ):
        page.locator(f'[class*="st-key-{key}"] input[type=file]').set_input_files(given)
        page.get_by_text(listed).wait_for()  # a page that is settled may not have them yet
        settle(page)
    page.get_by_text(f"{count} of {count} pictures have a row").wait_for()
    settle(page)


def measure(page) -> None:
    """Have the pictures measured: descriptors become properties."""
    page.locator('[class*="st-key-data_measure"] label').click()
    settle(page)


def make_data_set(page, files: Files) -> None:
    """Name the data set and make it."""
    fill(page, "data_name", files.name)
    press(page, "data_make")
    said = f"{len(files.pictures)} pictures of {files.specimens} specimens"
    page.get_by_text(said).wait_for()


def start_training(page, steps: int | None = None) -> None:
    """Start the quick preset on it, whole or cut to a few steps."""
    page.get_by_role("link", name="Train a model on it").click()
    settle(page)
    if steps is not None:
        page.get_by_text("All settings").click()
        fill(page, "steps_quick_on", str(steps))
        fill(page, "every_quick_on", str(max(steps // 2, 1)))
    press(page, "training_start")
    page.locator(".st-key-training_job").wait_for()


def stop_training(page) -> None:
    """Stop the training that the page shows."""
    press(page, "training_stop")
    page.get_by_text("It can be resumed.").wait_for()
    settle(page)


def first_design(page) -> None:
    """Wait for the model, on the page of its training, and design with it."""
    page.get_by_text("The model is ready").wait_for()
    settle(page)
    press(page, "training_use")
    page.locator(".st-key-design_field img").wait_for()
    settle(page)
