"""What can be wrong with an installation, each finding with a hint."""
