"""Streamlit drops a damaged config.toml with a line in the log only, so it is checked here."""

import tomllib
from pathlib import Path

import pytest
from streamlit import config

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def settings() -> dict:
    return tomllib.loads((ROOT / "dashboard" / ".streamlit" / "config.toml").read_text("utf-8"))


def test_uploads_are_limited_and_nothing_is_sent_home(settings):
    assert settings["server"]["maxUploadSize"] == 64
    assert settings["browser"]["gatherUsageStats"] is False
    assert settings["server"]["showEmailPrompt"] is False


def test_every_setting_is_one_that_streamlit_knows(settings):
    known = set(config.get_config_options())
    themes = settings.pop("theme")
    parts = settings | {f"theme.{name}": values for name, values in themes.items()}
    assert {f"{part}.{name}" for part, values in parts.items() for name in values} <= known


def test_no_background_is_set(settings):
    themes = settings.get("theme", {})
    assert set(themes) <= {"light", "dark"}, "anything else would fix one of the two"
    assert not [name for theme in themes.values() for name in theme if "ackground" in name]


def test_the_procfile_works_with_and_without_a_port():
    line = (ROOT / "Procfile").read_text("utf-8").strip()
    assert line.startswith("web: streamlit run dashboard/app.py ")
    assert "--server.port=${PORT:-8501}" in line
    assert "--server.headless=true" in line
