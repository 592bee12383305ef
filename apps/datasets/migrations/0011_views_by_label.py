"""A kept view has its label as a key; examples are found by when they came, and the newest first, in each project."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets', '0010_saved_views'),
        ('projects', '0010_archive_and_deletion'),
    ]

    operations = [
        migrations.AddField(
            model_name='savedview',
            name='label',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='projects.schemalabel'),
        ),
        migrations.AlterField(
            model_name='example',
            name='project',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='examples', to='projects.project'),
        ),
        migrations.AddIndex(
            model_name='example',
            index=models.Index(fields=['project', 'ingested_at'], name='datasets_example_came'),
        ),
        migrations.AddIndex(
            model_name='example',
            index=models.Index(fields=['project', 'id'], name='datasets_example_newest'),
        ),
    ]
