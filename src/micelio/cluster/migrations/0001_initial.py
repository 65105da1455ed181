from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="KeyMark",
            fields=[
                ("name", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("mark", models.CharField(max_length=64)),
            ],
        ),
    ]
