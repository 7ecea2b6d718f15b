"""Claims about the metrics shown of an evaluated micrograph."""

from core.metrics.dists import why_not_available
from core.reference_file import load_reference
from dashboard.evaluation_card import similarity_rows
from tests.dashboard.conftest import sound, texts


def test_metrics_stand_beside_their_references(with_model):
    reference = load_reference(with_model)
    style, stsim2 = similarity_rows({"style": 0.25, "stsim2": 0.9}, reference)
    assert stsim2 == {
        "Metric": "STSIM-2 (higher is better)",
        "Here": "0.900",
        "Usual": "0.983",
        "Same specimen": "0.972",
        "Other specimen": "0.961",
    }
    assert style["Metric"] == "Relative style error (lower is better)"
    assert style["Same specimen"] == "not measured"


def test_page_shows_every_metric_and_says_which_cannot_be_had(with_model, open_page):
    app = sound(open_page("evaluate"))
    sound(app.button(key="evaluate_example").click().run())
    table = app.table[-1].value.to_string()
    for label in ("Relative style error", "Portilla-Simoncelli", "STSIM-2"):
        assert label in table
    assert "Two-point" not in table + texts(app), "means nothing on patches"
    assert "means over 1 pair of Tiny castings" in texts(app)
    if why_not_available():
        assert "Not available here: DISTS" in texts(app)
