from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("projects", "0006_measured"),
    ]

    operations = [
        migrations.AddField(
            model_name="project",
            name="line_of",
            field=models.ForeignKey(
                default=None, null=True, on_delete=models.deletion.CASCADE, related_name="+", to="projects.project"
            ),
        ),
        migrations.AddField(
            model_name="project",
            name="branch",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AddField(
            model_name="project",
            name="begun_by",
            field=models.CharField(blank=True, db_default="", default="", max_length=39),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.UniqueConstraint(
                condition=models.Q(("deleted_at", None), ("line_of__isnull", False)),
                fields=("line_of", "branch"),
                name="one_branch_per_name",
            ),
        ),
    ]
