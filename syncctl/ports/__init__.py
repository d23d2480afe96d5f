"""What the services need of the outside, and nothing else."""
