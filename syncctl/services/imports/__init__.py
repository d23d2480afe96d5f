"""The stores' files -> leads."""
