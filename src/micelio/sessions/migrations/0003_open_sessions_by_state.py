"""Lists of one state are read in the order of ids, however many sessions are open in others."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("landings", "0002_queued")]

    operations = [
        migrations.RemoveIndex("opensession", "session_by_state"),
        migrations.AddIndex(
            "opensession", models.Index(fields=["project", "state", "session_id"], name="open_session_by_state")
        ),
        migrations.AddIndex(
            "opensession",
            models.Index(
                fields=["project", "session_id"], condition=models.Q(("queued", True)), name="open_session_queued"
            ),
        ),
    ]
