"""Pages that follow what happens: one stream of server-sent events a tab, fed by one task a process."""
