"""The governance console: the Django admin, which reads rows and calls verbs."""
