"""Claims about fits made in the dashboard: network and property models are always of one fit."""

from dataclasses import replace

import pytest

from bayesnet.network import Network
from core.errors import InputError
from core.properties import PropertyModel
from dashboard import fitting, state
from dashboard.state import FITTED, Model

DATA = "the model's training set"


@pytest.fixture
def model(with_model, monkeypatch) -> Model:
    """The tiny model; fits are its own parts with the fit's number as their note."""
    (found,) = state.models()
    network, properties = state.network(found), state.properties(found)
    made = []

    def fit(*_: object) -> Network:
        made.append(f"fit {len(made) + 1}")
        return replace(network, notes=(made[-1],))

    def models(*_: object) -> PropertyModel:
        return replace(properties, notes=(made[-1],))

    monkeypatch.setattr(fitting, "fit_network", fit)
    monkeypatch.setattr("bayesnet.learn.fit_calibrated", models)
    return found


def notes(model: Model) -> set[str]:
    """Return the notes of the parts that the pages use."""
    return {*state.network(model).notes, *state.properties(model).notes}


@pytest.mark.parametrize("kind", [Network, PropertyModel])
def test_a_refit_that_cannot_be_kept_leaves_the_fit_of_before(model, kind, monkeypatch):
    fitting.fit_anew(model, DATA)
    with monkeypatch.context() as broken:
        broken.setattr(kind, "save", lambda self, path: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            fitting.fit_anew(model, DATA)
    assert model.refitted and notes(model) == {"fit 1"}
    fitting.fit_anew(model, DATA)
    assert notes(model) == {"fit 3"}


def test_no_other_fit_comes_between_fitting_and_keeping(model, monkeypatch):
    kept = fitting.replace_fit
    turns = []

    def keep(*given: object) -> None:
        turns.append(state.lock().taken)
        kept(*given)

    monkeypatch.setattr(fitting, "replace_fit", keep)
    fitting.fit_anew(model, DATA)
    assert turns == [True]


def test_a_model_without_labelled_properties_can_be_fitted_anew(model, monkeypatch):
    def unlabelled(*_: object) -> PropertyModel:
        raise InputError("no property has five labelled specimens")

    monkeypatch.setattr("bayesnet.learn.fit_calibrated", unlabelled)
    fitting.fit_anew(model, DATA)
    assert state.network(model).notes == ("fit 1",)
    assert state.properties(model) is None  # the model's own are of another fit


def test_both_files_come_from_the_same_folder(model):
    fitting.fit_anew(model, DATA)
    (model.fitted_folder / "network.json").unlink()
    assert {model.part(name).parent for name in FITTED} == {model.folder}


def test_a_fit_is_taken_back_once(model):
    fitting.fit_anew(model, DATA)
    fitting.reset_fit(model)
    fitting.reset_fit(model)  # a second visitor, on the page of before
    assert not model.refitted and not model.fitted_folder.exists()
