"""What the owner's settings give to all assets alike: who owns them, and how old they may become.

What belongs to one kind of asset stands where it is made.
"""

from datetime import timedelta

from dagster import AssetSpec, FreshnessPolicy

from analytics_assets.orchestration.keys import Keys
from analytics_assets.settings import Settings


def with_owners_and_freshness(spec: AssetSpec, settings: Settings) -> AssetSpec:
    """The spec with what the settings say.

    Time entries have no policy of freshness: Dagster looks at the whole asset, and a backfill of an old month would make it
    fresh. What is built on them has one.

    Args:
        spec: of any asset.
        settings: `owners` and `fresh_within_hours`.
    """
    owners = settings.owners.split(",") if settings.owners else []
    hours = settings.fresh_within_hours
    if hours is None or spec.key == Keys.of(settings).workspace or spec.partitions_def is not None:
        return spec.replace_attributes(owners=owners)
    return spec.replace_attributes(owners=owners, freshness_policy=FreshnessPolicy.time_window(timedelta(hours=hours)))
