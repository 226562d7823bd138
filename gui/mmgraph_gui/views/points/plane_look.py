"""Which part of a plane is on screen, told so that another plane, larger or smaller, can show the same."""

from __future__ import annotations

from dataclasses import dataclass

from mmgraph_gui.drawing.raster import Positions, Viewport


@dataclass(frozen=True)
class PlaneLook:
    """The middle of what is shown and how much of the plane the shorter side of the window spans.

    Args:
        x, y: of the middle.
        span: units of the plane along the shorter side.
        share: middle and span as parts of a picture that shows all points, which any other plane has too.
    """

    x: float
    y: float
    span: float
    share: tuple[float, float, float]

    @classmethod
    def of(cls, viewport: Viewport, corners: Positions) -> PlaneLook:
        """What a viewport shows of points between these corners."""
        side = min(viewport.width, viewport.height)
        whole = Viewport.around(corners, viewport.width, viewport.height)
        unit = side / whole.scale
        share = (viewport.x - whole.x) / unit, (viewport.y - whole.y) / unit, whole.scale / viewport.scale
        return cls(viewport.x, viewport.y, side / viewport.scale, share)

    def viewport(self, width: int, height: int, corners: Positions, *, same_places: bool) -> Viewport:
        """The same part in a picture of another size.

        Args:
            corners: between which the points of the other plane lie.
            same_places: whether a place means the same in both; else the same share of all is shown.
        """
        side = min(width, height)
        if same_places:
            return Viewport(width, height, side / self.span, self.x, self.y)
        whole = Viewport.around(corners, width, height)
        unit = side / whole.scale
        right, up, part = self.share
        return Viewport(width, height, whole.scale / part, whole.x + right * unit, whole.y + up * unit)
