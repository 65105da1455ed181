from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("organizations", "0004_second_factor"),
    ]

    operations = [
        migrations.AddField(
            model_name="organization",
            name="networks",
            field=models.TextField(blank=True, default=""),
        ),
        migrations.AddField(
            model_name="organization",
            name="networks_let_tokens",
            field=models.BooleanField(default=False),
        ),
    ]
