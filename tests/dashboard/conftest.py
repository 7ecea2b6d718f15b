"""The pages under AppTest, on models in temporary folders, with little to encode."""

import shutil
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from core.files import read_json, write_json
from dashboard import state

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 600


@pytest.fixture(autouse=True)
def _isolated(tmp_path, monkeypatch):
    """Give every test its own workspace and assets, and show errors in full."""
    monkeypatch.setenv("MICRODESIGN_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("MICRODESIGN_TRAINING", "on")  # as on a server for this machine alone
    monkeypatch.delenv("MICRODESIGN_READ_ONLY", raising=False)
    monkeypatch.delenv("MICRODESIGN_PASSWORD", raising=False)
    monkeypatch.setattr(state, "ASSETS", tmp_path / "assets")
    monkeypatch.setattr("bayesnet.pictures.PREDICT_PATCHES", 1)
    monkeypatch.setattr("core.evaluate.READ_PATCHES", 2)
    monkeypatch.setattr("dashboard.evaluations.N_PATCHES", 2)
    monkeypatch.setattr("dashboard.designs.N_SAMPLES", 1)
    st.cache_data.clear()


@pytest.fixture
def with_model(tiny_model, monkeypatch) -> Path:
    """The tiny model as the reference model; returns its folder."""
    monkeypatch.setattr(state, "ASSETS", tiny_model.parent)
    return tiny_model


@pytest.fixture
def other_material(tiny_model, tmp_path) -> Path:
    """The tiny model as if it had learned from another material than graphite irons."""
    folder = tmp_path / "assets" / "reference"
    shutil.copytree(tiny_model, folder)
    write_json(
        folder / "reference.json", read_json(folder / "reference.json") | {"graphite": False}
    )
    return folder


@pytest.fixture
def open_page():
    """Open a page of the dashboard and run it."""

    def opened(name: str = "inverse_design", **query: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "dashboard" / "main.py"), default_timeout=PATIENCE_S)
        for key, value in query.items():
            app.query_params[key] = value
        if name != "inverse_design":
            app.switch_page(f"views/{name}.py")
        return app.run()

    return opened


def texts(app: AppTest) -> str:
    """Return everything that the page says, for searching."""
    kinds = ("title", "markdown", "caption", "info", "success", "warning", "error", "code")
    return "\n".join(str(e.value) for kind in kinds for e in getattr(app, kind))


def sound(app: AppTest) -> AppTest:
    """Check that the page shows neither an exception nor an error box."""
    assert not app.exception, app.exception[0].value
    assert not app.error, [e.value for e in app.error]
    return app
