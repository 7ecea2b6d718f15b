"""What the page *Training* shows of a job: its steps, curves, pictures, log; stop and resume."""

import json
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from core.errors import InputError, MicroDesignError
from core.images import read_image
from core.jobs import queue
from core.jobs.progress import (
    Denoising,
    Progress,
    progress_of,
    read_log,
    seconds_left,
    seconds_run,
    steps_of,
)
from core.jobs.publishing import is_published
from core.jobs.queue import Job, find
from core.jobs.request import TITLES
from dashboard import (
    address,
    components,
    data_session,
    errors,
    figures,
    pictures,
    places,
    training_figures,
)
from dashboard import training_actions as actions
from dashboard.errors import escape
from dashboard.wording import duration

REFRESH_S = 2.0
STATES = {
    "queued": ":material/schedule: in the queue",
    "running": ":material/play_circle: running",
    "stopped": ":material/pause_circle: stopped",
    "failed": ":material/error: failed",
    "finished": ":material/check_circle: finished",
}
STEP_STATES = {
    "done": ":material/check:",
    "running": ":material/play_arrow:",
    "failed": ":material/error:",
    "stopped": ":material/pause:",
    "skipped": ":material/skip_next:",
    "waiting": ":material/schedule:",
}


def show_job(number: str) -> None:
    """Show a job; the view refreshes itself while it waits or runs."""
    active = find(number).status.active
    st.fragment(_body, run_every=REFRESH_S if active else None)(number, active)


def _body(number: str, was_active: bool) -> None:
    job = find(number)
    if was_active and not job.status.active:
        st.rerun()  # the whole page: refreshing ends, the model may be chosen
    with st.container(border=True, key="training_job"):
        st.subheader(escape(job.request.name), anchor=False)
        if _learns_synthetic(job):
            components.synthetic_badge()
        progress = progress_of(job)
        _state(job, progress)
        _buttons(job)
        _steps(job)
        _training(job, progress)
        _pictures(progress, job.request.config.get("model", {}).get("patch_px", 128))
        with st.expander("Log"):
            st.code(
                places.shown(read_log(job)[-20_000:]) or "Nothing has been said yet.", language=None
            )
        with st.expander("Settings"):
            st.code(json.dumps(dict(job.request.config), indent=1), language="json")


def _learns_synthetic(job: Job) -> bool:
    """Tell whether its data are known to be simulated; a data set that is gone tells nothing."""
    folder = data_session.data_sets().get(Path(job.request.data).name)
    try:
        return folder is not None and data_session.load(folder).synthetic
    except MicroDesignError:
        return False


def _state(job: Job, progress: Progress) -> None:
    """Say what the job does, and how it ended."""
    status, request = job.status, job.request
    run = seconds_run(job)
    parts = [
        STATES[status.state],
        f"data {escape(request.data_name)}",
        f"preset {escape(request.preset)}",
    ]
    if run is not None:
        parts.append(f"{duration(run)} so far" if status.active else f"took {duration(run)}")
    left = seconds_left(job, progress)
    if left is not None:
        parts.append(f"about {duration(left)} left in all")
    if request.estimate_s:
        parts.append(f"{duration(request.estimate_s)} expected")
    st.markdown(" · ".join(parts))
    if status.state == "failed":
        where = TITLES.get(status.step)
        st.error(escape(f"{f'{where}: ' if where else ''}{status.message}"))
        st.caption("The log below says more. Resuming goes on from the last checkpoint.")
    elif status.state == "stopped":
        st.info(escape(f"{status.message[:1].upper()}{status.message[1:]}. It can be resumed."))
    elif status.state == "queued":
        waiting = [other.id for other in queue.waiting()]
        if job.id in waiting:  # it may have begun since its state was read
            ahead = waiting.index(job.id)
            st.caption(f"One job runs at a time; {ahead} in the queue before this one.")
    if is_published(job):
        _ready(job)


def _ready(job: Job) -> None:
    """Say that the model can be used, whatever becomes of the names of its latents."""
    if job.status.state == "finished":
        st.success("The model is ready: choose it in the sidebar, or open it here.")
    else:
        st.info("The model is ready and can be used; only its latents have no names yet.")
    st.button(
        "Design with this model",
        type="primary",
        key="training_use",
        on_click=_choose,
        args=(job.request.name,),
    )
    if st.session_state.pop("training_go", False):
        st.switch_page("views/inverse_design.py")


def _choose(name: str) -> None:
    components.choose(name)
    st.session_state["training_go"] = True


def _buttons(job: Job) -> None:
    """Offer what can be done with the job in its state."""
    with st.container(horizontal=True):
        if job.status.active:
            _button("Stop", "training_stop", lambda: actions.stop(job.id))
            if (job.folder / "stop").exists():
                st.caption("Stopping: it ends its step and leaves a checkpoint.")
        if job.status.resumable:
            _button("Resume", "training_resume", lambda: actions.resume(job.id))
        if not job.status.active:
            _button("Remove from this list", "training_remove", lambda: _remove(job.id))


def remove(number: str) -> None:
    """Remove a job that is damaged (a click's callback)."""
    with errors.shown():
        _remove(number)


def _remove(number: str) -> None:
    """Remove a job, and its number from the address."""
    actions.remove(number)
    if address.restored("training", ["job"]).get("job") == number:
        address.keep("training", {"job": None})


def _button(label: str, key: str, act: Callable[[], None]) -> None:
    if st.button(label, key=key):
        try:
            act()
        except MicroDesignError as error:  # its state has changed meanwhile, or a full disk
            st.warning(escape(str(error)))
        else:
            st.rerun()


def _steps(job: Job) -> None:
    lines = []
    for step, state, seconds in steps_of(job):
        extra = f", {duration(seconds)}" if seconds is not None else ""
        why = f": {escape(job.request.skipped[step])}" if state == "skipped" else ""
        lines.append(f"{STEP_STATES[state]} {TITLES[step]} ({state}{extra}){why}")
    st.markdown("  \n".join(lines))


def _training(job: Job, progress: Progress) -> None:
    """Show how far the training is, and its curves."""
    if job.status.state == "running" and job.status.step == "train":
        left = progress.seconds_left
        told = (
            "starting: reading pictures and weights" if left is None else f"{duration(left)} left"
        )
        st.progress(
            progress.share, f"Training: step {progress.step}, {progress.share:.0%} done, {told}"
        )
    if job.status.state == "running" and job.status.step == "denoise":
        _denoising(progress.denoiser)
    if progress.training:
        _curves(progress)
    if progress.denoiser is not None and progress.denoiser.training:
        st.markdown("**The denoiser**: its error at finding pictures under noise; lower is better.")
        st.plotly_chart(
            training_figures.loss_curve(progress.denoiser.training),
            key="training_denoiser_loss",
            config=figures.CONFIG,
            alt="Loss of the denoiser against the step of its training; lower is better",
        )


def _curves(progress: Progress) -> None:
    """Show the curves of the image model's training."""
    left_side, right_side = st.columns(2)
    left_side.plotly_chart(
        training_figures.error_curves(progress.training, progress.validation),
        key="training_errors",
        config=figures.CONFIG,
        alt="Relative style error against the step of training; lower is better",
    )
    right_side.plotly_chart(
        training_figures.loss_curve(progress.training),
        key="training_loss",
        config=figures.CONFIG,
        alt="Loss against the step of training",
    )


def _denoising(found: Denoising | None) -> None:
    """Show how far the denoiser's training is."""
    if found is None:
        st.progress(0.0, "Denoiser: reading pictures and the latents of their cells")
        return
    left = "starting" if found.seconds_left is None else f"{duration(found.seconds_left)} left"
    st.progress(found.share, f"Denoiser: step {found.step}, {found.share:.0%} done, {left}")


def _pictures(progress: Progress, side_px: int) -> None:
    """Show patches held out and what the model makes of them, at any evaluation so far."""
    steps = list(progress.previews)
    if not steps:
        return
    st.markdown("**Reconstructions as they improve**: patches above, what the model makes below.")
    shown = steps[-1]
    if len(steps) > 1:
        shown = st.select_slider("Step", steps, steps[-1], key=f"training_step_{steps[-1]}")
    path = progress.previews[shown]
    try:
        picture = read_image(path, f"step {shown}")
    except InputError:
        if path.exists():
            raise
        return  # the folder has just become a model's; the next view, seconds on, finds it there
    st.image(
        pictures.with_scale_bar(picture.pixels, picture.um_per_px),
        output_format="PNG",
        caption=f"Step {shown}; each {side_px} px wide",
        alt=f"Patches and their reconstructions at step {shown}",
    )
