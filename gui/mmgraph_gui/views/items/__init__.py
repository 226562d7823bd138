"""The items of a run: a gallery, one of them closely, searching."""
