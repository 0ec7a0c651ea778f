"""One sync and one verification, without orchestration: what is read, in which order, and what is published.

Nothing here knows Dagster or the environment; settings arrive as values.
"""
