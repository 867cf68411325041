"""The API of executions, and what executions add to the resources of workflows. solflow.api mounts it."""
