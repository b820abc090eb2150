"""The report page in a real browser; skipped where there is no Chromium with its driver."""

import json
import shutil
from dataclasses import replace

import pytest

from rntk_bench.report.page.labels import Labels
from rntk_bench.report.page.render import render_page
from rntk_bench.report.results.results import collect_results
from rntk_bench.storage.records import read_records
from tests.paths import REFERENCE

webdriver = pytest.importorskip("selenium.webdriver")
keys = pytest.importorskip("selenium.webdriver.common.keys").Keys

DATASETS = ("ArrowHead", "Coffee", "ECG200", "GunPoint", "Ham", "Meat", "UMD")
METHODS = ("rntk", "ntk", "rbf", "gru", "nngp")
HOSTILE = '<script>document.title = "hacked"</script><img src=x onerror=alert(1)>'
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
DRIVER = shutil.which("chromedriver")
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs Chromium and chromedriver on the PATH"
)

# Relative luminance and contrast as WCAG 2 defines them, of an element's text on what is behind
# it; translucent backgrounds are laid over those of the elements around.
CONTRAST = """
const over = (top, below) => below.map((c, i) => top[3] * top[i] + (1 - top[3]) * c);
const parse = (colour) => {
  const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
  return [r, g, b, a];
};
const behind = (part) => {
  const own = parse(getComputedStyle(part).backgroundColor);
  const opaque = own[3] === 1 || !part.parentElement;
  return opaque ? own.slice(0, 3) : over(own, behind(part.parentElement));
};
const luminance = (colour) => {
  const [r, g, b] = colour.map((c) =>
    c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
return [...document.querySelectorAll(arguments[0])].map((part) => {
  const paper = behind(part);
  const ink = over(parse(getComputedStyle(part).color), paper);
  const [dark, light] = [luminance(ink), luminance(paper)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
});
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    records = [
        replace(record, warnings=[HOSTILE]) if record.method == "rntk" else record
        for record in read_records(REFERENCE)[0]
        if record.dataset in DATASETS and record.method in METHODS
    ]
    results = collect_results(records)
    path = folder / "report.html"
    path.write_text(render_page(results, Labels(cache_dir=folder)), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(scope="module")
def driver():
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in ARGUMENTS:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    with webdriver.Chrome(options, webdriver.ChromeService(DRIVER)) as driver:
        yield driver


@pytest.fixture
def browser(driver, page):
    """The page, freshly loaded, wide and light."""
    look(driver, "light", 1280)
    driver.get(page)
    return driver


def look(driver, scheme, width):
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def find(browser, selector):
    return browser.find_element("css selector", selector)


def column(browser, table, index):
    """What a reader sees in a column, from top to bottom."""
    return browser.execute_script(
        "return [...document.querySelectorAll(arguments[0] + ' tbody tr')]"
        ".filter((row) => !row.hidden).map((row) => row.cells[arguments[1]].textContent.trim())",
        table,
        index,
    )


def heading(browser, table, label):
    return find(browser, f"{table} button[aria-label='{label}, sort']")


def order(button):
    return button.find_element("xpath", "..").get_attribute("aria-sort")


def numbers(texts):
    return [float(text.rstrip("†")) for text in texts if text != "–"]


def test_it_loads_without_a_word_in_the_console_or_a_request(browser, page):
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(page)
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requests = [
        message["params"]["request"]["url"]
        for message in messages
        if message["method"] == "Network.requestWillBeSent"
    ]
    assert requests == [page]
    assert browser.get_log("browser") == []


def test_what_records_say_stays_text(browser):
    assert browser.title == "rntk-bench report"
    find(browser, "#dataset-Coffee > summary").click()
    assert HOSTILE in find(browser, "#dataset-Coffee").text
    assert browser.execute_script("return document.querySelectorAll('img, script').length") == 1


def test_a_click_sorts_numbers_up_and_another_down(browser):
    button = heading(browser, "#table-2", "RNTK ours")
    before = column(browser, "#table-2", 1)
    button.click()
    assert order(button) == "ascending"
    assert numbers(column(browser, "#table-2", 1)) == sorted(numbers(before))
    assert numbers(before) != sorted(numbers(before))
    button.click()
    assert order(button) == "descending"
    assert numbers(column(browser, "#table-2", 1)) == sorted(numbers(before), reverse=True)
    assert "sorted by RNTK ours, descending" in find(browser, "#table-2 output").text
    # Rows move as a whole.
    assert column(browser, "#table-2", 0)[0] == DATASETS[before.index(max(before, key=float))]


def test_the_keyboard_sorts_and_what_is_missing_stays_last(browser):
    button = heading(browser, "#table-1", "paper mean")
    for key, direction in ((keys.ENTER, "ascending"), (keys.SPACE, "descending")):
        button.send_keys(key)
        assert order(button) == direction
        shown = column(browser, "#table-1", 5)
        assert shown[-1] == "–"
        assert numbers(shown) == sorted(numbers(shown), reverse=direction == "descending")
    names = heading(browser, "#table-1", "method")
    names.send_keys(keys.ENTER)
    assert order(button) is None
    assert column(browser, "#table-1", 0) == sorted(column(browser, "#table-1", 0))


def test_a_filter_keeps_the_rows_it_names_and_counts_them(browser):
    field = find(browser, "#table-2 input[type=search]")
    field.send_keys("gun")
    assert column(browser, "#table-2", 0) == ["GunPoint"]
    assert find(browser, "#table-2 output").text == "1 of 7 rows"
    heading(browser, "#table-2", "NTK ours").click()
    assert column(browser, "#table-2", 0) == ["GunPoint"]
    field.send_keys(*[keys.BACKSPACE] * 3)
    assert len(column(browser, "#table-2", 0)) == 7
    assert find(browser, "label:has(input[type=search])").text.startswith("Filter rows of Table 1")


def test_columns_can_be_left_out(browser):
    find(browser, "#table-2 .columns summary").click()
    for title in ("paper", "diff", "RBF"):
        find(browser, f"#table-2 .columns input[data-title='{title}']").click()
    shown = "return [...document.querySelectorAll('#table-2 thead th')]"
    shown += ".filter((th) => th.offsetWidth).map((th) => [th.textContent, th.colSpan])"
    assert browser.execute_script(shown) == [
        *(["dataset", 1], ["RNTK", 1], ["NTK", 1], ["GRU", 1], ["NNGP", 1]),
        *([["ours", 1]] * 3),
    ]
    first_row = find(browser, "#table-2 tbody tr").text.split()
    assert len(first_row) == 5


def test_sections_open_by_key_and_by_the_table(browser):
    section = find(browser, "#dataset-Coffee")
    find(browser, "#dataset-Coffee > summary").send_keys(keys.ENTER)
    assert section.get_attribute("open")
    find(browser, "#datasets input[type=search]").send_keys("ham")
    assert find(browser, "#datasets output").text == "1 of 7 datasets"
    assert not section.is_displayed()
    find(browser, "#table-2 a[href='#dataset-GunPoint']").click()
    target = find(browser, "#dataset-GunPoint")
    assert target.is_displayed()
    assert target.get_attribute("open")
    assert find(browser, "#datasets output").text == "7 of 7 datasets"
    for label, opened in (("Open all", 7), ("Close all", 0)):
        find(browser, f"#datasets button[data-open={'true' if opened else 'false'}]").click()
        assert len(browser.find_elements("css selector", ".dataset[open]")) == opened, label


def test_a_command_can_be_copied(browser):
    permission = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", permission)
    find(browser, "#protocols summary").click()
    button = find(browser, "#protocols .command button")
    button.click()
    copied = browser.execute_async_script(
        "const done = arguments[0]; navigator.clipboard.readText().then(done, String)"
    )
    assert copied == find(browser, "#protocols pre").text
    assert copied.startswith("cat > rntk-")
    assert button.text == "Copied"


def test_the_first_tab_offers_to_skip_to_the_results(browser):
    find(browser, "body").send_keys(keys.TAB)
    skip = browser.switch_to.active_element
    assert skip.text == "Skip to the results"
    assert skip.rect["x"] >= 0
    assert browser.execute_script("return getComputedStyle(arguments[0]).outlineStyle", skip) != (
        "none"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_in_light_and_in_dark(browser, scheme):
    look(browser, scheme, 1280)
    paper = "return getComputedStyle(document.body).backgroundColor"
    assert (browser.execute_script(paper) == "rgb(255, 255, 255)") == (scheme == "light")
    browser.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    parts = "h1, p, a, dt, dd, th, td, button, output, summary span, figcaption, pre, input"
    contrasts = browser.execute_script(CONTRAST, parts)
    assert len(contrasts) > 5000
    assert min(contrasts) >= 4.5
    cells = browser.find_elements("css selector", ".h10, .confusion .right, .confusion .wrong")
    assert len(cells) > 50


def test_a_phone_scrolls_tables_and_not_the_page(browser):
    look(browser, "light", 390)
    browser.execute_script("document.querySelectorAll('details').forEach((d) => { d.open = true })")
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    wide = "return document.querySelector('#table-2 table').offsetWidth"
    assert browser.execute_script(wide) > 390
