"""Landings whose session says who wrote which lines: only theirs is looked at for it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("landings", "0005_pushed")]

    operations = [
        migrations.AddField("landing", "attributed", models.BooleanField(db_default=False, default=False)),
    ]
