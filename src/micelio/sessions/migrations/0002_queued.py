"""Sessions that were accepted to be landed and have not landed yet."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("landings", "0001_initial")]

    operations = [
        migrations.AddField("opensession", "queued", models.BooleanField(default=False)),
    ]
