"""Pages that need nothing but workflows; solflow.pages gives them their addresses."""
