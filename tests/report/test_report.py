"""The report of a run: what is on the page, and that a real browser shows it."""

import html
import html.parser
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

import numpy as np
import pytest
from support import filled

from keras_resnet.evaluation import evaluate
from keras_resnet.report import read_run, write_report

pytest.importorskip("matplotlib", reason='matplotlib comes with the extra "recipes"')
pytestmark = pytest.mark.once

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=2000",
]
HISTORY = {"training_loss": [2.0, 1.0], "training_error": [60.0, 20.0], "test_error": [61.0, 25.0]}
RECORD = {
    "recipe": {"epochs": 2, "out": "<script>alert(1)</script>"},
    "versions": {"keras": "3"},
    "networks": {
        "cifar_plain56": {"parameters": 853_018, "history": HISTORY},
        "cifar_resnet56": {"parameters": 853_018, "history": HISTORY},
    },
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder as a recipe and an evaluation leave it."""
    folder = tmp_path_factory.mktemp("runs") / "a <run> & more"
    folder.mkdir()
    (folder / "results.json").write_text(json.dumps(RECORD))
    model = filled("cifar_resnet8", include_preprocessing=True)
    images = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3), "uint8")
    evaluate(model, (images, np.arange(40) % 10), out=folder / "test.json", verbose=0)
    return folder


@pytest.fixture(scope="module")
def page(run):
    path = write_report(run)
    assert path == run / "report.html"
    return path.read_text()


class Sources(html.parser.HTMLParser):
    """Everything a page would load, and its tags."""

    def __init__(self, page):
        super().__init__()
        self.loaded, self.tags = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.loaded += [value for name, value in attributes if name in ("src", "href", "srcset")]


def test_the_page_needs_nothing_beside_it(page):
    found = Sources(page)
    assert found.loaded
    assert all(source.startswith("data:") for source in found.loaded)
    assert not {"script", "iframe", "object", "embed"} & set(found.tags)
    assert not re.search(r"@import|url\(", page)


def test_the_page_has_curves_errors_confusion_mistakes_and_configuration(page, run):
    record = json.loads((run / "test.json").read_text())
    titles = re.findall(r"<h[23]>(.*?)</h[23]>", page)
    for title in ("Networks", "Curves", "Confused", "Most confident mistakes", "Configuration"):
        assert title in titles
    assert "ResNet-8, 1-crop" in titles
    assert f"<td class=number>{record['top1']['error']:.2f}</td>" in page
    assert page.count('alt="image ') == len(record["mistakes"]) == 24
    assert "ResNet-56</td><td class=number>853,018" in page
    assert "&quot;epochs&quot;: 2" in page


def test_what_files_say_is_text_and_not_markup(page):
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<h1>a &lt;run&gt; &amp; more</h1>" in page


def test_a_run_of_evaluations_alone_has_a_report(run, tmp_path):
    for path in run.glob("test.*"):
        shutil.copy(path, tmp_path)
    path = write_report(tmp_path, tmp_path / "deep" / "page.html")
    assert "<h2>Curves" not in path.read_text()


def test_a_folder_without_results_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must hold the results.json.*a folder with neither"):
        read_run(tmp_path)
    with pytest.raises(ValueError, match=r"`run` must be a folder. Received: .*none"):
        read_run(tmp_path / "none")
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(ValueError, match=r"results.json is damaged"):
        read_run(tmp_path)


def test_networks_of_the_digits_are_evaluated_for_the_report(tmp_path):
    pytest.importorskip("sklearn")
    model = filled("cifar_resnet8", input_shape=(16, 16, 1))
    model.save(tmp_path / "resnet8.keras")
    record = {"digits": {}, "networks": {"cifar_resnet8": {"history": HISTORY}}}
    (tmp_path / "results.json").write_text(json.dumps(record))
    found = read_run(tmp_path).evaluations["evaluation-resnet8"]
    assert found["top1"]["images"] == 360
    assert (tmp_path / "evaluation-resnet8.json").exists()
    elsewhere = json.loads((tmp_path / "evaluation-resnet8.json").read_text())
    elsewhere["configuration"]["backend"] = "another"
    (tmp_path / "evaluation-resnet8.json").write_text(json.dumps(elsewhere))
    assert read_run(tmp_path).evaluations["evaluation-resnet8"] == elsewhere
    model.get_layer("fc").set_weights([np.zeros((64, 10)), np.zeros(10)])
    model.save(tmp_path / "resnet8.keras")
    with pytest.raises(ValueError, match="holds results of another configuration"):
        read_run(tmp_path)


def browse(path: pathlib.Path, width: int) -> tuple[str, list[str]]:
    """The page's title once it has been laid out, and what the browser's console says."""
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [
                BROWSER,
                *FLAGS,
                f"--window-size={width},1200",
                f"--user-data-dir={profile}",
                "--dump-dom",
                path.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=60,
        )
    title = re.search("<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title, done.stderr
    return title[1], [line for line in done.stderr.splitlines() if "CONSOLE" in line]


MEASURE = """<script>addEventListener("load", () => {
  const broken = [...document.images].filter((image) => !image.naturalWidth).length;
  const small = [...document.querySelectorAll("td, p, summary")]
    .filter((x) => parseFloat(getComputedStyle(x).fontSize) < 12).length
    // Text of pictures is drawn 13.3 pixels high.
    + [...document.querySelectorAll("img[src^='data:image/svg']")]
    .filter((x) => 13.3 * x.width / x.naturalWidth < 12).length;
  const cut = [...document.querySelectorAll(".wide")]
    .filter((x) => x.scrollWidth > x.clientWidth).length;
  const wide = document.documentElement.scrollWidth;
  parent.document.title = [wide, innerWidth, broken, small, cut].join(" ");
});</script>"""


@pytest.mark.skipif(not BROWSER, reason="there is no Chromium")
@pytest.mark.parametrize("width", [400, 1600])
def test_a_browser_shows_the_page_without_errors_and_without_overflow(width, page, tmp_path):
    measured = tmp_path / "measured.html"
    # In a frame: Chromium's own windows are 500 pixels wide at least.
    framed = html.escape(page.replace("</body>", f"{MEASURE}</body>"))
    measured.write_text(
        f'<title>not measured</title><iframe srcdoc="{framed}" '
        f'style="width: {width}px; height: 1200px; border: 0"></iframe>'
    )
    title, errors = browse(measured, width)
    assert errors == []
    wide, inner, broken, small, cut = map(int, title.split())
    assert (broken, small, cut) == (0, 0, 0)
    assert wide <= inner == width


@pytest.mark.skipif(not BROWSER, reason="there is no Chromium")
def test_the_browser_would_report_an_error(tmp_path):
    path = tmp_path / "wrong.html"
    path.write_text("<title>wrong</title><script>nothing()</script>")
    assert "ReferenceError" in browse(path, 400)[1][0]
