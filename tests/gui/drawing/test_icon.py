from __future__ import annotations

from mmgraph_gui.drawing.icon import icon
from mmgraph_gui.drawing.theme import DARK, LIGHT


def shades(picture):
    image = picture.pixmap(32, 32).toImage()
    return {
        image.pixelColor(x, y).name()
        for x in range(32)
        for y in range(32)
        if image.pixelColor(x, y).alpha() == 255
    }


def test_an_icon_is_painted_once_for_each_theme(qapp):
    light, dark = icon("lasso", LIGHT), icon("lasso", DARK)
    assert icon("lasso", LIGHT).cacheKey() == light.cacheKey()
    assert LIGHT.foreground in shades(light)
    assert DARK.foreground in shades(dark)
    assert LIGHT.foreground not in shades(dark)
