"""From castings on disk to a first design, by clicks alone, through the real server."""

import pytest

from tests.conftest import ROOT
from tests.e2e import own_data
from tests.e2e.accessibility import sound
from tests.e2e.screenshots import PHONE_PX
from tests.e2e.server import browser_page, dashboard, defects, drawn, error_boxes, open_page

pytestmark = pytest.mark.e2e


def test_castings_on_disk_become_a_design_by_clicks_alone(
    executable, vgg_weights, tmp_path_factory, tmp_path
):
    files = own_data.write_files(tmp_path_factory.mktemp("user"))
    log, workspace = tmp_path / "log.txt", tmp_path / "workspace"
    with (
        dashboard(
            ROOT, log, MICRODESIGN_WORKSPACE=str(workspace), MICRODESIGN_TRAINING="on"
        ) as address,
        browser_page(executable) as page,
    ):
        own_data.drop(page, address, files)
        page.get_by_text("numbers are read with decimal commas").wait_for()
        sound(page)
        own_data.make_data_set(page, files)
        assert (workspace / "data" / "My_castings" / "manifest.csv").is_file()
        own_data.start_training(page, steps=10)
        page.close()  # a closed tab does not end it
        page = page.context.new_page()
        page.set_default_timeout(600_000)
        open_page(page, f"{address}/training")
        page.get_by_text("The model is ready").wait_for()
        page.locator(".st-key-training_errors .js-plotly-plot").wait_for()
        page.locator(".st-key-training_job img").first.wait_for()
        drawn(page)
        sound(page)
        own_data.first_design(page)
        said = page.locator('[data-testid="stMain"]').inner_text()
        assert "UTS" in said and "Härte" in said and "HV" in said
        assert "Synthetic" not in said
        assert not error_boxes(page)
    assert not defects(log)
    assert [path.name for path in (workspace / "models").iterdir()] == ["My_castings"]


def test_a_phone_is_enough_to_make_a_data_set_and_to_start_and_stop_a_training(
    executable, vgg_weights, tmp_path_factory, tmp_path
):
    files = own_data.write_files(tmp_path_factory.mktemp("user"), side_px=160)
    log, workspace = tmp_path / "log.txt", tmp_path / "workspace"
    with (
        dashboard(
            ROOT, log, MICRODESIGN_WORKSPACE=str(workspace), MICRODESIGN_TRAINING="on"
        ) as address,
        browser_page(executable, PHONE_PX, 844) as page,
    ):
        own_data.drop(page, address, files)
        sound(page)
        own_data.make_data_set(page, files)
        own_data.start_training(page, steps=200)
        own_data.stop_training(page)
        sound(page)
    assert not defects(log)
    assert (workspace / "data" / "My_castings" / "manifest.csv").is_file()


def test_steels_without_tests_are_measured_and_become_a_design(
    executable, vgg_weights, real_micrographs, tmp_path
):
    """Another alloy, another treatment, no strengths: descriptors are what is designed for."""
    files = own_data.write_steels(real_micrographs, tmp_path)
    log, workspace = tmp_path / "log.txt", tmp_path / "workspace"
    with (
        dashboard(
            ROOT, log, MICRODESIGN_WORKSPACE=str(workspace), MICRODESIGN_TRAINING="on"
        ) as address,
        browser_page(executable) as page,
    ):
        page.set_default_timeout(600_000)
        own_data.drop(page, address, files)
        own_data.measure(page)
        own_data.make_data_set(page, files)
        own_data.start_training(page, steps=10)
        own_data.first_design(page)
        said = page.locator('[data-testid="stMain"]').inner_text()
        assert "Anneal temperature" in said and "°C" in said
        assert "UTS" not in said and "MPa" not in said
        assert "Synthetic" not in said
        assert not error_boxes(page)
    assert not defects(log)
