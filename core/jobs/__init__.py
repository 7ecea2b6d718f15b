"""Training jobs: a queue of folders, run one after the other by a process of its own.

    workspace/jobs/<id>/request.json   what was asked for (`core.jobs.request`), never changed
    workspace/jobs/<id>/status.json    how far it is (`core.jobs.status`)
    workspace/jobs/<id>/log.txt        what the steps said
    workspace/jobs/<id>/model/         the model folder while it is made
    workspace/models/<name>/           the model folder when it is complete; only its latents may
                                       still be named there

Nothing here needs the dashboard: ``python -m core.jobs --help``.
"""
