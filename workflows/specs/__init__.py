"""What a workflow is: one JSON document, parsed in one place (`workflows.specs.workflow`), one class everywhere."""
