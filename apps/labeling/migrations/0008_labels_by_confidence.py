"""Labels are found by how sure they are, where a consensus says it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('datasets', '0011_views_by_label'),
        ('labeling', '0007_settling_again'),
        ('projects', '0010_archive_and_deletion'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='label',
            index=models.Index(condition=models.Q(('confidence__isnull', False)), fields=['project', 'confidence'], name='labeling_label_sure'),
        ),
    ]
