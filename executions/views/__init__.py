"""Pages of executions, and of what stops them; solflow.pages gives them their addresses."""
