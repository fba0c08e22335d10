"""Opens the report of `netloom diff --format html`, and pictures of `netloom graph`, in headless Chromium.

Usage: html_report.py NETLOOM [EXAMPLES]

The report is of a pull request that toggles encryption, switches a provider, adds a zone and brings hostile names. No request leaves
the page, nothing is logged, pictures are there, nothing is wider than the window, text has contrast in both colour schemes, the
filter works, and without scripts everything is there. Pictures of the examples are measured as they are drawn: text stays in its
box and clear of other text; and mermaid and Graphviz read theirs. Screenshots go to target/report.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import chromium
from common import Report, projects, usage

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "target" / "report"
MERMAID = ROOT / "target" / "tools" / "mermaid" / "mermaid.min.js"
IDENTITY = ["-c", "user.name=n", "-c", "user.email=n@example.com", "-c", "commit.gpgsign=false"]
EVIL = "```\\n::error::x\\n</details></script><img src=http://127.0.0.1:9/x onerror=alert(1)> @team ##[error]y `z` --> |"

HEAD = "apiVersion: netloom.dev/v1alpha1\nkind: {kind}\nmetadata: {{name: {name}}}\n"
OVERLAY = HEAD.format(kind="Overlay", name="house") + "spec: {resources: [{path: settings.yaml}]}\n"
SETTINGS = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings, namespace: default}}\ndata: {data}\n"
NETWORK = """\
spec:
  aws:
    region: us-west-2
    cidr: {cidr}
    zones: [{zones}]
    topology: private
"""
CLUSTER = """\
spec:
  network: {network}
  kubernetesVersion: "1.33"
  nodes: {{max: 50, kernel: "5.15"}}
  overlays: [house]
  networking: {networking}
"""

# Every text of the page that is seen: its element's colour on what is behind it, as WCAG 2 computes contrast.
CONTRAST = """(() => {
  const channel = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const numbers = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const clear = (color) => !color || color === "none" || (numbers(color).length === 4 && numbers(color)[3] === 0);
  const behindText = (text) => {
    const { x, y, width, height } = text.getBBox();
    const holds = (rect) => { const box = rect.getBBox();
      return box.x <= x && box.y <= y + height / 2 && box.x + box.width >= x + width / 2 && box.y + box.height >= y + height / 2; };
    const rects = [...text.ownerSVGElement.querySelectorAll("rect")].filter(holds);
    return getComputedStyle(rects.pop()).fill;
  };
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const color = getComputedStyle(element).backgroundColor;
      if (!clear(color)) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  const walker = document.createTreeWalker(document.body || document.documentElement, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    const element = node.parentElement;
    if (!node.data.trim() || ["SCRIPT", "STYLE", "title", "OPTION"].includes(element.tagName)) continue;
    if (!element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const drawn = element.tagName === "text";
    const [color, ground] = drawn ? [style.fill, behindText(element)] : [style.color, behind(element)];
    const [a, b] = [light(numbers(color)), light(numbers(ground))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    found.push([ratio, node.data.trim().slice(0, 40), color, ground]);
  }
  return { texts: found.length, poor: found.filter(([ratio]) => ratio < 4.5).slice(0, 5) };
})()"""

# Text of a drawn picture that crosses the border of a box or lies on other text, as the browser has laid it out.
CROSSED = """(() => {
  const edges = (element) => { const { x, y, width, height } = element.getBBox(); return [x, y, x + width, y + height]; };
  const apart = (a, b) => a[2] <= b[0] || b[2] <= a[0] || a[3] <= b[1] || b[3] <= a[1];
  const inside = (a, b) => a[0] >= b[0] && a[1] >= b[1] && a[2] <= b[2] && a[3] <= b[3];
  const found = [];
  for (const svg of document.querySelectorAll("svg")) {
    const boxes = [...svg.querySelectorAll("rect")].map(edges);
    const texts = [...svg.querySelectorAll("text")].map((text) => [edges(text), text.firstChild.data]);
    // Lines of text have some room above and below that no letter reaches.
    for (const [edge] of texts) { edge[1] += 3; edge[3] -= 3; }
    texts.forEach(([edge, text], at) => {
      if (boxes.some((box) => !apart(edge, box) && !inside(edge, box))) found.push(`${text} crosses a border`);
      const other = texts.slice(at + 1).find(([one]) => !apart(edge, one));
      if (other) found.push(`${text} lies on ${other[1]}`);
    });
  }
  return found.slice(0, 5);
})()"""


def command(*words, folder, environment):
    done = subprocess.run(words, cwd=folder, env=environment, text=True, capture_output=True)
    return done.stdout if done.returncode == 0 else sys.exit(f"{' '.join(map(str, words))}: {done.stderr}")


def lay_out(folder, zones, networks, settings):
    """A project with these zones, the networking of its clusters, and the settings of a ConfigMap."""
    (folder / "overlays/house").mkdir(parents=True, exist_ok=True)
    (folder / "declarations").mkdir(exist_ok=True)
    files = {"netloom.yaml": HEAD.format(kind="Project", name="fleet"), "overlays/house/overlay.yaml": OVERLAY}
    files["overlays/house/settings.yaml"] = SETTINGS.format(data=json.dumps(settings))
    documents = []
    for at, (name, networking) in enumerate(networks.items()):
        network = NETWORK.format(cidr=f"10.{at}.0.0/16", zones=", ".join(zones if at == 2 else zones[:2]))
        documents.append(HEAD.format(kind="Network", name=f"{name}-vpc") + network)
        documents.append(HEAD.format(kind="Cluster", name=name) + CLUSTER.format(network=f"{name}-vpc", networking=networking))
    files["declarations/all.yaml"] = "---\n".join(documents)
    for path, text in files.items():
        (folder / path).write_text(text, encoding="utf-8")


def report_of(netloom, folder):
    """The report of a pull request, as a file."""
    project, environment = folder / "project", {"PATH": os.environ["PATH"], "HOME": str(folder)}
    lay_out(project, ["us-west-2a", "us-west-2b"], {"one": "{weave: {encryption: {enabled: false}}}", "two": "{flannel: {}}", "three": "{canal: {}}"}, {"level": "1"})
    for words in [["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "one"]]:
        command("git", *IDENTITY, *words, folder=project, environment=environment)
    lay_out(project, ["us-west-2a", "us-west-2b", "us-west-2c"], {"one": "{weave: {}}", "two": "{calico: {}}", "three": "{canal: {}}"}, {"level": "1", "a.b": EVIL.replace("\\n", "\n")})
    text = command(netloom, "diff", "--quiet", "--base", "HEAD", "--format", "html", folder=project, environment=environment)
    file = OUT / "report.html"
    file.write_text(text, encoding="utf-8")
    return file


def events(browser):
    """Requests beside the page's own, and whatever was logged."""
    for event in browser.events:
        parameters = event["params"]
        if event["method"] == "Network.requestWillBeSent" and parameters["type"] != "Document":
            yield f"asks for {parameters['request']['url']}"
        if event["method"] in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
            yield f"logs {json.dumps(parameters)[:300]}"
        if event["method"] == "Page.javascriptDialogOpening":
            yield f"opens a dialog: {parameters['message']}"


def seen(browser, sizes):
    """What is wrong with the page in both colour schemes and at some widths; keeps a screenshot of each."""
    for width, scheme, picture in sizes:
        browser.look(width, scheme)
        wide = browser.value("document.documentElement.scrollWidth")
        if wide > width:
            yield f"is {wide} pixels wide in a window of {width}"
        browser.screenshot(picture)
        contrast = browser.value(CONTRAST)
        if not contrast["texts"]:
            yield "has no text"
        for ratio, text, color, ground in contrast["poor"]:
            yield f"{scheme}: `{text}` is {color} on {ground}: {ratio:.2f}"


def filtered(browser):
    """What is wrong with the filter."""
    choose = "(name, value) => { const f = document.forms[0]; f.elements[name].value = value; f.dispatchEvent(new Event('input')); }"
    count = "[...document.querySelectorAll('.item[data-kind]')].filter((one) => !one.closest('[data-hidden]')).length"
    every = browser.value(count)
    for name, value in [("class", "downtime"), ("kind", "DaemonSet"), ("unit", "clusters/two")]:
        browser.value(f"({choose})({name!r}, {value!r})")
        left = browser.value(count)
        if not 0 < left < every:
            yield f"{name} {value}: {left} of {every} are shown"
        browser.value(f"({choose})({name!r}, '')")
    if browser.value(count) != every:
        yield "not everything comes back"


def check_report(report, browser, file):
    browser.open(file)
    report.check("report: nothing is asked for or logged", list(events(browser)))
    classes = browser.value("[...document.querySelectorAll('h1 .chip')].map((one) => one.textContent).join()")
    report.check("report: the worst class is in its title", [] if classes in ("unknown", "downtime", "unsupported") else [classes])
    hostile = browser.value("document.body.textContent.includes('<img src=http://127.0.0.1:9/x onerror=alert(1)>')")
    images = browser.value("document.querySelectorAll('img, iframe, object, link, [onerror], main script').length")
    report.check("report: hostile text is shown and is text", [] if hostile and not images else [f"{hostile} {images}"])
    report.check("report: the filter", list(filtered(browser)))
    sizes = [(width, scheme, OUT / f"report-{width}-{scheme}.png") for width in (1200, 400) for scheme in ("light", "dark")]
    report.check("report: as it is opened", list(seen(browser, sizes)))
    browser.value("document.forms[0].elements.open.click()")
    shut = browser.value("document.querySelectorAll('details:not([open])').length")
    report.check("report: everything unfolds", [f"{shut} are folded"] if shut else [])
    sizes = [(width, scheme, OUT / f"unfolded-{width}-{scheme}.png") for width in (1200, 400) for scheme in ("light", "dark")]
    report.check("report: unfolded", list(seen(browser, sizes)))
    small = "[...document.querySelectorAll('svg')].filter((one) => Math.min(one.clientWidth, one.clientHeight) < 300).length"
    drawn = [browser.value("document.querySelectorAll('svg').length"), browser.value(small)]
    report.check("report: before and after of three clusters", [] if drawn == [6, 0] else [f"pictures, too small: {drawn}"])
    report.check("report: text of the pictures", browser.value(CROSSED))
    report.check("report: nothing was asked for or logged meanwhile", list(events(browser)))
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(file)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    plain = "document.forms[0].hidden && !document.querySelector('[data-hidden]')"
    report.check("report: without scripts nothing is hidden but the filter", [] if browser.value(plain) else ["it is"])


def pictures_of(netloom, project):
    """Names of a project's clusters."""
    done = subprocess.run([netloom, "check", "--project", project, "--format", "json"], text=True, capture_output=True)
    units = [unit["folder"] for unit in json.loads(done.stdout)["units"]]
    return [folder.removeprefix("clusters/") for folder in units if folder.startswith("clusters/")]


def check_pictures(report, browser, netloom, folders, scratch):
    canvas = scratch / "mermaid.html"
    canvas.write_text(f"<!doctype html><meta charset=utf-8><body><script src='{MERMAID.as_uri()}'></script>", encoding="utf-8")
    for project in projects(folders):
        for cluster in pictures_of(netloom, project)[:24]:
            draw = [netloom, "graph", "--quiet", "--project", project, "--cluster", cluster, "--as"]
            text = {language: subprocess.run([*draw, language], text=True, capture_output=True).stdout for language in ("svg", "dot", "mermaid")}
            file = OUT / f"{project.name}-{cluster}.svg"
            file.write_text(text["svg"], encoding="utf-8")
            browser.open(file)
            sizes = [(1200, scheme, file.with_suffix(f".{scheme}.png")) for scheme in ("light", "dark")]
            problems = [*events(browser), *seen(browser, sizes), *browser.value(CROSSED)]
            done = subprocess.run(["dot", "-Tsvg"], input=text["dot"], text=True, capture_output=True)
            problems += [f"dot: {done.stderr}"] if done.returncode or done.stderr else []
            browser.open(canvas)
            parsed = browser.value(f"mermaid.parse({json.dumps(text['mermaid'])}).then(() => '', (error) => `mermaid: ${{error.message}}`)")
            report.check(f"{project.name}: the picture of {cluster}", [*problems, *filter(None, [parsed])])


def main():
    if len(sys.argv) < 2:
        sys.exit(usage("name the netloom to run"))
    netloom, folders = str(pathlib.Path(sys.argv[1]).resolve()), [pathlib.Path(folder).resolve() for folder in sys.argv[2:]]
    for needed in ([] if MERMAID.is_file() else [str(MERMAID)]) + ([] if shutil.which("dot") else ["dot"]):
        sys.exit(usage(f"there is no {needed}; .ci/install-tools installs it"))
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    report = Report()
    with tempfile.TemporaryDirectory() as folder, chromium.Chromium() as browser:
        scratch = pathlib.Path(folder).resolve()
        check_report(report, browser, report_of(netloom, scratch))
        check_pictures(report, browser, netloom, folders, scratch)
    report.close()


if __name__ == "__main__":
    main()
