"""Views: widgets that render the state of the window.

A view is a subclass of `View` in a module of its own. It listens to topics of the state, asks for arrays,
and draws what it gets:

    class FilterView(View):
        name = "filters"
        title = "Filters"
        kinds = ("filters",)
        topics = frozenset({"run", "snapshots", "step", "layer"})

        def build(self) -> None:                        # make widgets in self.controls and self.content
            self.picture, self.scaling = QLabel(), QComboBox()
            self.controls.addWidget(self.scaling)
            self.choosers.add("scaling", self.scaling)  # undo, the next start and the palette know it now
            QVBoxLayout(self.content).addWidget(self.picture)

        def render_state(self, changed) -> None:        # in the UI thread, when visible, at most every 30 ms
            info = self.state.snapshot_at("filters")
            if info is None:
                self.show_missing("filters")
            else:
                self.ask("tiles", [info], make_tiles)   # make_tiles(job, (snapshot,)) runs in a worker thread

        def receive(self, slot, result) -> None:        # in the UI thread; only the latest request per slot
            self.picture.setPixmap(...)
            self.show_content()
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QLabel, QStackedLayout, QVBoxLayout, QWidget

from mmgraph.questions import Question
from mmgraph.runs import SnapshotInfo
from mmgraph.runs.opened import is_weights_alone
from mmgraph_gui.asking.model_process import ModelProcess
from mmgraph_gui.asking.own_items import OwnItems
from mmgraph_gui.drawing.theme import Theme
from mmgraph_gui.reading.follower import RunFollower, Work
from mmgraph_gui.state import TOPICS, AppState, Topic
from mmgraph_gui.views.choosers import Choosers
from mmgraph_gui.views.control_line import ControlLine

if TYPE_CHECKING:
    from mmgraph_gui.drawing.raster import Drawing

RENDER_MILLISECONDS = 30

Changed = frozenset[str]
Table = tuple[Sequence[str], Iterable[Sequence[object]]]
"""Column names, and rows: what a view shows, for CSV. The rows are read in a worker thread."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Context:
    """What every view works with."""

    state: AppState
    follower: RunFollower
    theme: Theme
    model: ModelProcess
    own: OwnItems


class View(QWidget):
    """A widget that shows one aspect of the run. See the module's docstring for how to write one.

    Class attributes:
        name: short name, for settings and menus' keys.
        title: what tab and menu say.
        kinds: kinds of snapshot it shows; empty for views of scalars, events or items.
        topics: changes of the state after which it is drawn again ("theme" is always one of them).
        look_kind: type of what `look` returns, made of dataclasses, tuples, numbers, texts and QPointF; None where the
            next start need not look at it as before.
        keys: (key, what it does) while the view has the focus, for the list of keys.

    Attributes:
        state, follower, theme, model, own: from the context.
        controls: layout of a line above the content, for choosers; hidden while no run is open.
        content: the widget to fill in `build`.
        choosers: what can be chosen; add each in `build`, and undo, the next start and the palette know it.

    Signals:
        explain_wanted(int): somebody asks what the answer about an item hangs on.
        looked(): somebody moved, zoomed or turned what it shows; `look` says to where.
        drew(): it has drawn the state, or something that it had asked for.
    """

    explain_wanted = Signal(int)
    looked = Signal()
    drew = Signal()

    name: ClassVar[str] = ""
    title: ClassVar[str] = ""
    kinds: ClassVar[tuple[str, ...]] = ()
    topics: ClassVar[frozenset[str]] = frozenset({"run", "snapshots", "step"})
    look_kind: ClassVar[Any] = None
    keys: ClassVar[tuple[tuple[str, str], ...]] = ()

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state, self.follower, self.theme = context.state, context.follower, context.theme
        self.model = context.model
        self.own = context.own
        self.setAccessibleName(self.title)
        self._changed: set[str] = {*TOPICS, "theme"}
        self._waits = False
        self._rendered = 0.0
        self._failed: dict[str, Callable[[], None]] = {}
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(lambda: self.follower.turns.take(self, self._render_now))

        self._control_line = ControlLine()
        self.controls = self._control_line.choosers
        # Theirs from the begin: a layout of pages would show them as windows, which take the keyboard.
        self.content = QWidget(self)
        self._message = QLabel(self, alignment=Qt.AlignmentFlag.AlignCenter, wordWrap=True)
        self._message.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._message.setMargin(24)
        self._pages = QStackedLayout()
        self._pages.addWidget(self.content)
        self._pages.addWidget(self._message)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(8, 8, 8, 8)
        whole.setSpacing(6)
        whole.addWidget(self._control_line)
        whole.addLayout(self._pages, 1)

        self.choosers = Choosers(self)
        self.build()
        self._unsubscribe = self.state.subscribe(self._state_changed)
        self.theme.changed.connect(self._theme_changed)
        self.follower.returned.connect(self._ask_again)

    # -- what a view writes ------------------------------------------------------------------------------

    def build(self) -> None:
        """Make the widgets, once."""

    def render_state(self, changed: Changed) -> None:
        """Draw the state, or ask for what is needed to draw it.

        Called in the UI thread, only while the view is visible, at most every 30 ms; must be fast.

        Args:
            changed: topics that changed since the last call; all of them at the first; "theme" where the
                colours of the window changed.
        """
        raise NotImplementedError

    def receive(self, slot: str, result: Any) -> None:
        """Draw what a request brought; in the UI thread."""

    def model_progress(self, slot: str, share: float, text: str) -> None:
        """Say how far the answer to a question of the model is; in the UI thread."""

    def model_failed(self, slot: str, text: str) -> None:
        """Say why a question of the model was not answered; in the UI thread. By default in place of the content."""
        self.show_message(text)

    def table(self) -> Table | None:
        """What the view shows, as column names and rows; None where there is nothing."""
        return None

    def vector_source(self) -> Drawing | None:
        """What to paint for SVG; None where it is what is on screen."""
        return None

    def colour_key(self) -> Sequence[tuple[str, str]]:
        """(name, "#rrggbb") of what the colours mean, for SVG; empty where the drawing says it itself."""
        return ()

    def look(self) -> Any:
        """Which part of everything is on screen, for `look_at` of a view of the same class; None where it is all."""
        return None

    def look_at(self, look: Any) -> None:
        """Show the part that another view shows."""

    # -- what a view calls -------------------------------------------------------------------------------

    def ask(
        self, slot: str, infos: Sequence[SnapshotInfo], work: Work | None = None, *, long: bool = False
    ) -> None:
        """Have snapshots loaded and worked on in a worker thread; the result comes to `receive(slot, …)`.

        Of the requests for one slot only the latest counts. `work(job, snapshots)` must not touch widgets or
        the state; bind what it needs with functools.partial. What it needs to draw the result later (step,
        layer …) should be part of the result, because the state may have moved on. Say `long` where it takes
        seconds, so that pictures need not wait for it.
        """
        self._failed.pop(slot, None)

        def fail(text: str) -> None:
            self._failed[slot] = functools.partial(self.ask, slot, infos, work, long=long)
            self.show_message(text)

        self.follower.ask(
            (id(self), slot), infos, work, lambda result: self._deliver(slot, result), fail, long=long
        )

    def cancel(self, slot: str) -> None:
        """Forget the request of a slot; call it when what it was for is gone."""
        self._failed.pop(slot, None)
        self.follower.cancel((id(self), slot))

    def ask_model(self, slot: str, question: Question) -> None:
        """Ask the run's model, in its own process.

        A `ModelAnswer` comes to `receive(slot, …)`, maybe after partial ones. Of the questions for one slot only the
        latest counts. Loading the model takes seconds at the first question: `model_progress` says how far it is,
        `model_failed` why it came to nothing.
        """
        self.model.ask(
            (id(self), slot),
            question,
            lambda answer: self._deliver(slot, answer),
            lambda text: self._guarded(lambda: self.model_failed(slot, text)),
            lambda share, text: self._guarded(lambda: self.model_progress(slot, share, text)),
        )

    def cancel_model(self, slot: str) -> None:
        """Nobody waits for the model's answer in a slot any more."""
        self.model.cancel((id(self), slot))

    def show_message(self, text: str) -> None:
        """Say in words what is missing or wrong, in place of the content."""
        self._waits = False
        self._message.setText(text)
        self._pages.setCurrentWidget(self._message)
        self._control_line.setVisible(self.state.path is not None)

    def show_missing(self, what: str) -> None:
        """Say that the run holds none of what the view shows, or none yet: `show_missing("attention")`."""
        if self.state.path is None:
            self.show_message("No run is open.")
        elif self.state.status is None:
            self.show_message("Reading the run …")
            self._waits = True
        elif self.state.status.is_live:
            self.show_message(f"No {what} yet: waiting for the first snapshot …")
            self._waits = True
        else:
            self.show_message(self.told_missing(what))

    def told_missing(self, what: str) -> str:
        """Why an ended run has none of what the view shows."""
        if is_weights_alone(self.state.config):
            return (
                f"A file of weights alone holds no {what}. Say what computes with them, and on which data: "
                "File › Open model (Ctrl+M)."
            )
        return f"This run recorded no {what}."

    def show_content(self) -> None:
        """Show the content again; where the message had the keyboard, the content has it now."""
        self._waits = False
        had_keys = self._message.hasFocus()
        self._pages.setCurrentWidget(self.content)
        self._control_line.setVisible(self.controls.count() > 0)
        if had_keys:
            self.setFocus(Qt.FocusReason.OtherFocusReason)

    def hand_keys_to(self, part: QWidget) -> None:
        """From now on this part of the content takes the keys; at once, where the content has the keyboard."""
        now = QApplication.focusWidget()
        self.setFocusProxy(part)
        if now is not None and (now is self or now is self.content or self.content.isAncestorOf(now)):
            part.setFocus(Qt.FocusReason.OtherFocusReason)

    def take_keys(self) -> None:
        """Take the keyboard, whatever is shown: a message has it until there is more."""
        if self.message:
            self._message.setFocus(Qt.FocusReason.ShortcutFocusReason)
        else:
            self.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @property
    def message(self) -> str:
        """The message on screen; empty while the content is shown."""
        return self._message.text() if self._pages.currentWidget() is self._message else ""

    @property
    def is_pending(self) -> bool:
        """Whether it is visible and about to draw."""
        return self._is_due

    @property
    def is_settling(self) -> bool:
        """Whether it is visible and takes seconds to work out what belongs to this step: playing waits for it."""
        return False

    def finish(self) -> None:
        """Draw at once what is drawn bit by bit. Called before a picture is taken."""

    def request_render(self, *topics: str) -> None:
        """Draw soon, as if these topics had changed."""
        self._changed.update(topics)
        if self.isVisible() and not self._is_due:
            rested = 1000 * (time.monotonic() - self._rendered)
            self._timer.start(max(RENDER_MILLISECONDS - int(rested), 0))

    # -- how it works ------------------------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._changed:
            self._timer.start(0)

    def closeEvent(self, event: QCloseEvent) -> None:
        self.detach()
        super().closeEvent(event)

    def detach(self) -> None:
        """Stop listening; call it before the view is thrown away."""
        self._timer.stop()
        self.follower.turns.drop(self)
        self._unsubscribe()

    @property
    def _is_due(self) -> bool:
        return self._timer.isActive() or self.follower.turns.waits(self)

    def _state_changed(self, topic: Topic) -> None:
        if topic == "run":
            self._failed.clear()
        # One that waits must learn that the run has ended without what it waits for.
        if topic in self.topics or (topic == "status" and self._waits):
            self.request_render(topic)

    def _ask_again(self) -> None:
        """What could not be read may be read now."""
        for ask in tuple(self._failed.values()):
            ask()

    def _theme_changed(self) -> None:
        self.request_render("theme")

    def _render_now(self) -> None:
        if not self.isVisible():
            return
        self._rendered = time.monotonic()
        changed, self._changed = frozenset(self._changed), set()
        self._guarded(lambda: self.render_state(changed))

    def _deliver(self, slot: str, result: Any) -> None:
        self._guarded(lambda: self.receive(slot, result))

    def _guarded(self, draw: Callable[[], None]) -> None:
        """A view that fails says so in its own place; the rest of the window goes on."""
        try:
            draw()
        except Exception as error:
            text = f"{self.title} could not be drawn ({type(error).__name__}: {error})."
            if text != self.message:  # once, not at every tick of a live run
                _log.exception("the view %s failed", self.title)
            self.show_message(text)
        self.drew.emit()
