"""Latents under their names: on the pages, in the figures, without labels and with damaged ones."""

import json
import shutil
from pathlib import Path

import pytest

from core.checkpoint import load_model
from core.labels import FILE, QUANTITIES, save_labels
from dashboard import latent_effects, latent_figures
from tests.core.labels.made import made_labels
from tests.dashboard.conftest import sound, texts
from tests.dashboard.shown import images
from tests.tiny import LATENTS


@pytest.fixture
def labelled(tiny_model, tmp_path) -> Path:
    """The tiny model with labels, as the reference model."""
    folder = tmp_path / "assets" / "reference"
    shutil.copytree(tiny_model, folder)
    save_labels(folder, made_labels(load_model(folder, backbone=False).hash, LATENTS))
    return folder


def show(app, latents: list[int], directions: list[str]):
    app.multiselect(key="traversal_dimensions").set_value(latents)
    app.multiselect(key="traversal_directions").set_value(directions)
    return sound(app.button(key="traversal_submit").click().run())


def test_traversals_show_names_effects_and_remarks(labelled, open_page):
    app = show(open_page("traversals"), [0, 1], ["d1"])
    options = app.multiselect(key="traversal_dimensions").options
    assert "z0: particle count −, nodularity +" in options and "z7" in options, options
    app.selectbox(key="traversal_effects_of").set_value("z0")
    said = texts(sound(app.run()))
    for title in ("z0: particle count −", "z1: no clear effect", "d1: flake length +"):
        assert f"**{title}" in said, title
    assert len(images(app)) == 2 * 3 * 11
    table = app.dataframe[0].value
    assert list(table["Descriptor"]) == ["Particle count", "Nodularity, ISO 945-4"]
    assert table["Per unit of z"][0] == "−12\u00a0per\u00a0mm²"
    assert table["95 % interval"][0] == "−13\u00a0to\u00a0−11"
    assert list(table["−4 to +4, in sd of specimens"]) == ["−2.4", "+1.8"]
    assert list(table["Clear"]) == ["yes", "yes"]
    assert "1 of 2 latents have a label" in said and "along d1" in said
    assert "z0 is a single latent" in said

    app.selectbox(key="traversal_effects_of").set_value("d1")
    app = sound(app.run())
    assert "d1 is no single latent" in texts(app) and "40 % of the differences" in texts(app)
    assert list(app.dataframe[0].value["Descriptor"]) == ["Flake length"]


def test_the_network_names_its_latents(labelled, open_page):
    app = sound(open_page("network"))
    listed = next(d.value for d in app.dataframe if "Latent" in d.value)
    assert "z0: particle count −, nodularity +" in set(listed["Latent"])


def test_what_is_known_and_what_follows_name_latents_too(labelled, open_page):
    app = sound(open_page("network"))
    title = "z0: particle count −, nodularity +"
    assert title in app.multiselect(key="belief_nodes").options
    table = next(d.value for d in app.dataframe if "Expected" in d.value)
    assert title in set(table["Quantity"])
    chart = next(
        c.proto.spec for c in app.get("plotly_chart") if "standard deviations" in c.proto.spec
    )
    (follows,) = [t for t in json.loads(chart)["data"] if t["name"] == "follows"]
    assert "z0: particle count −, …" in follows["y"], "short beside the axis"
    assert any(text.startswith(title) for text in follows["text"]), "in full in the hover text"
    sound(app.multiselect(key="belief_nodes").select("z0").run())
    assert title in app.selectbox(key="belief_z0_form").label


def test_a_model_without_labels_goes_by_number_and_says_how_to_get_them(with_model, open_page):
    app = sound(open_page("traversals"))
    assert "z0" in app.multiselect(key="traversal_dimensions").options
    assert "have not been named yet" in texts(app) and "core.labels --model" in texts(app)
    assert "have not been named yet" in texts(sound(open_page("network")))


@pytest.mark.parametrize("name", ["traversals", "network"])
@pytest.mark.parametrize("content", ["{}", None])
def test_damaged_or_foreign_labels_are_an_error_and_the_page_goes_on(
    labelled, open_page, name, content
):
    if content is None:
        save_labels(labelled, made_labels("0" * 64, LATENTS))
    else:
        (labelled / FILE).write_text(content)
    app = open_page(name)
    assert not app.exception
    (error,) = [e.value for e in app.error]
    assert "Latents are shown by number alone" in error and "core.labels again" in error
    assert "have not been named yet" in texts(app)


def test_the_curve_shows_mean_and_spread_with_units():
    labels = made_labels("m")
    quantity = next(q for q in QUANTITIES if q.name == "particles_per_mm2")
    figure = latent_figures.traversal_curve(labels, labels.dimensions[0], quantity)
    band, line = figure.data
    assert list(line.x) == [-4, 0, 4] and list(line.y) == [98, 50, 2]
    assert list(band.x) == [-4, 0, 4, 4, 0, -4] and list(band.y) == [103, 55, 7, -3, 45, 93]
    assert figure.layout.yaxis.title.text == "Particle count (1/mm²)"
    assert figure.layout.xaxis.title.text.startswith("z0")
    assert figure.layout.plot_bgcolor is None


def test_remarks_cope_with_a_single_latent():
    labels = made_labels("m")
    labels.figures["independence"]["specimens"].update(
        correlation_abs=None, most_correlated=None, effective_dimensions=None
    )
    labels.figures["stability"]["dimensions"]["strongest_effect_survives"] = None
    assert len(latent_effects.remarks(labels)) == 3
