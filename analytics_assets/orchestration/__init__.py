"""Everything that imports Dagster: assets, checks, jobs, resources, and how errors and waits are shown in a run.

What a sync does is decided in `pipeline/`; here it is joined to Dagster, and `definitions.py` joins the parts.
"""
