"""The report of evaluated micrographs: verdict, numbers with units, pictures, origin, escaped."""

from types import SimpleNamespace

import numpy as np
import pytest

from core.calibrate import describe
from core.conformal import Calibration
from core.evaluate import Evaluation
from core.exports.evaluation_report import Reported, evaluation_report
from core.reference_file import Reference
from core.regressor import Prediction
from core.usual import fit_usual

MANIFEST = {
    "synthetic": True,
    "um_per_px": 0.5,
    "weights_sha256": "1" * 64,
    "data_name": "Data <x>",
    "data_hash": "2" * 64,
}
COLUMN = SimpleNamespace(
    column="uts_mpa",
    label="Tensile strength",
    unit="MPa",
    half_width=30.0,
    calibration=Calibration(method="unseen", specimens=100, data_name="Castings <new>"),
)
SPACE = fit_usual(np.random.default_rng(0).normal(size=(6, 2)), np.arange(6))
REFERENCE = Reference(
    model_hash="1" * 64,
    data_name="fresh",
    images=1,
    patches=1,
    style_reconstruction_median=0.151,
    style_reconstruction_p90=0.2,
    style_same_specimen=0.4,
    style_other_specimen=0.8,
    latent=SPACE,
    style=SPACE,
    limits=(1.0, 1.0),
    patch_limits=(1.0, 1.0),
    layer_limits=(1.0,),
    distances=(1.0,),
    graphite=True,
)


def evaluated(**changes) -> Evaluation:
    patches = np.full((2, 128, 128), 0.5, np.float32)
    values = {
        "name": "<img src=x>.png",
        "pixels": patches[0],
        "um_per_px": 0.5,
        "notes": ("turned & upright",),
        "corners": np.zeros((2, 2), np.intp),
        "originals": patches,
        "reconstructions": patches,
        "style_errors": np.array([0.123]),
        "predictions": {"uts_mpa": Prediction(431.2, 400.0, 460.0)},
        "distance": 1.5,
        "unusual": True,
        "graphite": True,
        "message": "Outside the reference data.",
        "mean_latent": np.zeros(2, np.float32),
        "n_patches": 2,
        "n_independent": 2,
    }
    return Evaluation(**values | changes)


BOTH = "latents one way; measured structure another; both together on 7 specimens"


def report(manifest=MANIFEST, reference=REFERENCE, **changes) -> str:
    one = Reported(evaluated(**changes), b"\x89PNG", "3" * 64, 0.25)
    return evaluation_report(
        [one], "A model", manifest, [COLUMN], [describe(COLUMN), BOTH, BOTH], reference
    )


@pytest.mark.parametrize(
    "said",
    [
        "Evaluation of 1 micrograph<",
        "Unusual for this model.",
        "turned &amp; upright",
        "&lt;img src=x&gt;.png",
        "431 MPa",
        "400 to 460 MPa",
        "Scale of the file: 0.25 µm per px",
        "128 px, 64 µm wide",
        "0.123",
        "0.151",
        "Synthetic.",
        "1" * 64,
        "2" * 64,
        "3" * 64,
        "MicroDesign 0",
        "calibrated on 100 specimens new to the model (Castings &lt;new&gt;)",
        f"90 % intervals of properties: {BOTH}.",
    ],
)
def test_it_says(said):
    assert said in report()


def test_without_a_reference_nothing_is_judged_and_no_reference_made_up():
    text = report(reference=None, distance=None, unusual=None, message="Nobody knows.")
    assert "Not judged." in text and "Nobody knows." in text and "431 MPa" in text
    assert "Fresh micrographs" not in text and "usual for this model." not in text.lower()


def test_no_name_becomes_markup_and_every_picture_is_inside():
    text = report()
    assert "<img src=x" not in text and "Data <x>" not in text
    assert text.count("<img ") == text.count('src="data:image/png;base64,') == 3


def test_measured_data_are_not_called_synthetic_and_no_property_is_made_up():
    text = report({**MANIFEST, "synthetic": False}, predictions={}, unusual=False, um_per_px=None)
    assert "Synthetic." not in text and "Predicted from" not in text
    assert "Usual for this model." in text and "µm wide" not in text
