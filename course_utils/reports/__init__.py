"""Programs that measure what the course says of its models, and write it down."""
