"""The doctor finds what is broken, says what to do, and leaves what is sound alone."""

import importlib.metadata
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from core.doctor import __main__ as command
from core.doctor import machine, stores
from core.doctor.finding import Finding
from core.doctor.install import check_install
from core.doctor.machine import check_device, check_threads, check_weights, usable_cores
from core.doctor.models import check_model, check_models
from core.doctor.stores import check_workspace
from core.jobs import queue
from core.jobs.process import Process
from core.jobs.status import Status, load_status, save_status
from core.workspace import jobs_folder, models_folder
from tests.core.jobs.fakes import request


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setenv("MICRODESIGN_WORKSPACE", str(tmp_path / "ws"))
    monkeypatch.setattr(queue, "start_runner", lambda: None)
    return tmp_path / "ws"


@pytest.fixture
def model(tiny_model: Path) -> Path:
    folder = models_folder() / "mine"
    shutil.copytree(tiny_model, folder)
    return folder


def only(findings, check: str) -> Finding:
    found = [finding for finding in findings if finding.check == check]
    assert len(found) == 1, [f.check for f in found]
    return found[0]


# --- install ---


def test_this_install_has_what_is_needed():
    assert [f for f in check_install() if f.level == "error"] == []


def test_packages_are_held_against_what_was_tested_and_what_is_needed(tmp_path, monkeypatch):
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nrequires-python = ">=3.99"\ndependencies = ["a>=2", "b>=2", "c>=2", "d"]\n'
    )
    (tmp_path / "requirements.txt").write_text("a==2.5  # tested\nb==2.5\nc==2.5\nd==1\n# x\n")

    def version(name: str) -> str:
        if name == "d":
            raise importlib.metadata.PackageNotFoundError(name)
        return {"a": "2.5", "b": "2.6", "c": "1.0"}[name]

    monkeypatch.setattr(importlib.metadata, "version", version)
    found = {f.check: f for f in check_install(tmp_path)}
    assert set(found) == {"python", "package b", "package c", "package d"}
    assert found["python"].level == "error" and "make run PYTHON=" in found["python"].remedy
    assert (found["package b"].level, found["package c"].level) == ("warning", "error")
    assert found["package c"].message == "is 1.0; >=2 is needed"
    assert found["package d"].message == "is not installed"
    assert all("pip install -r requirements.txt" in found[f"package {n}"].remedy for n in "bcd")
    assert only(check_install(tmp_path / "nowhere"), "install").level == "error"


# --- machine ---


def test_weights_that_are_missing_or_others_are_said_and_not_fetched(tmp_path, monkeypatch):
    monkeypatch.setenv("MICRODESIGN_CACHE", str(tmp_path))
    found = check_weights()
    assert found.level == "error" and "python -m core.vgg" in found.remedy
    (tmp_path / "vgg19-normalised-float16.safetensors").write_bytes(b"damaged")
    found = check_weights()
    assert found.level == "error" and found.remedy.startswith(f"rm {tmp_path}")
    assert list(tmp_path.iterdir()) == [tmp_path / "vgg19-normalised-float16.safetensors"]


def test_weights_that_are_there_are_verified(vgg_weights):
    assert check_weights().message == "verified, sha256 408c1eb1ac16"


def test_too_many_threads_are_a_warning(monkeypatch):
    monkeypatch.setattr(machine, "usable_cores", lambda: 1)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert check_threads().remedy == "set OMP_NUM_THREADS=1"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert check_threads().level == "ok" and usable_cores() >= 1


def test_a_gpu_that_cannot_compute_is_an_error(monkeypatch):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: no kernel image\nmore")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "ones", broken)
    found = check_device()
    assert found.level == "error" and found.message.endswith("CUDA error: no kernel image")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert check_device().level == "ok"


# --- models ---


def test_a_sound_model_is_ok(model: Path):
    found = only(check_models(model), "model mine")
    assert (found.level, found.remedy) == ("ok", "")


def _flip(folder: Path) -> None:
    data = bytearray((folder / "model.safetensors").read_bytes())
    data[-1] ^= 1
    (folder / "model.safetensors").write_bytes(data)


def _foreign(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(content | {"model_hash": "0" * 64}))

    return change


@pytest.mark.parametrize(
    ("damage", "check", "said", "remedy"),
    [
        (_flip, "model mine", "its sha256 differs", "train it again"),
        (shutil.rmtree, "model mine", "cannot read", "train it again"),
        (_foreign("network.json"), "model mine: network.json", "another", "bayesnet.learn"),
        (_foreign("properties.json"), "model mine: properties.json", "another", "bayesnet.learn"),
        (_foreign("reference.json"), "model mine: reference.json", "another", "core.reference"),
        (_foreign("latents/latents.json"), "model mine: latents", "another", "core.encode"),
        (
            lambda f: (f / "latents" / "specimens.csv").write_text("x"),
            "model mine: latents",
            "damaged",
            "core.encode",
        ),
    ],
)
def test_what_is_wrong_with_a_model_is_said(model: Path, damage, check, said, remedy):
    damage(model)
    found = only(check_model("model mine", model, "train it again"), check)
    assert found.level == "error" and said in found.message and remedy in found.remedy


def test_a_model_that_decodes_nothing_is_found(model: Path, monkeypatch):
    monkeypatch.setattr("core.doctor.models.LEAST_CONTRAST", 10.0)
    found = only(check_model("model mine", model, "train it again"), "model mine")
    assert found.level == "error" and "it decodes no picture: grey levels" in found.message


def test_a_folder_that_a_crash_left_beside_its_place_is_brought_back(model: Path):
    model.rename(model.with_name(".mine.old"))
    levels = [f.level for f in check_model("model mine", model, "train it again")]
    assert levels == ["warning", "ok"] and model.is_dir()


# --- workspace ---


def test_a_workspace_that_is_not_there_yet_is_fine(place: Path):
    found = list(check_workspace())
    assert {f.level for f in found if f.check != "disk"} == {"ok"} and not place.exists()


def test_a_workspace_that_cannot_be_written_is_an_error(place: Path, monkeypatch):
    place.write_text("a file")
    assert only(check_workspace(), "workspace").message.endswith("is no folder")
    place.unlink()
    place.mkdir()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("core.files.tempfile.mkstemp", refuse)
    found = only(check_workspace(), "workspace")
    assert found.level == "error" and "Read-only file system" in found.message
    assert "MICRODESIGN_WORKSPACE" in found.remedy


@pytest.mark.parametrize(
    ("free", "level"), [(5 * 2**30, "ok"), (2**30, "warning"), (2**20, "error")]
)
def test_little_room_is_said(monkeypatch, free: int, level: str):
    usage = shutil.disk_usage("/")._replace(free=free)
    monkeypatch.setattr(stores.shutil, "disk_usage", lambda path: usage)
    assert only(check_workspace(), "disk").level == level


def test_damaged_jobs_designs_and_data_sets_are_found(place: Path, tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "manifest.csv").write_text("file,specimen\n")
    number = queue.submit(request("mine", tmp_path / "data")).id
    (jobs_folder() / number / "request.json").write_text("[")
    silent = queue.submit(request("other", tmp_path / "data")).id
    dead = Process(2**22 + 1, "long ago")
    status = Status(state="running", step="train", runner=dead)
    save_status(jobs_folder() / silent, status)
    design = place / "designs" / "20260101-000000-01234567"
    design.mkdir(parents=True)
    (design / "recipe.json").write_text("{}")
    bad = place / "data" / "half"
    bad.mkdir(parents=True)
    (bad / "manifest.csv").write_text("file,specimen\ngone.png,S\n")
    found = {f.check: f for f in check_workspace()}
    assert found[f"job {number}"].remedy == f"python -m core.jobs remove {number}"
    assert found[f"job {silent}"].remedy == f"python -m core.jobs resume {silent}"
    assert "picture.png" in found[f"design {design.name}"].message
    assert "'gone.png' is not a file" in found["data set half"].message
    assert load_status(jobs_folder() / silent) == status, "it only looks"


def test_jobs_that_nobody_runs_are_said(tmp_path: Path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "manifest.csv").write_text("file,specimen\n")
    queue.submit(request("mine", tmp_path / "data"))
    assert only(check_workspace(), "queue").remedy == "python -m core.jobs run --detach"


# --- the command ---


@pytest.fixture
def quick(monkeypatch):
    """Only the workspace is looked at."""
    monkeypatch.setattr(command, "CHECKS", (check_workspace,))


def test_the_command_says_so_in_words_and_for_programs(quick, place: Path, capsys):
    assert command.main([]) == 0
    assert capsys.readouterr().out.rstrip().endswith("everything works")
    place.write_text("a file")
    assert command.main([]) == 1
    said = capsys.readouterr().out
    assert "ERROR    workspace:" in said and "-> set MICRODESIGN_WORKSPACE" in said
    assert command.main(["--json"]) == 1
    content = json.loads(capsys.readouterr().out)
    assert content["ok"] is False
    assert {"check", "level", "message", "remedy"} == set(content["checks"][0])


def test_leftovers_are_removed_where_that_is_asked_for(quick, place: Path, capsys):
    old, young = place / "data" / ".x.1.tmp", place / ".y.2.tmp"
    for path in (old, young):
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_bytes(b"half")
    os.utime(old, (0, time.time() - 7200))
    assert only(check_workspace(), "leftovers").level == "warning"
    assert command.main(["--tidy"]) == 0 and "1 leftovers removed" in capsys.readouterr().out
    assert not old.exists() and young.exists()
