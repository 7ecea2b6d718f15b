"""Claims about the metrics shown of an evaluated micrograph."""

import numpy as np

from core.images import encode_png
from core.metrics.dists import why_not_available
from core.reference_file import load_reference
from dashboard.similarity_card import similarity_rows
from tests.core.textures import texture
from tests.dashboard.conftest import sound, texts


def test_metrics_stand_beside_their_references(with_model):
    reference = load_reference(with_model)
    found = {"style": np.array([0.1, 0.2, 0.9]), "stsim2": np.array([0.9])}
    style, stsim2 = similarity_rows(found, reference)
    assert stsim2 == {
        "Metric": "STSIM-2 (higher is better)",
        "Here": "0.900, median 0.900",
        "Usual": "0.983 (0.983 to 0.983), median 0.983",
        "Same specimen": "0.972 (0.972 to 0.972), median 0.972",
        "Other specimen": "0.961 (0.961 to 0.961), median 0.961",
    }
    assert style["Metric"] == "Relative style error (lower is better)"
    assert style["Here"] == "0.400, median 0.200"
    assert style["Same specimen"] == "not measured"


def test_without_a_reference_metrics_stand_alone():
    (row,) = similarity_rows({"stsim2": np.array([0.9, 0.7])}, None)
    assert row == {"Metric": "STSIM-2 (higher is better)", "Here": "0.800, median 0.800"}


def test_squares_are_said_to_be_the_patches_shown_of_those_evaluated(
    with_model, open_page, monkeypatch
):
    monkeypatch.setattr("core.evaluate.READ_PATCHES", 2)
    monkeypatch.setattr("dashboard.evaluations.N_PATCHES", 1)
    app = sound(open_page("evaluate"))
    picture = encode_png(texture(128, 384))
    app.file_uploader(key="evaluate_files").set_value([("a.png", picture, "image/png")])
    sound(app.button(key="evaluate_submit").click().run())
    captions = str([image.captions for image in app.get("image")])
    assert "squares: the 1 shown of 2 patches evaluated" in captions


def test_page_shows_every_metric_and_says_which_cannot_be_had(with_model, open_page):
    app = sound(open_page("evaluate"))
    sound(app.button(key="evaluate_example").click().run())
    table = app.table[-1].value.to_string()
    for label in ("Relative style error", "Portilla-Simoncelli", "STSIM-2"):
        assert label in table
    assert "Two-point" not in table + texts(app), "means nothing on patches"
    assert "means over 1 pair of Tiny castings" in texts(app)
    if reason := why_not_available():
        assert "Not available here: DISTS" in texts(app)
        remedy = "python -m core.metrics.dists"
        assert remedy in reason and remedy in texts(app).replace("\\", "")
