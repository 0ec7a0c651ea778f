"""What `analytics-assets doctor` checks: the API in `api.py`, files and folders in `files.py`, each as a `Finding`.

In which order, and what is printed, is decided in `commands/doctor.py`. Nothing here imports Dagster or writes anything.
"""
