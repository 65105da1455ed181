import secrets

from django.db import migrations, models


def give_keys(apps, schema_editor):
    projects = apps.get_model("projects", "Project").objects
    for project_id in projects.filter(visibility="public").values_list("id", flat=True):
        projects.filter(id=project_id).update(cdn_key=secrets.token_hex(16))


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_forks")]

    operations = [
        migrations.AddField(
            model_name="project",
            name="cdn_key",
            field=models.CharField(blank=True, default=None, editable=False, max_length=32, null=True, unique=True),
        ),
        migrations.RunPython(give_keys, migrations.RunPython.noop),
    ]
