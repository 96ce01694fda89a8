"""Where planned runs are trained."""
