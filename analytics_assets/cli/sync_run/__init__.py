"""One run of the job `sync` from the command line: what was asked for, the run, its display, its summary and its outcome.

Importing these modules takes seconds, because they import Dagster and dlt.
"""
