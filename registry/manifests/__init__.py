"""The registry as a tree of YAML files: written out, read in, and kept current on disk."""
