"""Training: choose data and settings; a process of its own trains, whatever the browser does."""

import streamlit as st

from core.jobs import queue
from core.jobs.presets import job_request
from dashboard import address, errors, permission, training_actions, training_form, training_report
from dashboard.errors import escape

st.title("Training", anchor=False)
st.write(
    "A model learns what your microstructures look like and how they hang together with settings "
    "and properties. It trains in a process of its own: close this page or the browser, it goes on."
)
permission.require("train")
with errors.shown():
    queue.ensure_runner()
for number, why in queue.damaged().items():
    st.warning(escape(f"The job {number} is damaged and left out: {why}"))
    st.button(
        "Remove it",
        key=f"training_remove_{number}",
        on_click=training_report.remove,
        args=(number,),
    )
jobs = {job.id: job for job in queue.jobs()}
taken = {job.request.name for job in jobs.values() if job.status.active}
turn = st.session_state.setdefault("training_turn", 0)  # no widget's key

with errors.shown(), st.expander("New training", expanded=not jobs):
    asked = training_form.ask()
    if asked is not None:
        free = training_form.free_name(asked.data, taken)
        with st.form("training_form", border=False):
            name = st.text_input("Name of the model", free, key=f"training_name_{free}_{turn}")
            label = "Add to the queue" if taken else "Start"
            sent = st.form_submit_button(label, type="primary", key="training_start")
        if sent:
            expected = asked.expected.total_s if asked.expected else None
            wanted = job_request(
                asked.data,
                name.strip(),
                asked.preset,
                asked.config,
                asked.init,
                expected,
                asked.denoise_minutes,
                asked.label_starts,
                asked.expected.seconds if asked.expected else None,
            )
            job = training_actions.submit(wanted)
            st.session_state["training_turn"] += 1  # the next model gets a name of its own
            address.keep("training", {"job": job.id})
            st.rerun()

if not jobs:
    st.caption("No model has been trained here yet.")
    st.stop()
active = next((job.id for job in reversed(jobs.values()) if job.status.state == "running"), None)
wanted = address.restored("training", ["job"]).get("job")
if wanted is not None and wanted not in jobs:
    st.warning(escape(f"There is no job {wanted[:40]}; it may have been removed."))
st.session_state["training_job_chosen"] = wanted if wanted in jobs else active or next(iter(jobs))


def choose() -> None:
    """Show the job that was chosen."""
    address.keep("training", {"job": st.session_state["training_job_chosen"]})


chosen = st.selectbox(
    "Trainings, newest first",
    list(jobs),
    format_func=lambda number: f"{jobs[number].request.name}, {jobs[number].status.state}",
    key="training_job_chosen",
    on_change=choose,
)
address.keep("training", {"job": chosen})
with errors.shown():
    training_report.show_job(chosen)
