"""The loop without a browser: scripted people who know the truth work through the same services, queue and workers."""
