"""The report: figures from the marts, read by the queries of `queries.sql`, as one HTML file for the owner of the workspace.

It knows neither Dagster nor the settings: it takes a warehouse file, a date and the results of checks as plain values.
"""
