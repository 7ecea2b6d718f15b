"""Jobs whose steps are small scripts, and a runner of them as a process of its own.

What a job does follows from its model's name: ``fail...`` says why and ends with an error in the
step ``learn``, ``nameless...`` in the step ``labels``, ``slow...`` trains until it is asked to stop
and then leaves a checkpoint, ``deaf...`` does not hear, ``killed...`` is ended by the system; all
others do their steps at once.
"""

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from core.jobs.queue import Job
from core.jobs.request import JobRequest
from core.jobs.runner import Runner

TRAIN = """
import pathlib, sys
model = pathlib.Path(sys.argv[1]); model.mkdir(parents=True, exist_ok=True)
with open(model / "trained", "a") as stream: stream.write(sys.argv[2] + " ")
(model / "denoiser-training").mkdir(exist_ok=True)
print("trained", sys.argv[2])
"""
SLOW = """
import pathlib, signal, sys, time
model = pathlib.Path(sys.argv[1]); (model / "checkpoint").mkdir(parents=True, exist_ok=True)
def stop(number, frame):
    (model / "checkpoint" / "state.json").write_text("{}")
    sys.exit(143)
signal.signal(signal.SIGTERM, stop)
if sys.argv[2] == "resumed": sys.exit(0)
(model / "begun").touch()
time.sleep(60)
"""
DEAF = SLOW.replace(
    "signal.signal(signal.SIGTERM, stop)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"
)
FAIL = "import sys; print('some talk'); sys.exit('12:00:00 error: two words that say why')"
KILLED = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def command(job: Job, step: str, resume: bool) -> Sequence[str]:
    """Return the command of a step, by the model's name."""
    name, model = job.request.name, str(job.folder / "model")
    script = "print('done')"
    if step == "train":
        script = {"slow": SLOW, "deaf": DEAF, "kill": KILLED}.get(name[:4], TRAIN)
    elif (step, name[:4]) in {("learn", "fail"), ("labels", "name")}:
        script = FAIL
    return [sys.executable, "-c", script, model, "resumed" if resume else "begun"]


def request(name: str, data: Path, **changes) -> JobRequest:
    """A request for a model of this name."""
    settings = {"preset": "quick", "config": {"steps": 1}, "data_name": "Data"}
    settings |= {"denoise_minutes": 1.0, "label_starts": 3} | changes
    return JobRequest(name=name, data=str(data), **settings)


def main() -> None:
    """Run the queue with fake steps until it is empty."""
    runner = Runner(command)
    signal.signal(signal.SIGTERM, runner.end)
    runner.run()


if __name__ == "__main__":
    main()
