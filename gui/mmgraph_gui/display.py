"""Whether a window can be opened here. Qt ends the process where it cannot, so this is asked before."""

from __future__ import annotations

import ctypes
import os
import sys

from mmgraph.errors import DisplayError

DISPLAYLESS = ("offscreen", "minimal", "vnc", "linuxfb", "eglfs")

XCB_LIBRARIES = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
"""What Qt needs to speak to an X server and pip does not bring: library, and package on Debian."""


def check_display() -> None:
    """Say so where there is no display, or where Qt could not use it.

    Raises:
        DisplayError: neither X nor Wayland is there, or a library of the system is missing.
    """
    platform = os.environ.get("QT_QPA_PLATFORM", "").split(":")[0]
    if not sys.platform.startswith("linux") or platform in DISPLAYLESS:
        return
    wayland = bool(os.environ.get("WAYLAND_DISPLAY")) and not platform.startswith("xcb")
    if not (wayland or os.environ.get("DISPLAY")):
        raise DisplayError(
            "The window needs a display, and neither DISPLAY nor WAYLAND_DISPLAY is set. Train in the terminal with "
            "'mmgraph train', or log in with a desktop ('ssh -X' forwards one)."
        )
    missing = [] if wayland else [name for name in XCB_LIBRARIES if not _loads(name)]
    if missing:
        packages = " ".join(XCB_LIBRARIES[name] for name in missing)
        raise DisplayError(
            f"Qt needs {', '.join(missing)} to open a window, and this system has not got it. "
            f"On Debian and Ubuntu: sudo apt-get install {packages}"
        )


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
