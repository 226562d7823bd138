"""Bars above and below the views: the step, the state of the run, and news."""
