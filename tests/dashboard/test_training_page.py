"""The page *Training*: from a data set to a job, and what a job shows in each state."""

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from core.errors import StorageError
from core.files import read_json, write_bytes, write_json
from core.hardware import describe, pick_device
from core.images import encode_png, read_image
from core.jobs import queue
from core.jobs.process import this_process
from core.jobs.progress import Curve
from core.jobs.queue import find, jobs
from core.jobs.request import STEPS, JobRequest, load_request
from core.jobs.speed import Speed, save_speed
from core.jobs.status import changed, load_status, save_status
from core.workspace import data_folder, jobs_folder, models_folder
from dashboard import permission, state, training_form, training_report
from dashboard.training_figures import error_curves, loss_curve
from tests.core.textures import make_textures, texture
from tests.dashboard.conftest import sound
from tests.dashboard.conftest import texts as raw_texts

SPEED = Speed(
    hardware=describe(pick_device("auto")),
    train_patches_per_s=4.0,
    encode_patches_per_s=10.0,
    measured="2026-01-02",
    how="calibration",
)


@pytest.fixture(autouse=True)
def _allowed(monkeypatch):
    """Training is on, and no process is started."""
    monkeypatch.setenv(permission.VARIABLE, "on")
    monkeypatch.setattr(queue, "start_runner", lambda: None)


@pytest.fixture
def data() -> Path:
    """A data set in the workspace."""
    return make_textures(data_folder() / "textures", 9, 1, 160, 160).root


@pytest.fixture
def job(data) -> str:
    """A job in the queue."""
    request = JobRequest(
        name="mine",
        data=str(data),
        data_name="Textures",
        preset="quick",
        config={"steps": 100},
        skipped={"reference": "too few held out"},
        estimate_s=600.0,
    )
    return queue.submit(request).id


def name_field(app):
    """The field of the model's name; its key changes with the name that is proposed."""
    (found,) = (field for field in app.text_input if field.key.startswith("training_name"))
    return found


def texts(app) -> str:
    """What the page says, without the marks that keep Markdown from reading it."""
    return raw_texts(app).replace("\\", "")


def put(number: str, to: str, **changes) -> None:
    """Put a job into a state, as its runner would."""
    folder = jobs_folder() / number
    save_status(folder, changed(load_status(folder), to, **changes))


def test_without_data_the_page_says_where_to_get_some(open_page):
    app = sound(open_page("training"))
    assert "There is no data set yet" in texts(app) and "No model has been trained" in texts(app)


def test_a_click_puts_a_job_into_the_queue(data, open_page):
    save_speed(SPEED)
    app = sound(open_page("training"))
    said = texts(app)
    assert "Expected:" in said and "4 patches/s trained and 10 encoded on" in said
    assert name_field(app).value == "Textures"
    sound(app.button(key="training_start").click().run())
    (job,) = jobs()
    assert (job.request.name, job.request.preset, job.status.state) == (
        "Textures",
        "quick",
        "queued",
    )
    assert job.request.data == str(data.resolve()) and job.request.init == ""
    assert job.request.estimate_s and job.request.config["minutes"] == 6.0
    assert round(job.request.config["validation_fraction"] * 9) == 3
    assert "0 in the queue before this one" in texts(app)
    assert app.query_params["job"] == [job.id] or app.query_params["job"] == job.id


def test_own_settings_reach_the_job(data, open_page):
    app = open_page("training")
    app.number_input(key="steps_quick_anew").set_value(7)
    app.number_input(key="latents_quick_anew").set_value(8)
    app.number_input(key="held_out_9_quick_anew").set_value(0)
    app.number_input(key="starts_quick_anew").set_value(5)
    app.checkbox(key="turn_quick_anew").uncheck().run()
    assert "Left out: what is usual; what is usual is measured on 3" in texts(app)
    sound(app.button(key="training_start").click().run())
    config = jobs()[0].request.config
    assert (config["steps"], config["model"]["latents"], config["augment"]) == (7, 8, False)
    assert config["validation_fraction"] == 0 and "reference" in jobs()[0].request.skipped
    assert jobs()[0].request.label_starts == 5 and "labels" not in jobs()[0].request.skipped


def test_names_of_latents_are_off_for_a_quick_look_and_part_of_the_estimate(data, open_page):
    save_speed(SPEED)
    app = sound(open_page("training"))
    assert app.number_input(key="starts_quick_anew").value == 0
    assert "Left out: names of latents; names are not asked for" in texts(app)
    assert "for names of latents" not in texts(app)
    sound(app.selectbox(key="training_preset").set_value("standard").run())
    assert app.number_input(key="starts_standard_anew").value == 8
    assert "Left out: names" not in texts(app) and "for names of latents" in texts(app)
    sound(app.button(key="training_start").click().run())
    request = jobs()[0].request
    assert request.label_starts == 8
    assert request.expected_s["labels"] > 0 and request.expected_s["reference"] > 0
    assert request.estimate_s == pytest.approx(sum(request.expected_s.values()))


@pytest.mark.parametrize("side", [160, 256])
def test_regions_are_asked_for_where_pictures_hold_them(side, open_page, tmp_path):
    make_textures(data_folder() / "some", 9, 1, side, side)
    config = training_form.preset_config("standard", 9, continued=True)
    folder = tmp_path / "assets" / "reference"
    write_json(folder / "manifest.json", {"config": config.model.to_dict(), "name": "R"})
    app = sound(open_page("training", preset="standard"))
    sound(app.button(key="training_start").click().run())
    config = jobs()[0].request.config
    assert config["critic_weight"] == 0.1
    assert config["region_every"] == (2 if side == 256 else 0)


def test_data_and_preset_are_kept_in_the_address(data, open_page):
    make_textures(data_folder() / "zinc", 9, 1, 160, 160)
    app = sound(open_page("training", data="zinc", preset="thorough"))
    assert app.selectbox(key="training_data").value == "zinc"
    assert app.selectbox(key="training_preset").value == "thorough"
    sound(app.selectbox(key="training_preset").set_value("standard").run())
    assert app.query_params["preset"] in ("standard", ["standard"])
    assert app.query_params["data"] in ("zinc", ["zinc"])
    sound(app.button(key="training_start").click().run())
    assert "job" in app.query_params and app.query_params["data"] in ("zinc", ["zinc"])
    app = sound(open_page("training", data="gone", preset="fast"))
    assert app.selectbox(key="training_data").value == "textures"
    assert app.selectbox(key="training_preset").value == "quick"


def test_every_setting_can_be_given_and_wrong_ones_are_said(data, open_page):
    app = open_page("training")
    area = app.text_area(key="others_quick_anew")
    given = json.loads(area.value)
    assert "style_weight" in given and "steps" not in given and "latents" not in given["model"]
    changed = given | {"style_weight": 321.0, "model": given["model"] | {"hidden": 64}}
    app.text_area(key="others_quick_anew").set_value(json.dumps(changed)).run()
    sound(app.button(key="training_start").click().run())
    config = jobs()[0].request.config
    assert (config["style_weight"], config["model"]["hidden"]) == (321.0, 64)
    assert '"style_weight": 321.0' in str([c.value for c in app.code])
    for text, why in (
        ("{", "JSON"),
        ("[]", "object is needed"),
        ('{"steps": 3}', "steps has a field of its own"),
        ('{"styl_weight": 3}', "unknown settings"),
        ('{"style_weight": -1}', "must be a number from 0"),
    ):
        app.text_area(key="others_quick_anew").set_value(text).run()
        assert len(app.error) == 1 and why in app.error[0].value, text
    assert len(jobs()) == 1


def test_a_model_of_the_same_make_is_begun_from(data, open_page, tmp_path):
    config = training_form.preset_config("quick", 9, continued=True)
    folder = tmp_path / "assets" / "reference"
    write_json(folder / "manifest.json", {"config": config.model.to_dict(), "name": "R"})
    app = sound(open_page("training"))
    assert app.selectbox(key="training_begin").options == ["Reference model", "nothing"]
    sound(app.button(key="training_start").click().run())
    assert jobs()[0].request.init == str(folder)
    assert jobs()[0].request.config["kl_warm_up"] == 0


def test_a_name_that_is_taken_is_said_and_a_free_one_offered(data, open_page):
    (models_folder() / "Textures").mkdir(parents=True)
    app = open_page("training")
    assert name_field(app).value == "Textures_2"
    name_field(app).set_value("Textures")
    app.button(key="training_start").click().run()
    assert "is there already" in app.error[0].value and not jobs()
    name_field(app).set_value("../x")
    app.button(key="training_start").click().run()
    assert "the model's name is" in app.error[0].value and not jobs()


def test_the_name_follows_the_data_set(data, open_page):
    make_textures(data_folder() / "other", 9, 1, 160, 160)
    write_json(
        data_folder() / "other" / "dataset.json",
        read_json(data / "dataset.json") | {"name": "Other"},
    )
    app = open_page("training")
    first = name_field(app).value
    app.selectbox(key="training_data").set_value(
        next(name for name in ("other", "textures") if name != app.selectbox[0].value)
    )
    sound(app.run())
    assert {first, name_field(app).value} == {"Other", "Textures"}


def test_a_name_is_offered_once_also_before_its_model_is_made(data, open_page):
    app = open_page("training")
    sound(app.button(key="training_start").click().run())
    assert name_field(app).value == "Textures_2"
    name_field(app).set_value("mine")
    sound(app.button(key="training_start").click().run())
    assert name_field(app).value == "Textures_2"
    assert {job.request.name for job in jobs()} == {"mine", "Textures"}


def test_without_a_measured_speed_it_is_not_guessed_but_can_be_measured(
    data, open_page, monkeypatch
):
    app = sound(open_page("training"))
    assert "is not known until this machine's speed is measured" in texts(app)
    monkeypatch.setattr(training_form, "measure", lambda: save_speed(SPEED))
    sound(app.button(key="training_speed").click().run())
    assert "Expected:" in texts(app)
    assert "training_speed" not in [button.key for button in app.button]


def test_a_failing_measurement_says_why(data, open_page, monkeypatch):
    def failed(*arguments, **options):
        return subprocess.CompletedProcess(arguments, 2, "", "talk\nerror: no weights here\n")

    monkeypatch.setattr("dashboard.training_form.subprocess.run", failed)
    app = open_page("training")
    app.button(key="training_speed").click().run()
    assert "no weights here" in app.error[0].value


def test_what_is_shown_of_a_training_on_synthetic_data_says_so(job, data, open_page):
    assert "Synthetic data" in texts(sound(open_page("training")))
    declared = json.loads((data / "dataset.json").read_text())
    (data / "dataset.json").write_text(json.dumps(declared | {"synthetic": False}))
    assert "Synthetic data" not in texts(sound(open_page("training")))
    shutil.rmtree(data)
    sound(open_page("training"))


def test_a_running_job_shows_time_left_curves_and_pictures(job, open_page):
    model = jobs_folder() / job / "model"
    lines = [
        {"kind": "train", "step": 10, "loss": 9.0, "relative": 0.4, "seconds_left": 240.0},
        {"kind": "validation", "step": 10, "relative": 0.5},
    ]
    write_bytes(model / "metrics.jsonl", "".join(json.dumps(x) + "\n" for x in lines).encode())
    write_json(model / "progress.json", {"step": 10, "steps": 100, "progress": 0.1})
    for step in (10, 20):
        write_bytes(model / "previews" / f"step-{step:08d}.png", encode_png(texture(64, 64)))
    put(job, "running", step="train", runner=this_process())
    app = sound(open_page("training", job=job))
    said = texts(app)
    assert "running" in said and "data Textures" in said and "10 min expected" in said
    assert "left in all" not in said, "nothing is known of the steps that follow"
    assert "Train the image model (running)" in said
    assert "held out (skipped): too few held out" in said
    assert len(app.get("plotly_chart")) == 2 and len(app.get("image")) == 1
    slider = app.select_slider(key="training_step_20")
    assert slider.value == 20
    sound(slider.set_value(10).run())
    assert app.get("image")[0].captions == ["Step 10; each 128 px wide"]
    sound(app.button(key="training_stop").click().run())
    assert (jobs_folder() / job / "stop").exists() and "Stopping" in texts(app)


@pytest.mark.parametrize("gone", [True, False])
def test_a_folder_that_becomes_a_model_meanwhile_is_no_error(job, open_page, monkeypatch, gone):
    path = jobs_folder() / job / "model" / "previews" / "step-00000010.png"
    write_bytes(path, encode_png(texture(64, 64)))
    put(job, "running", step="train", runner=this_process())

    def read(source, name):
        path.unlink() if gone else path.write_bytes(b"nothing")
        return read_image(source, name)

    monkeypatch.setattr(training_report, "read_image", read)
    app = open_page("training", job=job)
    assert not app.exception if gone else app.exception, "a damaged picture is no such thing"
    assert "Reconstructions as they improve" in texts(app) and not app.get("image")


def test_a_denoiser_that_trains_shows_its_curve_and_the_time_left_in_all(data, open_page):
    request = JobRequest(
        name="mine", data=str(data), data_name="Textures", preset="quick", config={},
        denoise_minutes=2.0, expected_s=dict.fromkeys(STEPS, 600.0),
    )  # fmt: skip
    number = queue.submit(request).id
    folder = jobs_folder() / number / "model" / "denoiser-training"
    lines = [
        {"kind": "train", "step": step, "loss": 9.0 / step, "seconds_left": 60.0}
        for step in (25, 50)
    ]
    write_bytes(folder / "metrics.jsonl", "".join(json.dumps(x) + "\n" for x in lines).encode())
    write_json(folder / "progress.json", {"step": 50, "steps": 100, "progress": 0.5})
    put(number, "running", step="denoise", done={"train": 1.0}, runner=this_process())
    app = sound(open_page("training", job=number))
    # A minute of the denoiser, then encoding, the network, what is usual and examples.
    assert "about 41 min left in all" in texts(app)
    assert len(app.get("plotly_chart")) == 1 and "finding pictures under noise" in texts(app)


def test_a_model_whose_latents_could_not_be_named_can_be_used(job, with_model, open_page):
    shutil.copytree(with_model, models_folder() / "mine")
    write_json(models_folder() / "mine" / "job.json", {"job": job})
    put(job, "running", step="labels")
    put(job, "failed", message="no latent is active")
    app = open_page("training", size="256")
    assert not app.exception and "no latent is active" in app.error[0].value
    assert "Name the latents" in app.error[0].value
    assert "can be used; only its latents have no names yet" in texts(app)
    assert app.button(key="training_resume")
    app.button(key="training_use").click().run()
    assert app.session_state["chosen_model"] == "mine"


def test_a_job_in_the_queue_is_stopped_resumed_and_removed_by_clicks(job, open_page):
    app = sound(open_page("training"))
    sound(app.button(key="training_stop").click().run())
    assert find(job).status.state == "stopped" and "It can be resumed" in texts(app)
    sound(app.button(key="training_resume").click().run())
    assert find(job).status.state == "queued"
    sound(app.button(key="training_stop").click().run())
    sound(app.button(key="training_remove").click().run())
    assert jobs() == [] and "No model has been trained" in texts(app)


def missed(app) -> bool:
    """Whether the page says that a job is not there."""
    return any("There is no job" in box.value for box in app.warning)


def test_a_job_that_was_just_started_is_removed_without_a_warning(data, job, open_page):
    app = open_page("training")
    sound(app.button(key="training_start").click().run())
    app.button(key="training_stop").click().run()
    sound(app.button(key="training_remove").click().run())
    assert app.selectbox(key="training_job_chosen").value == job and not missed(app)


def test_a_job_that_another_visitor_removed_is_said_once(data, job, open_page):
    app = open_page("training")
    sound(app.button(key="training_start").click().run())
    other = next(found.id for found in jobs() if found.id != job)
    queue.stop(other)
    queue.remove(other)
    assert missed(app.run())
    assert not missed(app.run()) and job in app.query_params["job"]


def test_a_job_that_is_claimed_while_it_is_shown_is_no_error(job, open_page, monkeypatch):
    monkeypatch.setattr(queue, "waiting", lambda: [])
    app = sound(open_page("training"))
    assert "in the queue" in texts(app) and "before this one" not in texts(app)


def test_a_failed_job_says_why_in_words(job, open_page):
    put(job, "running", step="learn")
    put(job, "failed", message="3 specimens; a network needs at least 5")
    (jobs_folder() / job / "log.txt").write_text("what was said")
    app = open_page("training")
    assert not app.exception
    (error,) = app.error
    assert "Fit the network" in error.value and "a network needs at least 5" in error.value
    assert app.code[0].value == "what was said"


def test_a_job_whose_process_is_gone_shows_as_failed(job, open_page):
    gone = replace(this_process(), started="long ago")
    put(job, "running", step="train", runner=gone)
    app = open_page("training")
    assert "ended without a word" in app.error[0].value.replace("\\", "")
    sound(app.button(key="training_resume").click().run())
    assert find(job).status.state == "queued"


def test_a_finished_model_is_chosen_by_a_click(job, with_model, open_page):
    shutil.copytree(with_model, models_folder() / "mine")
    put(job, "finished")
    app = sound(open_page("training", size="256"))
    assert "The model is ready" in texts(app)
    sound(app.button(key="training_use").click().run())
    assert app.session_state["chosen_model"] == "mine"
    assert [model.id for model in state.models()] == ["reference", "mine"]


def test_an_unknown_job_in_the_address_is_said(job, open_page):
    app = sound(open_page("training", job="gone"))
    assert missed(app)
    assert load_request(jobs_folder() / job).name == "mine"


def test_turned_off_nothing_is_offered(job, open_page, monkeypatch):
    monkeypatch.setenv(permission.VARIABLE, "off")
    app = sound(open_page("training"))
    assert "turned off on this server" in texts(app)
    assert [button.key for button in app.button] == ["guide_open"]


def test_charts_have_axes_and_both_curves():
    training = {"relative": Curve((1, 2), (0.5, 0.4)), "loss": Curve((1, 2), (9.0, 8.0))}
    figure = error_curves(training, {"relative": Curve((2,), (0.45,))})
    assert [trace.name for trace in figure.data] == ["training patches", "patches held out"]
    assert figure.layout.xaxis.title.text == "step of training"
    assert figure.layout.yaxis.title.text == "relative style error"
    assert list(loss_curve(training).data[0].y) == [9.0, 8.0]
    assert not loss_curve({}).data and not error_curves({}, {}).data


def test_a_damaged_job_is_shown_and_can_be_removed(job, open_page):
    (jobs_folder() / job / "status.json").write_text("{")
    app = sound(open_page("training"))
    assert f"The job {job} is damaged and left out" in texts(app)
    app.button(key=f"training_remove_{job}").click().run()
    assert not (jobs_folder() / job).exists() and "damaged" not in texts(app)


def test_a_workspace_that_cannot_be_written_is_said_and_jobs_are_still_shown(
    job, open_page, monkeypatch
):
    def refuse() -> None:
        raise StorageError("the queue cannot be written: Read-only file system")

    monkeypatch.setattr(queue, "start_runner", refuse)
    app = open_page("training")
    assert "Read-only file system" in app.error[0].value and not app.exception
    assert app.selectbox(key="training_job_chosen").value == job
