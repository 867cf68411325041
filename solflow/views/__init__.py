"""Pages that need more than one app; solflow.pages gives them their addresses."""
