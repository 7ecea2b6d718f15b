"""The queue: one at a time, in order, stopped and resumed, and what is killed is said to be."""

import os
import shutil
import signal
import sys
import time
from dataclasses import replace

import pytest

from core.errors import CheckpointError, ConfigError, InputError
from core.files import read_json
from core.jobs import queue, runner
from core.jobs.__main__ import main
from core.jobs.process import Process, identify, is_alive, this_process
from core.jobs.progress import read_log, steps_of
from core.jobs.publishing import is_published, model_folder
from core.jobs.queue import damaged, find, jobs, remove, resume, runner_works, stop, waiting
from core.jobs.request import STEPS, TRAVERSALS, JobRequest, load_request
from core.jobs.runner import Runner, last_words
from core.jobs.status import Status, load_status, observed, save_status
from core.locks import tried
from core.openmp import BRIEF, SPINS
from core.workspace import jobs_folder, models_folder
from tests.core.jobs.conftest import until, until_begun
from tests.core.jobs.fakes import command, request


@pytest.mark.parametrize(("before", "told"), [(SPINS, BRIEF), ("77", "77")])
def test_steps_leave_the_cores_to_others_unless_somebody_has_set_it(
    submit, monkeypatch, before, told
):
    monkeypatch.setenv("GOMP_SPINCOUNT", before)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    says = "import os; print('spins', os.environ['GOMP_SPINCOUNT'])"

    def saying(job: queue.Job, step: str, resume: bool) -> list[str]:
        if step == "train":
            return list(command(job, step, resume))
        return [sys.executable, "-c", says]

    number = submit("mine")
    Runner(saying).run()
    assert f"spins {told}\n" in read_log(find(number))


def test_a_job_does_its_steps_and_its_model_appears_where_models_are(submit):
    number = submit("mine", skipped={"reference": "too few"})
    assert find(number).status.state == "queued" and not models_folder().exists()
    Runner(command).run()
    job = find(number)
    assert (job.status.state, job.status.step, job.status.message) == ("finished", "", "")
    assert list(job.status.done) == ["train", "denoise", "encode", "learn", "examples", "labels"]
    assert job.status.runner is None and job.status.ended >= job.status.started
    assert (models_folder() / "mine" / "trained").read_text() == "begun "
    assert not (models_folder() / "mine" / "denoiser-training").exists(), "of no use any more"
    assert read_json(models_folder() / "mine" / "job.json")["job"] == number
    assert not (job.folder / "model").exists() and not (job.folder / TRAVERSALS).exists()
    assert "trained begun" in read_log(job)
    states = {step: state for step, state, _ in steps_of(job)}
    assert states == dict.fromkeys(STEPS, "done") | {"reference": "skipped"}


def test_the_queue_is_served_in_order(submit, monkeypatch):
    numbers = [submit(f"m{i}") for i in range(3)]
    assert [job.id for job in waiting()] == numbers
    began = []

    def noted(job, step, again):
        began.append((job.id, step))
        return command(job, step, again)

    Runner(noted).run()
    assert [number for number, step in began if step == "train"] == numbers
    assert [step for number, step in began if number == numbers[0]] == list(STEPS)
    assert {find(number).status.state for number in numbers} == {"finished"}


def test_a_failing_step_is_told_in_its_own_last_words_and_the_next_job_goes_on(submit):
    bad, good = submit("fail1"), submit("good")
    Runner(command).run()
    job = find(bad)
    assert (job.status.state, job.status.step) == ("failed", "learn")
    assert job.status.message == "two words that say why"
    assert not (models_folder() / "fail1").exists()
    assert find(good).status.state == "finished"
    assert steps_of(job)[3] == ("learn", "failed", None)


def test_a_failed_job_is_resumed_after_what_is_done(submit):
    number = submit("fail1")
    Runner(command).run()
    resume(number)
    assert find(number).status.state == "queued" and find(number).status.message == ""
    again = []

    def mended(job, step, resumed):
        again.append(step)
        return command(job, "encode", resumed)

    Runner(mended).run()
    assert again == ["learn", "reference", "examples", "labels"]
    assert find(number).status.state == "finished"


def test_naming_that_fails_leaves_a_model_to_use_and_is_resumed_alone(submit):
    number = submit("nameless")
    Runner(command).run()
    job = find(number)
    assert (job.status.state, job.status.step) == ("failed", "labels")
    assert is_published(job) and model_folder(job) == models_folder() / "nameless"
    assert (model_folder(job) / "trained").read_text() == "begun "
    resume(number)
    again = []

    def mended(job, step, resumed):
        again.append((step, job.request.arguments(step, job.folder, resumed)[3]))
        return command(job, "encode", resumed)

    Runner(mended).run()
    assert again == [("labels", str(models_folder() / "nameless"))]
    assert find(number).status.state == "finished"


def test_naming_that_is_stopped_leaves_a_model_to_use(submit):
    number = submit("mine")

    def stopped(job, step, again):
        if step == "labels":
            (job.folder / TRAVERSALS).mkdir()
            stop(number)
            return [sys.executable, "-c", "import time; time.sleep(60)"]
        return command(job, step, again)

    Runner(stopped).run()
    job = find(number)
    assert (job.status.state, job.status.step) == ("stopped", "labels")
    assert is_published(job) and job.status.resumable
    assert (job.folder / TRAVERSALS).exists(), "what it goes on from"
    resume(number)
    Runner(lambda job, step, again: command(job, "encode", again)).run()
    assert find(number).status.state == "finished" and not (job.folder / TRAVERSALS).exists()


def test_a_model_removed_before_its_latents_are_named_is_missed_in_words(submit):
    number = submit("nameless")
    Runner(command).run()
    shutil.rmtree(models_folder() / "nameless")
    resume(number)
    Runner(command).run()
    assert "has been removed" in find(number).status.message
    assert not (models_folder() / "nameless").exists() and not is_published(find(number))


def test_a_step_that_the_system_kills_is_said(submit):
    number = submit("killed")
    Runner(command).run()
    assert "it was killed, most likely because the memory ran out" in find(number).status.message


def test_stopping_leaves_a_checkpoint_and_resuming_goes_on_from_it(submit, in_thread):
    number = submit("slow")
    in_thread()
    until_begun(number)
    assert runner_works()
    with pytest.raises(InputError, match="only stopped ones are resumed"):
        resume(number)
    with pytest.raises(InputError, match="stop it first"):
        remove(number)
    stop(number)
    job = until(number, "stopped")
    assert job.status.message == "stopped by hand" and job.status.resumable
    assert (job.folder / "model" / "checkpoint" / "state.json").is_file()
    resume(number)
    Runner(command).run()
    until(number, "finished")
    assert "resumed" in read_log(find(number))
    assert not (models_folder() / "slow" / "checkpoint").exists()


def test_a_stopped_job_makes_room_for_the_next(submit, in_thread):
    slow, next_one = submit("slow"), submit("next")
    in_thread()
    until_begun(slow)
    assert find(next_one).status.state == "queued"
    stop(slow)
    until(next_one, "finished")
    assert find(slow).status.state == "stopped"


def test_a_job_in_the_queue_is_stopped_without_running(submit):
    number = submit("mine")
    stop(number)
    assert find(number).status.message == "stopped in the queue"
    Runner(command).run()
    assert find(number).status.state == "stopped" and not models_folder().exists()


def test_a_step_that_does_not_hear_is_killed_after_a_while(submit, in_thread):
    number = submit("deaf")
    in_thread(grace_s=0.5)
    until_begun(number)
    stop(number)
    assert until(number, "stopped").status.message == "stopped by hand"


def test_ending_the_runner_stops_its_job_and_leaves_the_queue(submit, in_process):
    slow, next_one = submit("slow"), submit("next")
    process = in_process()
    until_begun(slow)
    process.terminate()
    assert process.wait(30) == 0
    assert find(slow).status.message == "the machine or its user ended the queue"
    assert find(next_one).status.state == "queued"


def test_a_killed_runner_shows_as_failed_and_can_be_resumed(submit, in_process):
    number = submit("slow")
    process = in_process()
    job = until_begun(number)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(30)
    # What it started goes on, and holds the lock: no second job beside it.
    assert observed(job.folder).state == "running" and runner_works()
    Runner(command).run()
    assert is_alive(job.status.child)
    stop(number)  # asks the step itself
    failed = until(number, "failed")
    assert "ended without a word" in failed.status.message
    assert not runner_works()
    resume(number)
    Runner(command).run()
    assert find(number).status.state == "finished"


def test_a_number_used_again_is_another_process(submit):
    number = submit("mine")
    me = this_process()
    job = find(number)
    recycled = Process(me.pid, "another start")
    save_status(job.folder, Status(state="running", step="train", runner=recycled))
    assert find(number).status.state == "failed"
    save_status(job.folder, Status(state="running", step="train", runner=me))
    assert find(number).status.state == "running"


def test_processes_are_told_apart():
    me = identify(os.getpid())
    assert me is not None and is_alive(me) and me == this_process()
    assert identify(0) is None and identify(2**30) is None and not is_alive(None)
    child = os.fork()
    if child == 0:
        os._exit(0)
    end = time.monotonic() + 10
    while identify(child) is not None and time.monotonic() < end:
        time.sleep(0.01)
    assert identify(child) is None  # a zombie does not run
    os.waitpid(child, 0)


def test_two_runners_do_not_run_side_by_side(submit):
    number = submit("mine")
    with tried(jobs_folder() / queue.RUNNER_LOCK) as handle:
        assert handle is not None
        Runner(command).run()
        assert find(number).status.state == "queued"
    Runner(command).run()
    assert find(number).status.state == "finished"


def test_a_job_submitted_as_the_runner_leaves_is_not_forgotten(submit, monkeypatch):
    first = submit("first")
    late = []

    def claimed():
        job = claim()
        if job is None and not late:
            late.append(submit("late"))  # after the queue was found empty, before the lock is free
        return job

    claim = runner.claim
    monkeypatch.setattr(runner, "claim", claimed)
    Runner(command).run()
    assert find(first).status.state == find(late[0]).status.state == "finished"


def test_names_are_not_used_twice(submit, data):
    number = submit("mine")
    with pytest.raises(InputError, match="under way already"):
        submit("mine")
    Runner(command).run()
    with pytest.raises(InputError, match="is there already"):
        submit("mine")
    remove(number)
    assert jobs() == [] and (models_folder() / "mine").is_dir()
    for name in ("../x", "", "reference", "a/b"):
        with pytest.raises(ConfigError, match="the model's name"):
            request(name, data)


def test_a_name_that_was_taken_meanwhile_fails_with_words_and_keeps_the_model(submit):
    number = submit("mine")
    (models_folder() / "mine").mkdir(parents=True)
    Runner(command).run()
    job = find(number)
    assert "appeared meanwhile" in job.status.message
    (models_folder() / "mine").rmdir()
    resume(number)
    Runner(command).run()
    assert find(number).status.state == "finished"


def test_a_data_set_that_is_gone_is_said_on_submitting(submit, data):
    (data / "manifest.csv").unlink()
    with pytest.raises(InputError, match="there is no data set"):
        submit("mine")


def test_what_goes_wrong_in_the_runner_fails_the_job_only(submit):
    bad, good = submit("bad"), submit("good")

    def broken(job, step, again):
        if job.request.name == "bad":
            raise OSError("no space left on device")
        return command(job, step, again)

    Runner(broken).run()
    assert find(bad).status.message == "no space left on device"
    assert find(good).status.state == "finished"


def test_damaged_jobs_are_left_out_and_refused(submit):
    number = submit("mine")
    folder = jobs_folder() / number
    content = (folder / "status.json").read_text()
    for wrong in ("{", "[]", content.replace('"queued"', '"asleep"', 1), "{}"):
        (folder / "status.json").write_text(wrong)
        with pytest.raises(CheckpointError):
            load_status(folder)
    assert jobs() == []
    (folder / "request.json").write_text('{"name": "x"}')
    with pytest.raises(CheckpointError, match="is damaged"):
        load_request(folder)
    for number in ("../../etc", "20200101-000000-abcd", ""):
        with pytest.raises(InputError, match="there is no job"):
            find(number)


def test_the_last_words_are_those_of_the_step(tmp_path):
    log = tmp_path / "log"
    log.write_text("12:00 error: of the step before\n== learn\nValueError: odd\n\n")
    start = log.read_text().index("== learn")
    assert last_words(log, start, 1) == "ValueError: odd"
    assert last_words(log, 0, 1) == "of the step before"
    log.write_text("")
    assert last_words(log, 0, 3) == "it ended with status 3 and said nothing"


def test_requests_say_how_each_step_is_done(tmp_path):
    asked = JobRequest(
        name="m", data="/d", data_name="D", preset="quick", config={}, init="/r", encode_stride=99
    )
    train = asked.arguments("train", tmp_path, False)
    assert train[:2] == ["-m", "core.train"] and train[-2:] == ["--init", "/r"]
    assert asked.arguments("train", tmp_path, True)[-1] == "--resume"
    assert asked.arguments("encode", tmp_path, False)[-2:] == ["--stride", "99"]
    assert asked.arguments("learn", tmp_path, False)[:2] == ["-m", "bayesnet.learn"]
    assert asked.arguments("reference", tmp_path, False)[-1] == "--held-out"
    assert asked.arguments("examples", tmp_path, False)[:2] == ["-m", "core.examples"]
    named = replace(asked, label_starts=8)
    words = ["-m", "core.labels", "--model", str(models_folder() / "m"), "--data", "/d"]
    kept = ["--work", str(tmp_path / TRAVERSALS)]
    for again in (False, True):
        assert named.arguments("labels", tmp_path, again) == [*words, "--starts", "8", *kept]
    paper = replace(named, config={"model": {"decoder": "paper", "patch_px": 128}})
    assert paper.arguments("labels", tmp_path, False)[-4:] == ["--size", "128", *kept]
    with pytest.raises(ConfigError, match="no step 'sleep'"):
        JobRequest(name="m", data="", data_name="", preset="", config={}, skipped={"sleep": "why"})
    with pytest.raises(ConfigError, match="encode_stride is 0"):
        JobRequest(name="m", data="", data_name="", preset="", config={}, encode_stride=0)


def test_the_command_line_looks_after_the_queue(submit, caplog):
    caplog.set_level("INFO")
    number = submit("mine")
    assert main(["list"]) == 0 and f"{number}  mine  queued" in caplog.text
    assert main(["stop", number]) == 0 and find(number).status.state == "stopped"
    assert main(["resume", number]) == 0 and find(number).status.state == "queued"
    assert main(["remove", number]) == 2 and "stop it first" in caplog.text
    assert main(["stop", "x"]) == 2


def test_a_job_killed_right_after_its_model_was_published_is_finished_by_resuming(submit):
    number = submit("mine")
    Runner(command).run()
    job = find(number)
    dead = Process(2**22 + 1, "long ago")
    save_status(job.folder, replace(job.status, state="running", step="examples", runner=dead))
    assert "Resume it" in find(number).status.message
    resume(number)
    Runner(command).run()
    assert find(number).status.state == "finished"
    assert (models_folder() / "mine" / "trained").read_text() == "begun "


def test_damaged_jobs_are_listed_and_can_be_removed(submit, caplog):
    caplog.set_level("INFO")
    number, other = submit("mine"), submit("other")
    (jobs_folder() / number / "status.json").write_text("{")
    assert [job.id for job in jobs()] == [other] and list(damaged()) == [number]
    assert main(["list"]) == 0 and f"{number}  is damaged" in caplog.text
    with tried(jobs_folder() / queue.RUNNER_LOCK), pytest.raises(InputError, match="no job runs"):
        remove(number)
    remove(number)
    assert damaged() == {} and not (jobs_folder() / number).exists()


def test_looking_at_the_queue_writes_nothing_and_keeps_no_runner_from_it(submit):
    assert not runner_works() and not jobs_folder().exists()
    number = submit("mine")
    assert not runner_works() and not (jobs_folder() / queue.RUNNER_LOCK).exists()
    with tried(jobs_folder() / queue.RUNNER_LOCK):
        assert runner_works()
    Runner(command).run()
    assert find(number).status.state == "finished"
