"""What every HTTP session of syncctl keeps to."""
