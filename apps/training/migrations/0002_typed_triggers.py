import django.core.validators
from django.db import migrations, models

TYPES = [
    ('manual', 'By a person'),
    ('labels', 'By new labels'),
    ('minutes', 'By time'),
    ('disagreement', 'By disagreement'),
    ('drift', 'By drift'),
    ('simulated', 'Simulated'),
]


def name_what_started_each_run(apps, schema_editor):
    """Until now only the count of new labels started a run by itself, and nobody stood beside it."""
    runs = apps.get_model('training', 'Run').objects
    runs.filter(started_by=None, trigger__contains='new label').update(trigger_type='labels')
    runs.filter(trigger__startswith='Simulated round.').update(trigger_type='simulated')


class Migration(migrations.Migration):

    dependencies = [
        ('training', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='run',
            name='trigger_type',
            field=models.CharField(choices=TYPES, default='manual', max_length=12),
        ),
        migrations.RunPython(name_what_started_each_run, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='trigger',
            name='new_labels',
            field=models.PositiveIntegerField(default=100, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1000000)]),
        ),
        migrations.AddField(
            model_name='trigger',
            name='minutes',
            field=models.PositiveIntegerField(default=None, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(525600)]),
        ),
        migrations.AddField(
            model_name='trigger',
            name='disagreement_points',
            field=models.PositiveSmallIntegerField(default=None, null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)]),
        ),
        migrations.AddConstraint(
            model_name='trigger',
            constraint=models.CheckConstraint(condition=models.Q(('enabled', False), ('new_labels__isnull', False), ('minutes__isnull', False), ('disagreement_points__isnull', False), _connector='OR'), name='training_trigger_can_fire'),
        ),
    ]
