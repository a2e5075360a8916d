"""A reader's way: JupyterLab in a browser, all cells run, the slider moved, and the numbers that follow it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from xception_np import cost

pytest.importorskip("selenium", reason="selenium is not installed: pip install -e '.[browser]'")
pytest.importorskip("jupyterlab", reason="jupyterlab is not installed: pip install -e '.[browser]'")

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "2_the_spectrum.ipynb"
SECONDS = 240  # for a step, on a busy machine
TOKEN = "reader"
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},  # else a cell that is out of sight is not in the page
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture
def address(tmp_path):
    """JupyterLab with a copy of the notebook, its settings and everything that it writes in a folder of its own."""
    shutil.copy(NOTEBOOK, tmp_path)
    for name, setting in SETTINGS.items():
        path = tmp_path / "config" / "lab" / "user-settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(setting))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    places = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind.lower()) for kind in ("CONFIG", "DATA", "RUNTIME")}
    options = ("--no-browser", "--allow-root", f"--port={port}", "--ServerApp.port_retries=0", f"--IdentityProvider.token={TOKEN}")
    command = [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={tmp_path}"]
    with subprocess.Popen(command, env=os.environ | places, stderr=subprocess.PIPE, text=True) as server:
        late = threading.Timer(SECONDS, server.kill)
        late.start()
        said = []
        for line in server.stderr:  # until it is up, or has ended
            said.append(line)
            if f":{port}/lab" in line:
                break
        late.cancel()
        rest = threading.Thread(target=server.stderr.read)  # a pipe that nobody reads would stop it
        rest.start()
        if server.poll() is None:
            yield f"http://127.0.0.1:{port}/lab/tree/{NOTEBOOK.name}?token={TOKEN}"
        else:
            pytest.fail("JupyterLab did not start:\n" + "".join(said))
        server.terminate()
        rest.join()


@pytest.fixture
def browser(tmp_path):
    programs = [shutil.which(name) for name in ("chromium", "chromedriver")]
    if not all(programs):
        pytest.skip("Chromium and its driver are not installed: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for option in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1400,1000"):
        options.add_argument(option)
    options.add_argument(f"--user-data-dir={tmp_path / 'chromium'}")
    driver = webdriver.Chrome(options, Service(programs[1]))
    yield driver
    driver.quit()


def test_the_slider_moves_the_numbers(browser, address):
    def until(what, condition):
        return WebDriverWait(browser, SECONDS).until(lambda _: condition(), f"waited for {what}")

    def one(selector):
        return next(iter(browser.find_elements(By.CSS_SELECTOR, selector)), None)

    def text(selector, what="innerText"):
        """Asked of the page in one go: an element may be replaced between two questions."""
        return browser.execute_script(f"return [...document.querySelectorAll(arguments[0])].map(e => e.{what})", selector)

    def numbers(segments):
        """The line above the figure, where it is that of so many segments."""
        return next((line for line in text(".jp-OutputArea .widget-html-content") if line.startswith(f"S = {segments}:")), None)

    browser.get(address)
    # What is asked of a page that is still filling is lost: the notebook shows its cells one by one, and at first has no kernel.
    count = sum(cell["cell_type"] == "code" for cell in json.loads(NOTEBOOK.read_text())["cells"])
    until("all cells", lambda: len(text(".jp-CodeCell")) == count)
    until("a kernel that is idle", lambda: any("Python 3 (ipykernel) | Idle" in line for line in text("#jp-main-statusbar")))
    [run] = [label for label in browser.find_elements(By.CSS_SELECTOR, ".lm-MenuBar-itemLabel") if label.text == "Run"]
    run.click()
    until("the menu", lambda: one('li[data-command="runmenu:run-all"]')).click()

    points = {point.segments: point.total for point in cost.spectrum((8, 19, 19, 728))}
    before = until("the numbers of S = 1", lambda: numbers(1))
    until("the last cell", lambda: text(".jp-CodeCell .jp-InputPrompt")[-1:] == [f"[{count}]:"])
    assert not text('.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]')
    assert f"{points[1].macs:,} multiply-adds" in before
    picture = text(".jp-OutputArea img.widget-image", "src")

    one(".jp-OutputArea .noUi-handle").send_keys(Keys.ARROW_RIGHT)
    after = until("the numbers of S = 2", lambda: numbers(2))
    assert f"{points[2].macs:,} multiply-adds" in after
    assert numbers(1) is None
    until("another picture", lambda: text(".jp-OutputArea img.widget-image", "src") != picture)
