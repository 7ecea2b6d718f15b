"""Every kind of file that the program writes: how it is made, changed, and looked at.

`Subject.look` returns "old" or "new", and fails on anything in between.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from bayesnet.fit_files import NETWORK, PROPERTIES, replace_fit, write_fit
from bayesnet.learn import NetworkConfig, fit_network
from bayesnet.library import delete_design, list_designs, save_design, set_note
from bayesnet.network import Network
from core.checkpoint import load_model, save_model
from core.columns import Column
from core.dataset import load_dataset
from core.denoiser.network import Denoiser, DenoiserConfig
from core.denoiser.store import load_denoiser, save_denoiser
from core.encode import LatentTable, load_latents, save_latents
from core.files import read_json, write_bytes, write_text
from core.folders import new_folder, recover_folder, replace_folder
from core.import_data.write import write_dataset
from core.jobs import queue
from core.jobs.queue import damaged, find, jobs, remove
from core.jobs.request import JobRequest
from core.jobs.runner import publish
from core.jobs.status import changed, load_status, save_status
from core.model import ModelConfig, TextureVAE
from core.properties import PropertyModel, fit_properties
from core.results import write_result
from core.training_state import load_state, save_state
from core.workspace import models_folder
from tests.bayesnet.simulator import simulate
from tests.core.import_data.test_preflight import plan_of
from tests.recipes import grey_noise, make_recipe

CONFIG = ModelConfig(
    latents=4, channels=(8, 8, 8, 8, 8), hidden=8, patch_px=32, backbone_sha256="0" * 64
)
WHOLE = plan_of()
PLAN = replace(WHOLE, files=WHOLE.files[:2], crops=WHOLE.crops[:2], table=WHOLE.table[:2])
COLUMN = Column("mg_wt", "wt%", "Magnesium", "process", "numeric")


@dataclass(frozen=True, slots=True)
class Subject:
    """A kind of file or folder.

    Attributes:
        name: for people.
        prepare: makes the old state in an empty folder.
        act: turns old into new; may be done again after a crash.
        look: tells which of the two there is.
    """

    name: str
    prepare: Callable[[Path], object]
    act: Callable[[Path], object]
    look: Callable[[Path], str]


def _vae(value: float) -> TextureVAE:
    vae = TextureVAE(CONFIG).requires_grad_(False)
    for tensor in (*vae.parameters(), *vae.buffers()):
        tensor.fill_(value)
    return vae


def _which(value: float) -> str:
    return {1.0: "old", 2.0: "new"}[float(value)]


# --- training: checkpoint and model ---


def _checkpoint(value: int, root: Path) -> None:
    vae, ema = _vae(value), _vae(value)
    optimiser = torch.optim.Adam(vae.parameters())
    for parameter in vae.parameters():
        moments = {"exp_avg": torch.full_like(parameter, value)}
        moments["exp_avg_sq"] = moments["exp_avg"].clone()
        optimiser.state[parameter] = {"step": torch.tensor(float(value)), **moments}
    about = {"step": value, "seconds": 1.0 * value, "latest": {}}
    save_state(root / "checkpoint", vae, ema, optimiser, about)


def _look_checkpoint(root: Path) -> str:
    vae, ema = _vae(0.0), _vae(0.0)
    about = load_state(root / "checkpoint", vae, ema, torch.optim.Adam(vae.parameters()), {})
    values = {float(p.unique()) for module in (vae, ema) for p in module.parameters()}
    assert values == {float(about["step"])}, (values, about["step"])
    return _which(about["step"])


def _model(value: float, root: Path) -> None:
    save_model(root / "model", _vae(value), {"name": str(value)})


def _look_model(root: Path) -> str:
    loaded = load_model(root / "model", backbone=False)
    assert loaded.manifest["name"] == str(float(loaded.vae.head.mu.weight[0, 0]))
    return _which(loaded.vae.head.mu.weight[0, 0])


def _denoiser(value: float, root: Path) -> None:
    network = Denoiser(DenoiserConfig(latents=4, channels=(8,), width=8)).requires_grad_(False)
    for tensor in network.parameters():
        tensor.fill_(value)
    save_denoiser(root / "model", network, {"model_hash": "m" * 64, "steps": int(value)})


def _look_denoiser(root: Path) -> str:
    found = load_denoiser(root / "model", "m" * 64)
    values = {float(p.unique()) for p in found.network.parameters()}
    assert values == {float(found.about["steps"])}, (values, found.about["steps"])
    return _which(values.pop())


def _latents(value: float, root: Path) -> None:
    names = [f"s{i}" for i in range(int(2 * value))]  # another number of rows as well
    count = len(names)
    table = LatentTable(
        mu=np.full((count, 4), value, np.float32),
        logvar=np.zeros((count, 4), np.float32),
        specimen=np.array(names),
        file=np.array([f"{name}.png" for name in names]),
        corner=np.zeros((count, 2), np.int32),
        specimens=pd.DataFrame({"mg_wt": value}, index=pd.Index(names, name="specimen")),
        columns=(COLUMN,),
        data_name="Data",
        data_hash="d" * 64,
        model_hash="m" * 64,
        synthetic=True,
    )
    save_latents(root / "latents", table)


def _look_latents(root: Path) -> str:
    table = load_latents(root / "latents")
    values = {*table.mu.ravel().tolist(), *table.specimens["mg_wt"].tolist()}
    assert len(values) == 1 and len(table.mu) == 2 * table.mu[0, 0], values
    return _which(table.mu[0, 0])


# --- network and property models, which are of one fit ---


@cache
def _fitted() -> tuple[Network, PropertyModel]:
    table = simulate(specimens=12)
    config = NetworkConfig(regimes=(1,), factors=(2,), structures=("full",))
    return fit_network(table, config), fit_properties(table)


def _fit(write: Callable[..., None], value: float, root: Path) -> None:
    network, fitted = (replace(part, notes=(str(value),)) for part in _fitted())
    write(root / "fit", network, fitted)


def _look_fit(root: Path) -> str:
    folder = root / "fit"
    parts = Network.load(folder / NETWORK), PropertyModel.load(folder / PROPERTIES)
    (value,) = {note for part in parts for note in part.notes}
    return _which(float(value))


# --- jobs (`MICRODESIGN_WORKSPACE` is the folder) ---


def _submit(name: str, root: Path) -> str:
    data = root / "data" / "Data"
    if not data.exists():
        write_text(data / "manifest.csv", "file,specimen\n")
    asked = {"preset": "quick", "config": {"steps": 1}, "data_name": "Data"}
    for job in jobs():
        if job.request.name == name:
            return job.id  # it was there before the crash
    return queue.submit(JobRequest(name=name, data=str(data), **asked)).id


def _look_jobs(root: Path) -> str:
    assert not damaged(), damaged()
    names = [job.request.name for job in jobs()]
    assert names in (["first"], ["second", "first"], ["first", "second"]), names
    assert all(job.status.state == "queued" for job in jobs())
    return "new" if len(names) == 2 else "old"


def _one(root: Path) -> Path:
    (job,) = jobs()
    return job.folder


def _advance(root: Path) -> None:
    folder = _one(root)
    save_status(folder, changed(load_status(folder), "stopped", message="new"))


def _look_status(root: Path) -> str:
    status = load_status(_one(root))
    assert (status.state, status.message) in (("queued", ""), ("stopped", "new")), status
    return "new" if status.message else "old"


def _trained(root: Path) -> None:
    number = _submit("mine", root)
    model = find(number).folder / "model"
    write_bytes(model / "trained", b"whole")
    write_bytes(model / "checkpoint" / "state.json", b"{}")


def _finish(root: Path) -> None:
    publish(find(jobs()[0].id))


def _look_published(root: Path) -> str:
    assert not damaged(), damaged()
    (job,) = jobs()
    places = [p for p in (job.folder / "model", models_folder() / "mine") if p.exists()]
    assert len(places) == 1 and (places[0] / "trained").read_bytes() == b"whole", places
    assert job.status.state == "queued" or places[0].parent == models_folder()
    return "new" if job.status.state == "finished" else "old"


def _remove(root: Path) -> None:
    for job in jobs():
        if job.status.active:
            queue.stop(job.id)
        remove(job.id)


def _look_removed(root: Path) -> str:
    assert not damaged(), damaged()
    return "old" if jobs() else "new"


# --- designs ---


def _designs(root: Path) -> Path:
    return root / "designs"


def _save(seed: int, root: Path) -> None:
    save_design(_designs(root), make_recipe(seed=seed), grey_noise(), "old")


def _look_designs(root: Path) -> str:
    saved, broken = list_designs(_designs(root))
    assert not broken, broken
    assert all(one.pixels.shape == (128, 128) and one.note == "old" for one in saved)
    seeds = sorted(one.recipe.seed for one in saved)
    assert seeds in ([1], [1, 2]), seeds
    return "new" if len(seeds) == 2 else "old"


def _note(root: Path) -> None:
    set_note(_designs(root), list_designs(_designs(root))[0][0].id, "new")


def _look_note(root: Path) -> str:
    ((one,), broken) = list_designs(_designs(root))
    assert not broken and one.note in ("old", "new"), one.note
    return one.note


def _delete(root: Path) -> None:
    for one in list_designs(_designs(root))[0]:
        delete_design(_designs(root), one.id)


def _look_deleted(root: Path) -> str:
    saved, broken = list_designs(_designs(root))
    assert not broken and len(saved) <= 1, broken
    return "old" if saved else "new"


# --- data sets, results, folders ---


def _import(root: Path) -> None:
    if not (root / "data" / "mine").exists():
        write_dataset(PLAN, (), root / "data", "mine")


def _look_data(root: Path) -> str:
    shown = [path for path in (root / "data").iterdir() if not path.name.startswith(".")]
    if not shown:
        return "old"
    assert shown == [root / "data" / "mine"], shown
    data = load_dataset(shown[0])
    assert len([data.read(i) for i in range(len(data))]) == len(PLAN.files)
    return "new"


def _result(value: float, root: Path) -> None:
    write_result("faults", {"value": [value] * 1000}, root)


def _look_result(root: Path) -> str:
    return _which(read_json(root / "faults.json")["value"][-1])


def _folder(value: float, root: Path) -> None:
    with new_folder(root) as made:
        for name in ("a.json", "b.json"):
            write_text(made / name, json.dumps(value))
        replace_folder(made, root / "reference")


def _look_folder(root: Path) -> str:
    (value,) = {json.loads((root / "reference" / n).read_text()) for n in ("a.json", "b.json")}
    return _which(value)


def _folder_slowly(root: Path) -> None:
    """As on a system that cannot exchange two folders in one step."""
    import core.folders

    core.folders._exchanged = lambda one, other: False  # in the child only
    _folder(2.0, root)


def _look_recovered(root: Path) -> str:
    recover_folder(root / "reference")
    return _look_folder(root)


def _nothing(root: Path) -> None:
    (root / "data").mkdir()


SUBJECTS = {
    one.name: one
    for one in (
        Subject("checkpoint", partial(_checkpoint, 1), partial(_checkpoint, 2), _look_checkpoint),
        Subject("model", partial(_model, 1.0), partial(_model, 2.0), _look_model),
        Subject("denoiser", partial(_denoiser, 1.0), partial(_denoiser, 2.0), _look_denoiser),
        Subject("latents", partial(_latents, 1.0), partial(_latents, 2.0), _look_latents),
        *(
            Subject(name, partial(_fit, write, 1.0), partial(_fit, write, 2.0), _look_fit)
            for name, write in (("network fitted anew", replace_fit), ("fit of a model", write_fit))
        ),
        Subject("job submitted", partial(_submit, "first"), partial(_submit, "second"), _look_jobs),
        Subject("status of a job", partial(_submit, "first"), _advance, _look_status),
        Subject("model of a job published", _trained, _finish, _look_published),
        Subject("job removed", partial(_submit, "first"), _remove, _look_removed),
        Subject("design saved", partial(_save, 1), partial(_save, 2), _look_designs),
        Subject("note of a design", partial(_save, 1), _note, _look_note),
        Subject("design deleted", partial(_save, 1), _delete, _look_deleted),
        Subject("data set imported", _nothing, _import, _look_data),
        Subject("result", partial(_result, 1.0), partial(_result, 2.0), _look_result),
        Subject("folder replaced", partial(_folder, 1.0), partial(_folder, 2.0), _look_folder),
        Subject("folder, in two steps", partial(_folder, 1.0), _folder_slowly, _look_recovered),
    )
}
