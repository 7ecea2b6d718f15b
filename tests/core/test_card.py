"""The README's tables and the model card come from the measured files and nothing else."""

import json

import pytest

from core.card import BEGIN, END, _denoiser, check_results, fill_readme
from core.denoiser.store import denoiser_hash
from core.errors import CheckpointError
from core.labels.__main__ import result
from core.markdown import table
from core.oracle_table import ARMS, RESULT
from core.result_tables import MEASURED, results_text
from core.results import RESULTS, record, write_result
from tests.core.labels.made import made_labels


def summary(median: float) -> dict[str, float]:
    return {"median": median, "p90": 2 * median, "mean": median, "n": 7}


def metrics() -> dict:
    mean = {"mean": 0.81, "low": 0.79, "high": 0.83, "median": 0.8, "n": 7}
    arms = dict.fromkeys(("reconstruction", "designed", "same_specimen", "other_specimen"), mean)
    return {
        "patches": {
            "stsim2": arms | {"reconstruction": mean | {"mean": 0.987}},
            "two_point": arms | {"reconstruction": mean | {"mean": 3.856}},
        },
        "fields": {
            "two_point": arms
            | {
                "designed": mean | {"mean": 0.654},
                "designed_minus_same_specimen": {"mean": 0.0, "low": -0.01, "high": 0.01},
            }
        },
        "not_available": {"dists": "no weights here"},
    }


def judgements() -> dict:
    judged = {"feasible": 0.971, "borderline": 0.019, "infeasible": 0.01}
    classes = ("feasible", "infeasible_4_to_8_sd", "infeasible_beyond_8_sd")
    nothing = dict.fromkeys(judged)
    verdicts = {name: {"n": 33, "judged": judged} for name in classes}
    verdicts["infeasible_beyond_8_sd"] = {"n": 0, "judged": nothing}
    interval = {"coverage": 0.886, "median_width": 1.0, "unit": "mm"}
    return {
        "verdicts": verdicts,
        "setting_intervals": {"what": "", "castings": 55, "radius_mm": interval},
        "posterior_intervals": {"what": "", "castings": 55, "hv": 0.934},
    }


def directions() -> dict:
    def arm(strength: float, common: float) -> dict:
        return {
            "strength": summary(strength),
            "common": common,
            "common_by_chance": 0.035,
            "strength_minus_real": {"mean": 0.012, "low": -0.003, "high": 0.027},
        }

    return {"same_specimen": arm(0.061, 0.018), "designed": arm(0.073, 0.029)}


@pytest.fixture
def results(tmp_path):
    about = {"command": "python -m core.measure", "hardware": "a machine"}
    style = {"same_specimen": summary(0.31), "other_specimen": summary(0.72)}
    quality = {
        "data": {"name": "Fresh", "specimens": 14},
        "patch_reconstruction": style | {"reconstruction": summary(0.123)},
        "field_test": style | {"generated": summary(0.045), "designed": summary(0.057)},
        "properties": {
            "what": "",
            "unit": "%",
            "patches": 9.0,
            "hv": {
                "error": summary(2.2),
                "reference_always_the_median": summary(11.1),
                "r2": 0.876,
                "coverage_of_90_percent_interval": 0.915,
            },
        },
        "collapse": {
            "active_latents": 5,
            "latents": 8,
            "kl_nats": 12.34,
            "aggregate_mean_abs": 0.021,
            "aggregate_variance": summary(1.04),
            "correlation_abs": summary(0.11) | {"max": 0.777},
        },
    }
    quality["field_test"]["isotropy"] = {of: directions() for of in ("gradients", "particles")}
    stage = {"median": 1.5, "p95": 2.5, "n": 7}
    entry = {
        "predicted_back_from_picture": summary(3.3),
        "recommended_settings_cast_by_the_oracle": summary(4.4),
        "reference_spread_of_targets": summary(20.0),
    }
    loop = {"what": "", "unit": "%", "verdicts": {"feasible": 6, "borderline": 1}, "hv": entry}
    write_result("reconstruction", about | quality, tmp_path)
    write_result("metrics", about | metrics(), tmp_path)
    write_result(
        "design_latency",
        about | {"latency": {"stages": {"total": stage, "decode": stage}}},
        tmp_path,
    )
    write_result("closed_loop", about | {"closed_loop": loop} | judgements(), tmp_path)
    visits = {"first_visit_after_start": stage, "later_visit_with_another_target": stage}
    write_result("first_design", about | {"first_design": visits}, tmp_path)
    return tmp_path


def test_tables_show_the_measured_figures(results) -> None:
    text = results_text(results)
    shown = ("0.123", "0.246", "0.310", "0.720", "0.045", "0.057", "5 of 8", "12.3", "3.3 (6.6)")
    for figure in (*shown, "2.2 (4.4)", "11.1 (22.2)", "0.88", "92 %"):
        assert figure in text, figure
    for figure in ("0.987 (0.790 to 0.830)", "0.654", "no weights here", "97.1 %", "none"):
        assert figure in text, figure
    assert "3.856" not in text, "two-point correlations of patches mean nothing"
    assert "55 fresh castings" in text and "radius_mm 89 %" in text
    assert "settings from tested strengths): hv 93 %" in text
    assert "6 feasible, 1 borderline" in text and "median 1.5 s" in text


def test_signs_of_collapse_and_of_a_preferred_direction_are_shown(results) -> None:
    text = results_text(results)
    assert "mean 0.02 off 0, variance 1.04 (median)" in text
    assert "correlation of two latents 0.11 in size (median, 0.78 at most)" in text
    assert "(difference +0.012 (-0.003 to +0.027))" in text
    assert "preferred by all 0.029 and 0.018" in text


@pytest.mark.parametrize(
    ("off", "met"),
    [((0.001, -0.001, 0.003), "yes"), ((0.03, 0.02, 0.04), "no"), ((0.02, -0.01, 0.05), "not de")],
)
def test_fields_are_held_against_the_margin_in_pairs(results, off, met) -> None:
    """A tenth of the distance 0.1 between real fields, and of the 0.2 that similarity 0.8 lacks."""
    path = results / "metrics.json"
    content = json.loads(path.read_text())
    real = {"mean": 0.1, "low": 0.09, "high": 0.11, "median": 0.1, "n": 30}
    named = dict(zip(("mean", "low", "high"), off, strict=True))
    content["fields"] = {
        "style": {
            "designed": real | {"n": 31},
            "same_specimen": real,
            "other_specimen": real,
            "designed_minus_same_specimen": named,
        },
        "stsim2": {
            "designed": real | {"n": 31},
            "same_specimen": real | {"mean": 0.8},
            "other_specimen": real,
            "designed_minus_same_specimen": {"mean": -0.05, "low": -0.06, "high": -0.04},
        },
    }
    path.write_text(json.dumps(content))
    rows = [line for line in results_text(results).splitlines() if line.endswith("| 31 |")]
    assert "| 0.0100 |" in rows[0] and f"| {met}" in rows[0]
    assert "+0.0500 (+0.0400 to +0.0600) | 0.0200 | no |" in rows[1]


def optional(results) -> None:
    """Write the results that may be missing."""

    def auc(value: float) -> dict:
        return {"auc": value, "low": value - 0.05, "high": value + 0.05}

    families = {"gradients": auc(0.61), "grey levels": auc(0.73)}
    found = {
        "statistics": 99, "crop_px": 256, "crops_a_class": 300, "generated": auc(0.77),
        "sanity_blurred": auc(0.99), "chance_real_against_real": auc(0.51), "by_family": families,
    }  # fmt: skip
    about = {"command": "python -m core.realism"}
    write_result("realism", about | {"realism": found}, results)
    ratio = {"median": 41.6, "low": 30.0, "high": 50.0, "median_is_least": False, "n": 3}
    model = {
        "error": summary(0.1),
        "iterations_worth": ratio,
        "times_faster": ratio,
        "loss": "norm",
    }
    other = model | {"loss": "eq2", "iterations_worth": ratio | {"median_is_least": True}}
    pixels = {
        "patches": 3,
        "error_after_iterations": {"20": summary(0.174), "40": summary(0.109)},
        "models": {"model": model, "also": other},
        "latents_moved": {
            "encoded": summary(0.14), "best": summary(0.12), "best_for_one_noise": summary(0.09),
        },
    }  # fmt: skip
    write_result("pixel_optimisation", about | {"pixel_optimisation": pixels}, results)


def test_results_that_may_be_missing_are_told_where_they_are_there(results) -> None:
    before = results_text(results)
    assert "Generated or real" not in before and "L-BFGS" not in before
    optional(results)
    text = results_text(results)
    assert "AUC 0.77 (0.72 to 0.82)" in text and "grey levels 0.73, gradients 0.61" in text
    assert "0.174 after 20, 0.109 after 40 iterations" in text
    assert "the model (0.100) is worth 42 (30 to 50) iterations" in text
    assert 'loss "eq2" (0.100) is worth at least 42' in text
    assert "0.140 from the encoder's latents, by 0.120 from the latents that are best" in text
    *told, missing = before.split("\n\n")
    assert all(paragraph in text for paragraph in told)
    assert missing.startswith("Not measured on this version: realism, pixel_optimisation, labels")
    assert "version: labels," in text.split("\n\n")[-1]


def test_the_closed_loop_is_shown_where_it_was_measured_and_of_this_model_only(
    results, tmp_path
) -> None:
    assert "Closed loop over" not in results_text(results)
    arms = {arm: {"hv": {"percent": summary(2.5), "not_measurable": 0}} for arm in ARMS}
    arms["picture_measured"]["hv"]["not_measurable"] = 2
    kinds = {"castings": 5, "spread": 4, "within_test_scatters": 2.0}
    loop = {
        "command": "python -m bayesnet.verify",
        "model_sha256": "other",
        "feasible": {"targets": 9, "targets_are": kinds, "judged": {"feasible": 8}} | arms,
        "infeasible": {"targets": 4, "judged": {"feasible": 0, "borderline": 1, "infeasible": 3}},
        "instrument": {"hv": {"percent": None, "not_measurable": 3}},
        "grain_scale": {"slope": 1.678, "offset": -2.0, "castings": 24},
        "next_tests": {"tested": 5, "proposed": summary(1.2), "random": summary(3.4)}
        | {"before": summary(5.6)}
        | {"proposed_minus_random": {"mean": -2.2, "low": -5.0, "high": 0.4}},
    }
    write_result(RESULT, loop, results)
    text = results_text(results)
    assert "Closed loop over 9 targets" in text and text.count("2.5 (5.0)") == len(ARMS)
    assert "8 of 9 feasible" in text and "0 of 4 infeasible" in text
    assert "1 are called borderline and 3 infeasible" in text
    assert "| 2.5 (5.0) | 7, 2 not measurable |" in text
    assert "| none | 0, 3 not measurable |" in text
    assert "5 targets are fresh castings' own strengths" in text
    assert "4 are spread over the pairs within 2 test scatters" in text
    assert "(exponent 1.68), fitted to 24 castings whose grain size is known" in text
    assert "off by 1.2 %, with as many at random 3.4 %, before 5.6 %" in text
    assert "-2.2 % (95 %: -5.0 to +0.4), so proposals are no better than chance as far as" in text
    more = loop["next_tests"] | {"proposed_minus_random": {"mean": -1.2, "low": -2.0, "high": -0.4}}
    write_result("next_tests", {"command": "python -m x", "next_tests": more}, results)
    told = "What to test next, by `python -m x`: with 5 proposed"
    assert told in (text := results_text(results)) and text.count("What to test next") == 1
    assert "-1.2 % (95 %: -2.0 to -0.4), so proposals are better than chance." in text
    (results / "next_tests.json").unlink()
    model = tmp_path / "model"
    model.mkdir()
    (model / "manifest.json").write_text('{"weights_sha256": "a"}')
    for name in MEASURED:
        content = json.loads((results / f"{name}.json").read_text())
        (results / f"{name}.json").write_text(json.dumps(content | {"model_sha256": "a"}))
    with pytest.raises(CheckpointError, match=RESULT):
        check_results(model, results)


def test_missing_figure_is_an_error_that_names_it(results) -> None:
    path = results / "reconstruction.json"
    content = json.loads(path.read_text())
    del content["field_test"]["generated"]
    path.write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match="generated"):
        results_text(results)


def test_labels_are_shown_where_they_were_measured(results, tmp_path) -> None:
    before = results_text(results)
    content = result(made_labels("m"), ["--model", "m"])
    write_result("labels", content, results)
    text = results_text(results)
    assert all(paragraph in text for paragraph in before.split("\n\n")[:-1])
    assert "labels" in before.split("\n\n")[-1] and "labels" not in text.split("\n\n")[-1]
    assert "1 of 2 have a label" in text and "of all 90 %" in text
    assert "worth 1.9 independent ones" in text
    assert "| d1 | flake length + |" in text
    model = tmp_path / "model"
    model.mkdir()
    (model / "manifest.json").write_text(json.dumps({"weights_sha256": "a"}))
    for name in MEASURED:
        path = results / f"{name}.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"model_sha256": "a"}))
    with pytest.raises(CheckpointError, match=r"labels\.json was measured on another model"):
        check_results(model, results)


def test_results_of_another_model_are_refused(results, tmp_path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "manifest.json").write_text('{"weights_sha256": "a"}')
    for name in MEASURED:
        content = json.loads((results / f"{name}.json").read_text())
        (results / f"{name}.json").write_text(json.dumps(content | {"model_sha256": "a"}))
    optional(results)
    with pytest.raises(CheckpointError, match=r"realism\.json was measured on another model"):
        check_results(model, results)
    for name in ("realism", "pixel_optimisation"):
        content = json.loads((results / f"{name}.json").read_text())
        (results / f"{name}.json").write_text(json.dumps(content | {"model_sha256": "a"}))
    check_results(model, results)
    (model / "manifest.json").write_text('{"weights_sha256": "b"}')
    with pytest.raises(CheckpointError, match="was measured on another model"):
        check_results(model, results)


def regressors() -> dict:
    row = {"data": "fresh", "split": "new_specimens", "rows": "specimens", "property": "hv"}
    row |= {
        "representation": "vae",
        "regressor": "svr_rbf",
        "r2": 0.91,
        "mape": 5.0,
        "median_error": 3.75,
        "n": 7,
    }
    return {
        "command": "python -m core.property_tables",
        "model_sha256": "a",
        "vae": {"trained_on": "Learned castings", "sha256": "abcdef0123"},
        "fresh": {"name": "Fresh", "specimens": 7},
        "paper": None,
        "properties": [{"name": "hv", "label": "Hardness", "unit": "HV"}],
        "rows": [row],
        "left_out_casting": [
            {
                "representation": name,
                "property": "hv",
                "specimen": "r48",
                "true": 200.0,
                "mean": mean,
                "error": error,
            }
            for name, mean, error in (("vae", 190.0, 5.0), ("vgg19_pool5", 194.0, 3.0))
        ],
    }


def test_regressors_are_shown_where_they_were_measured_and_on_this_model_only(
    results, tmp_path
) -> None:
    assert "plain VGG19" not in results_text(results)
    write_result("properties", regressors(), tmp_path)
    text = results_text(results)
    assert "3.8, 5.0 (0.91)" in text and "Learned castings" in text
    assert "| 190 HV | 200 HV | 5.0 % |" in text
    assert "| plain VGG19, pool5 | 194 HV | 200 HV | 3.0 % |" in text, "whichever wins"
    model = tmp_path / "model"
    model.mkdir()
    (model / "manifest.json").write_text('{"weights_sha256": "b"}')
    for name in MEASURED:
        content = json.loads((results / f"{name}.json").read_text())
        (results / f"{name}.json").write_text(json.dumps(content | {"model_sha256": "b"}))
    with pytest.raises(CheckpointError, match=r"properties.json was measured on another model"):
        check_results(model, results)


def test_figures_of_pictures_finished_differently_are_refused(results, tmp_path) -> None:
    model = tmp_path / "model"
    model.mkdir()
    (model / "manifest.json").write_text('{"weights_sha256": "a"}')

    def say(**changes: str) -> None:
        for name in MEASURED:
            content = json.loads((results / f"{name}.json").read_text())
            write_result(name, content | changes, results)

    say(model_sha256="a")
    check_results(model, results)  # neither has a denoiser
    about = {"format": 1, "model_hash": "a", "weights_sha256": "d"}
    (model / "denoiser.json").write_text(json.dumps(about))
    with pytest.raises(CheckpointError, match="measured with another denoiser"):
        check_results(model, results)
    write_result("properties", regressors(), tmp_path)  # of latents alone: any denoiser will do
    say(denoiser_sha256="d")
    check_results(model, results)
    training = {"batch": 8}
    told = {"parameters": 5, "steps": 7, "seconds": 120, "hardware": "a CPU", "training": training}
    (model / "denoiser.json").write_text(json.dumps(about | told))
    ((name, said),) = _denoiser(model, "a")
    assert name == "Denoiser"
    assert said.startswith("5 parameters, 7 steps of 8 crops, 2 min on a CPU; takes out noise")
    (model / "denoiser.json").unlink()
    with pytest.raises(CheckpointError, match="measured with another denoiser"):
        check_results(model, results)


def test_readme_changes_between_the_markers_only(tmp_path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    fill_readme(readme, "new")
    assert readme.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    readme.write_text("no markers")
    with pytest.raises(CheckpointError, match="markers"):
        fill_readme(readme, "new")


def test_table_is_markdown() -> None:
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_results_of_pictures_that_were_finished_otherwise_are_named(results) -> None:
    path = results / "reconstruction.json"
    content = json.loads(path.read_text())
    for name in MEASURED:
        other = results / f"{name}.json"
        other.write_text(json.dumps(json.loads(other.read_text()) | {"denoiser_sha256": "now"}))
    assert results_text(results, "now") == results_text(results)
    path.write_text(json.dumps(content | {"denoiser_sha256": "before"}))
    assert results_text(results, "now").endswith(", and not since: reconstruction.")


def test_results_say_how_they_were_obtained() -> None:
    found = record("core.measure", ["--model", "a b"], model_sha256="m", data_hash="d")
    assert found["command"] == "python -m core.measure --model 'a b'"
    assert found["model_sha256"] == "m" and found["hardware"] and found["version"]


def test_readme_shows_the_committed_results() -> None:
    if not (RESULTS / "reconstruction.json").is_file():
        pytest.skip("docs/results holds no figures")
    readme = (RESULTS.parents[1] / "README.md").read_text(encoding="utf-8")
    check_results(RESULTS.parents[1] / "assets" / "reference", RESULTS)
    shown = readme.split(BEGIN, 1)[1].split(END, 1)[0].strip()
    model = RESULTS.parents[1] / "assets" / "reference"
    weights = json.loads((model / "manifest.json").read_text())["weights_sha256"]
    current = results_text(RESULTS, denoiser_hash(model, weights))
    assert shown == current, "run `make measure`: the README's tables are not current"
