"""The harness behind every figure we publish."""
