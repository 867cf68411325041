"""Who: teams, members and roles, API tokens, sealed secrets, the audit log. The lowest Django layer."""
