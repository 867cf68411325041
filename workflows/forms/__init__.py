"""Forms of the dashboard. They turn text into values; what is right is said by workflows.specs."""
