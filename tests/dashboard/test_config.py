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


def luminance(red: float, green: float, blue: float) -> float:
    """Return the relative luminance of a colour, 0 to 255 each (WCAG 2.2)."""
    shares = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4
              for c in (red, green, blue)]  # fmt: skip
    return 0.2126 * shares[0] + 0.7152 * shares[1] + 0.0722 * shares[2]


@pytest.mark.parametrize("ground", [(255, 255, 255), (240, 242, 246)], ids=["page", "sidebar"])
def test_captions_have_the_contrast_that_small_text_needs(settings, ground):
    """Streamlit draws captions at 60 % of the text's colour."""
    text = bytes.fromhex(settings["theme"]["light"]["textColor"][1:])
    caption = [0.6 * t + 0.4 * g for t, g in zip(text, ground, strict=True)]
    contrast = (luminance(*ground) + 0.05) / (luminance(*caption) + 0.05)
    assert contrast >= 4.5, contrast


def test_the_procfile_works_with_and_without_a_port():
    line = (ROOT / "Procfile").read_text("utf-8").strip()
    assert line.startswith("web: streamlit run dashboard/app.py ")
    assert "--server.port=${PORT:-8501}" in line
    assert "--server.headless=true" in line
