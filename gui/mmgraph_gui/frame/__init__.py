"""The window around the views: its bars, menus, commands and questions."""
