"""Other processes of the window: training, the model that answers, long computations."""
