"""What the page *Training* does to the queue; refused where training is turned off."""

from core.jobs import queue
from core.jobs.queue import Job
from core.jobs.request import JobRequest
from dashboard.permission import needs


@needs("train")
def submit(request: JobRequest) -> Job:
    """Put a job into the queue and see that it is worked through.

    Raises:
        InputError: the name is taken or no name.
        NotAllowedError: training is turned off.
    """
    return queue.submit(request)


@needs("train")
def stop(number: str) -> None:
    """Stop a job; it can be resumed.

    Raises:
        InputError: there is no such job, or it is not running.
        NotAllowedError: training is turned off.
    """
    queue.stop(number)


@needs("train")
def resume(number: str) -> None:
    """Let a stopped or failed job go on.

    Raises:
        InputError: there is no such job, or it cannot go on.
        NotAllowedError: training is turned off.
    """
    queue.resume(number)


@needs("train")
def remove(number: str) -> None:
    """Take a job off the list.

    Raises:
        InputError: there is no such job, or it is running.
        NotAllowedError: training is turned off.
    """
    queue.remove(number)
