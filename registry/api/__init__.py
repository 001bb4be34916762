"""HTTP for the registry: translate, call one verb, translate back."""
