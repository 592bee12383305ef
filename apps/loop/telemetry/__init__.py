"""What Prometheus reads of the console: the loop's own figures, of all projects in use."""
