"""From castings on disk to a first design, by clicks alone, through the real server."""

import csv
from pathlib import Path

import pytest

from tests.conftest import ROOT, missing
from tests.e2e.server import browser_page, chromium, dashboard, open_page, settle
from tests.tiny import make_castings

pytestmark = pytest.mark.e2e
SPECIMENS = 12


@pytest.fixture(scope="module")
def castings(tmp_path_factory) -> tuple[list[Path], Path]:
    """Pictures and a German spreadsheet, as a user has them."""
    folder = tmp_path_factory.mktemp("user")
    data = make_castings(folder / "made", SPECIMENS, 256)
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
    return pictures, table


def press(page, key: str) -> None:
    page.locator(f".st-key-{key} button").click()
    settle(page)


def fill(page, key: str, value: str) -> None:
    box = page.locator(f".st-key-{key} input")
    box.fill(value)
    box.press("Tab")
    settle(page)


def test_castings_on_disk_become_a_design_by_clicks_alone(castings, vgg_weights, tmp_path):
    executable = chromium()
    if executable is None:
        missing("no Chromium found; see tests/e2e/install_browser.sh")
    pictures, table = castings
    log, workspace = tmp_path / "log.txt", tmp_path / "workspace"
    with (
        dashboard(
            ROOT, log, MICRODESIGN_WORKSPACE=str(workspace), MICRODESIGN_TRAINING="on"
        ) as address,
        browser_page(executable) as page,
    ):
        open_page(page, f"{address}/data")
        page.locator(".st-key-data_files input[type=file]").set_input_files(pictures)
        page.locator(".st-key-data_table input[type=file]").set_input_files(table)
        page.get_by_text(f"{SPECIMENS} of {SPECIMENS} pictures have a row").wait_for()
        settle(page)
        page.get_by_text("numbers are read with decimal commas").wait_for()
        fill(page, "data_name", "My castings")
        press(page, "data_make")
        page.get_by_text(f"{SPECIMENS} pictures of {SPECIMENS} specimens").wait_for()
        assert (workspace / "data" / "My_castings" / "manifest.csv").is_file()

        page.get_by_role("link", name="Train a model on it").click()
        settle(page)
        page.get_by_text("All settings").click()
        fill(page, "steps_quick_on", "10")
        fill(page, "every_quick_on", "5")
        press(page, "training_start")
        page.locator(".st-key-training_job").wait_for()
        page.close()  # a closed tab does not end it
        page = page.context.new_page()
        page.set_default_timeout(600_000)
        open_page(page, f"{address}/training")
        page.get_by_text("The model is ready").wait_for()
        settle(page)
        page.locator(".st-key-training_errors .js-plotly-plot").wait_for()
        page.locator(".st-key-training_job img").first.wait_for()

        press(page, "training_use")
        page.locator(".st-key-design_field img").wait_for()
        settle(page)
        said = page.locator('[data-testid="stMain"]').inner_text()
        assert "UTS" in said and "Härte" in said and "HV" in said
        assert "Synthetic" not in said
        assert page.locator('[data-testid="stException"]').count() == 0
    assert "Traceback" not in log.read_text(errors="replace")
    assert [path.name for path in (workspace / "models").iterdir()] == ["My_castings"]
