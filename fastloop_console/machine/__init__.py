"""What one process or one machine needs before any stage of the loop: environment, servers, supervisor, threads, the Celery app."""
