"""Facts come from the model's own files, and what is not known is said to be."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from bayesnet.model_facts import SECTIONS, ModelParts, compare_models, model_facts
from bayesnet.network import Network
from core.conformal import Calibration
from core.denoiser.network import DenoiserConfig
from core.files import read_json
from core.properties import PropertyModel
from core.reference import load_reference


@pytest.fixture(scope="module")
def parts(tiny_model) -> ModelParts:
    return ModelParts(
        manifest=read_json(tiny_model / "manifest.json"),
        network=Network.load(tiny_model / "network.json"),
        properties=PropertyModel.load(tiny_model / "properties.json"),
        reference=load_reference(tiny_model),
    )


def texts(parts: ModelParts) -> dict[str, str]:
    return {fact.what: fact.text for fact in model_facts(parts)}


def test_facts_are_those_of_the_files(parts):
    found = texts(parts)
    assert found["Amount"] == "16 specimens, 16 micrographs"
    assert found["Kind"].startswith("synthetic")
    assert found["Style error, new micrographs"].startswith("0.150 median, 90 % below 0.200; 1 m")
    assert found["Weights, sha256"] == parts.manifest["weights_sha256"][:16]
    uts = parts.properties.regressors[0]
    assert f"R² {uts.r2:.2f}" in found[f"{uts.label}, error on left-out specimens"]
    assert found[f"{uts.label}, labelled"] == "16 specimens"
    node = parts.network.process[0]
    assert found[f"{node.label}, range"].endswith(node.unit)
    assert "simulated castings" in found["Reality"]


def test_a_denoiser_of_other_weights_is_said_to_be_left_out(parts):
    about = {"config": DenoiserConfig().to_dict(), "parameters": 12, "seconds": 600.0}
    assert texts(parts)["Finished by"].startswith("nothing: pictures are as the decoder")
    own = about | {"model_hash": parts.manifest["weights_sha256"]}
    assert texts(replace(parts, denoiser=own))["Finished by"].startswith("a denoiser (12 param")
    said = texts(replace(parts, denoiser=about | {"model_hash": "0" * 64}))["Finished by"]
    assert said.startswith("nothing: the denoiser in the folder was trained with other weights")


def test_what_was_not_recorded_is_said(parts):
    bare = ModelParts(manifest={}, network=None, properties=None, reference=None)
    found = texts(bare)
    assert found["Data set"] == found["Kind"] == found["Training"] == "not recorded"
    assert found["Style error, held-out patches"] == "not measured"
    assert found["Network"] == "not fitted: no designs"
    assert "core.reference was not run" in found["Unusual micrographs"]
    assert "not known" in found["Magnification"]


def test_names_of_latents_are_counted(parts):
    figures = {
        "stability": {"dimensions": {"directions": 8, "labelled": 5}},
        "used_for_design": {"used": 3, "labelled": 2, "unlabelled": ["z4"]},
        "independence": {"specimens": {"effective_dimensions": 4.54}},
    }
    labels = SimpleNamespace(figures=figures, plan={"starts": 16})
    found = texts(replace(parts, labels=labels))
    assert found["Named"].startswith("5 of 8; by effects that two sets of 16 ")
    assert found["Used by designs"] == "3, of which 2 have a name (without: z4)"
    assert found["Worth, over specimens"].startswith("4.5 independent")
    assert "core.labels was not run" in texts(parts)["Names"]


def test_split_training_and_held_out_error_are_said_where_recorded(parts):
    recorded = {
        "training_specimens": ["a"] * 12,
        "steps": 100,
        "seconds": 600,
        "hardware": "a machine",
        "metrics": {"relative": 0.1234},
        "validated_on": "held-out specimens",
    }
    found = texts(replace(parts, manifest={**parts.manifest, **recorded}))
    assert found["Split"] == "12 specimens trained on, 4 held out"
    assert found["Training"] == "100 steps, 10 min on a machine"
    assert found["Style error, held-out patches"] == "0.123 (held-out specimens)"


def test_few_specimens_mean_no_intervals(parts):
    few = replace(parts.network, specimens=parts.network.specimens[:8])
    regressors = tuple(replace(r, half_width=None) for r in parts.properties.regressors)
    found = texts(
        replace(parts, network=few, properties=replace(parts.properties, regressors=regressors))
    )
    assert "Only 8 specimens" in found["Intervals"]
    assert found[f"{regressors[0].label}, 90 % interval"].startswith("no interval: 16 labelled")


def test_an_interval_says_what_it_was_calibrated_on(parts):
    first, *others = parts.properties.regressors
    name = f"{first.label}, 90 % interval"
    own = texts(parts)[name]
    assert "all patches of a specimen" in own and "each left out in turn" in own
    about = Calibration(method="unseen", specimens=100, data_name="New castings")
    changed = replace(first, half_width=0.125, relative=True, calibration=about)
    properties = replace(parts.properties, regressors=(changed, *others))
    assert texts(replace(parts, properties=properties))[name] == (
        "± 12.5 % from all patches of a micrograph; "
        "calibrated on 100 specimens new to the model (New castings)"
    )
    both = replace(properties, structure=SimpleNamespace(regressors=()))
    assert "of a micrograph by latents alone; " in texts(replace(parts, properties=both))[name]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            {"coverage_90_design": 0.97, "widening_90": 1.0},
            "97 % of left-out specimens; not widened",
        ),
        (
            {"coverage_90_design": 0.8, "widening_90": 1.25, "coverage_90_widened": 0.92},
            "80 % of left-out specimens; widened by 1.25, then 92 % of the same specimens",
        ),
        (
            {"coverage_90_design": 0.8, "widening_90": 1.25},
            "80 % of left-out specimens; widened by 1.25",
        ),
        ({"coverage_90_design": 0.8, "widening_90": None}, "not measured"),
    ],
)
def test_the_share_in_widened_intervals_is_the_one_measured(parts, entry, said):
    node = parts.network.process[0]
    calibration = parts.network.calibration | {"process": {node.column: entry}}
    found = texts(replace(parts, network=replace(parts.network, calibration=calibration)))
    assert found[f"{node.label}, 90 % interval covers"] == said


def test_two_models_are_compared_fact_by_fact_in_the_order_of_sections(parts):
    bare = ModelParts(manifest={}, network=None, properties=None, reference=None)
    rows = compare_models([model_facts(parts), model_facts(bare)])
    by_what = {(section, what): cells for section, what, cells in rows}
    assert by_what["Data", "Amount"] == ["16 specimens, 16 micrographs", "not recorded"]
    assert by_what["Process settings", "Network"] == ["none", "not fitted: no designs"]
    places = [SECTIONS.index(section) for section, _, _ in rows]
    assert places == sorted(places)
    assert len(by_what) == len(rows)
