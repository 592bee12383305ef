from typing import Any

from django.db import migrations, models


def judges_were_drawn(apps: Any, editor: Any) -> None:
    """Of the others nothing was kept that tells."""
    apps.get_model("labeling", "DriftExample").objects.filter(judges=True).update(by_chance=True)


class Migration(migrations.Migration):
    dependencies = [("labeling", "0012_drift_lane")]

    operations = [
        migrations.AddField(
            model_name="driftexample",
            name="by_chance",
            field=models.BooleanField(default=False, db_default=False),
        ),
        migrations.RunPython(judges_were_drawn, migrations.RunPython.noop),
    ]
