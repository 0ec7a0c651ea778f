"""The warehouse: one file that one process writes at a time, filled in one transaction per sync.

Everything that knows DuckDB from Python is in this package. It knows neither HTTP nor Dagster.
"""
