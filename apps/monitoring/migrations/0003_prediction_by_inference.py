"""Logged answers are found by the id that was asked with."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0002_window_of_checks'),
        ('projects', '0010_archive_and_deletion'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='prediction',
            index=models.Index(fields=['project', 'inference_id'], name='monitoring_prediction_named'),
        ),
    ]
