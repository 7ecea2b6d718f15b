"""A design for a measured property is measured on its picture; settings in words are refused."""

from contextlib import nullcontext
from types import SimpleNamespace

from core.measured_columns import columns_of, measure_picture
from core.stereology import Measurement
from dashboard import measured_back, state, waiting
from dashboard.design_form import in_words
from dashboard.measured_back import told
from tests.core.stereology.drawn import lamellae, one_phase

NODES = [
    SimpleNamespace(column=c.name, label=c.label, unit=c.unit)
    for c in columns_of("phases")
    if c.name in ("dark_phase_pct", "spacing_um")
]


def design(pixels):
    return SimpleNamespace(main=SimpleNamespace(pixels=pixels), um_per_px=0.5)


def test_the_picture_says_what_the_routine_measures():
    pixels = lamellae(256, 6, 10, 0.02)
    found = measure_picture(pixels, 0.5, "phases")
    said = told(design(pixels), SimpleNamespace(properties=NODES))
    assert f"mean spacing {found.values['spacing_um']:.4g} ± " in said and "dark phase area" in said


def test_the_page_says_that_it_measures_and_where_there_is_nothing_to_measure_it_does_not(
    monkeypatch,
):
    said = []
    monkeypatch.setattr(waiting, "working", lambda text: said.append(text) or nullcontext())
    told(design(one_phase(192)), SimpleNamespace(properties=[]))
    assert said == []
    told(design(one_phase(192)), SimpleNamespace(properties=NODES))
    assert said == ["Measuring the picture…"]


def test_measuring_waits_for_its_turn(monkeypatch):
    taken = []

    def measured(*about):
        taken.append(state.lock().taken)
        return Measurement({}, {})

    monkeypatch.setattr(measured_back, "measure_again", measured)
    told(design(one_phase(192)), SimpleNamespace(properties=NODES))
    assert taken == [True] and not state.lock().taken


def test_what_cannot_be_measured_is_said_with_the_reason():
    said = told(design(one_phase(192)), SimpleNamespace(properties=NODES))
    assert "mean spacing not measurable (its grey levels show no two phases)" in said


def test_tested_properties_are_left_to_the_models():
    tested = [SimpleNamespace(column="spacing_um", label="Spacing", unit="µm")]
    assert told(design(one_phase(192)), SimpleNamespace(properties=tested)) == ""


def test_settings_in_words_are_refused_with_the_reason():
    notes = (
        "cooling: in words, 9 different words, at most 6 can be learned; left out of the network",
        "h: known for 3 of 9 specimens, left out",
    )
    said = in_words(SimpleNamespace(notes=notes))
    assert (
        said.startswith("In words, so no part of designs: cooling (9 different words")
        and "h:" not in said
    )
    assert in_words(SimpleNamespace(notes=notes[1:])) == ""
