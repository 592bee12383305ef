"""The log may keep a share of the answers, and each row says of which; the margin of an answer stands beside its confidence."""

import django.core.validators
from django.db import migrations, models


def _share() -> models.FloatField:
    return models.FloatField(db_default=1.0, default=1.0)


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0013_quarters'),
    ]

    operations = [
        migrations.AddField(model_name='prediction', name='margin', field=models.FloatField(null=True)),
        migrations.AddField(model_name='prediction', name='share', field=_share()),
        migrations.AddField(model_name='askedpayload', name='share', field=_share()),
        migrations.AddField(model_name='feedback', name='share', field=_share()),
        migrations.AddField(
            model_name='feedbacksettings',
            name='answer_share',
            field=models.FloatField(
                db_default=1.0,
                default=1.0,
                validators=[
                    django.core.validators.MinValueValidator(0.0001),
                    django.core.validators.MaxValueValidator(1),
                ],
            ),
        ),
        migrations.AddField(
            model_name='feedbacksettings', name='label_shares', field=models.JSONField(db_default={}, default=dict)
        ),
        migrations.AddField(
            model_name='feedbacksettings', name='left_out', field=models.BigIntegerField(db_default=0, default=0)
        ),
    ]
