"""Names of this app's jobs: two for the torch worker, which the web process knows by name only, and one of the beat."""

from enum import StrEnum

QUEUE = "embedding"  # the torch worker's; apps.training.jobs names it for the apps above


class QualityJob(StrEnum):
    CONSENSUS = "workers.consensus"
    SUSPECTS = "workers.suspects"
    LOOK = "labeling.quality_look"
