import django.db.models.fields.json
import django.db.models.functions.comparison
import django.db.models.lookups
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    # Built beside the writers: a history of millions takes minutes, in which ingest must go on.
    atomic = False

    dependencies = [
        ('executions', '0007_approvals'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='execution',
            index=models.Index(condition=models.Q(('status__in', ['success', 'failed', 'filtered', 'throttled'])), fields=['team', 'status', '-created_at', '-id'], name='executions_ended'),
        ),
        AddIndexConcurrently(
            model_name='execution',
            index=models.Index(models.F('team'), django.db.models.functions.comparison.Collate(django.db.models.fields.json.KeyTextTransform('account', 'event'), 'C'), models.OrderBy(models.F('created_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='executions_by_account'),
        ),
        AddIndexConcurrently(
            model_name='execution',
            index=models.Index(django.db.models.functions.comparison.Collate(django.db.models.fields.json.KeyTextTransform('signature', 'event'), 'C'), condition=models.Q(django.db.models.lookups.IsNull(django.db.models.fields.json.KeyTextTransform('signature', 'event'), False)), name='executions_by_signature'),
        ),
    ]
