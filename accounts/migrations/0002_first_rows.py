from django.db import migrations


def make_first_rows(apps, schema_editor):
    """The row about this database, and the team that owns everything until there are more."""
    apps.get_model("accounts", "Installation").objects.get_or_create(pk=1)
    teams = apps.get_model("accounts", "Team")
    if not teams.objects.exists():
        teams.objects.create(name="Default")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(make_first_rows, migrations.RunPython.noop)]
