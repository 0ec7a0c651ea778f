"""A time-tracking workspace behind a REST API, as Dagster assets in a warehouse that its owner can trust."""
