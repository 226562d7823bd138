"""What takes long, asked of a worker thread or of a process that holds the model."""
