"""The program that trains the course's own weights from scratch."""
