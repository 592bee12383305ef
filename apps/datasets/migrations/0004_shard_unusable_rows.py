from django.db import migrations, models


def forget_older_files(apps, schema_editor):
    """Files before this one lack the holdout column. Their examples are embedded again; a sweep removes the files."""
    apps.get_model("datasets", "EmbeddingShard").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("datasets", "0003_fill_content_digests")]
    operations = [
        migrations.AddField(
            model_name="embeddingshard",
            name="unusable",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.RunPython(forget_older_files, migrations.RunPython.noop),
    ]
