"""The queue's columns live in labeling.QueueSettings now; a project keeps what every stage needs."""

from django.db import migrations

MOVED = (
    "strategy", "encoder", "overlap", "lane_weights", "lane_overlap", "consensus", "review_at_most", "blind_share",
    "planted_share", "gold_failures", "gold_feedback", "hourly_rate", "currency",
)


class Migration(migrations.Migration):
    dependencies = [("projects", "0006_new_lane_weights"), ("labeling", "0005_queue_settings")]
    operations = [migrations.RemoveField(model_name="project", name=name) for name in MOVED]
