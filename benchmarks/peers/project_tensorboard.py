"""The embedding projector of TensorBoard in headless Chromium: seconds to the first points, frames a second of a drag.

    FOLDER/tensorboard/bin/python project_tensorboard.py VECTORS.npy LABELS.npy SECONDS

Prints one line of JSON. Chromium and its driver are those of the system (Debian: chromium, chromium-driver); WebGL is
drawn by SwiftShader, in software, as everything here is.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

SIZE = (1200, 800)
PAGE = "data/plugin/projector/projector_binary.html"
DRAG, DRAG_SECONDS = 200, 20.0

WATCH = """
window.drawn = [];
for (const kind of [window.WebGLRenderingContext, window.WebGL2RenderingContext]) {
  if (!kind) continue;
  const draw = kind.prototype.drawArrays;
  kind.prototype.drawArrays = function (mode, first, count) {
    const result = draw.apply(this, arguments);
    if (mode === 0 && count > 1000) {
      this.finish();
      window.drawn.push([performance.timeOrigin + performance.now(), count]);
    }
    return result;
  };
}
"""
"""Notes when how many points were drawn. Each frame draws them twice, once unseen to find what is pointed at."""
PASSES = 2


def write(folder: Path, vectors: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> None:
    """What the projector reads."""
    vectors.astype("<f4").tofile(folder / "tensors.bytes")
    (folder / "metadata.tsv").write_text("\n".join(map(str, labels.tolist())) + "\n")
    (folder / "projector_config.pbtxt").write_text(
        'embeddings {\n  tensor_name: "encoder"\n  tensor_path: "tensors.bytes"\n'
        f"  tensor_shape: {vectors.shape[0]}\n  tensor_shape: {vectors.shape[1]}\n"
        '  metadata_path: "metadata.tsv"\n}\n'
    )


def serve(folder: Path) -> tuple[subprocess.Popen[bytes], str]:
    """TensorBoard on a free port, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return server, f"http://127.0.0.1:{port}/{PAGE}"
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"TensorBoard ended with code {server.returncode}")


def browse() -> webdriver.Chrome:
    """Headless Chromium with WebGL in software."""
    options = webdriver.ChromeOptions()
    for flag in (
        "headless=new",
        "no-sandbox",
        "disable-dev-shm-usage",
        "use-gl=angle",
        "use-angle=swiftshader",
        "enable-unsafe-swiftshader",
        "ignore-gpu-blocklist",
        f"window-size={SIZE[0]},{SIZE[1]}",
    ):
        options.add_argument(f"--{flag}")
    browser = webdriver.Chrome(options, Service("/usr/bin/chromedriver"))
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
    return browser


def drag(browser: webdriver.Chrome) -> list[list[float]]:
    """What was drawn while the mouse drew the points to and fro with the right button."""
    x, y = SIZE[0] // 2, SIZE[1] // 2
    browser.execute_script("window.drawn = [];")

    def mouse(kind: str, dx: int) -> None:
        event = {"type": kind, "x": x + dx, "y": y, "button": "right", "buttons": 2, "clickCount": 1}
        browser.execute_cdp_cmd("Input.dispatchMouseEvent", event)

    mouse("mousePressed", 0)
    began = time.monotonic()
    for number in range(DRAG):
        if time.monotonic() - began > DRAG_SECONDS:
            break
        mouse("mouseMoved", 4 * (number % 50 - 25))
    mouse("mouseReleased", 0)
    return list(browser.execute_script("return window.drawn;"))


def main() -> None:
    vectors, labels, patience = np.load(sys.argv[1]), np.load(sys.argv[2]), float(sys.argv[3])
    found: dict[str, Any] = {"points": len(vectors)}
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), vectors, labels)
        server, address = serve(Path(folder))
        browser = browse()
        browser.set_script_timeout(patience)
        browser.set_page_load_timeout(patience)
        try:
            found["browser"] = browser.capabilities["browserVersion"]
            began = time.time()
            browser.get(address)
            drawn: list[list[float]] = []
            while not drawn and time.time() - began < patience:
                time.sleep(0.25)
                drawn = browser.execute_script("return window.drawn;")
            if drawn:
                found["first"] = drawn[0][0] / 1000 - began
                found["drawn"] = int(drawn[-1][1])
                time.sleep(5)
                frames = drag(browser)
                count = len(frames) // PASSES
                if count > 1:
                    found["frame"] = (frames[-1][0] - frames[0][0]) / 1000 / (count - 1)
                    found["frames"] = count
            else:
                found["trouble"] = f"no points within {patience:g} s"
            if os.environ.get("PROJECTOR_PICTURE"):
                browser.save_screenshot(os.environ["PROJECTOR_PICTURE"])
        except Exception as error:  # a browser that gives up is a result
            found["trouble"] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        finally:
            browser.quit()
            server.terminate()
            server.wait()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
