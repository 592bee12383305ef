from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('monitoring', '0008_refused_in_parts'),
    ]

    operations = [
        migrations.CreateModel(
            name='SpoolPosition',
            fields=[
                ('segment', models.UUIDField(primary_key=True, serialize=False)),
                ('end', models.BigIntegerField()),
                ('moved_at', models.DateTimeField()),
            ],
        ),
    ]
