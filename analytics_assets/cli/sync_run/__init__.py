"""One run of the job `sync` from the command line: its selection, progress display, summary and outcome.

Importing these modules takes seconds, because they import Dagster and dlt.
"""
