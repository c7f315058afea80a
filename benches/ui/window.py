"""Measures the window: frames, ages, input, start, memory. Prints one `row` per figure; `cargo xtask bench ui` keeps them.

Run as `window.py BIN_DIR WORK_DIR` inside a private session bus, on a virtual screen and without a graphics card: what a
person with a card sees is faster. Medians of RUNS runs.
"""
import os, statistics, sys
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../tests/desktop"))
from window import *
import world

RUNS = int(os.environ.get("STRONGROOM_BENCH_RUNS", "5"))
SECONDS = 8
LEVELS = 40
keyring()
screen()


def row(name, value, unit, target=None, samples=RUNS, **more):
    print("row " + json.dumps({"name": name, "value": round(value, 2), "unit": unit, "samples": samples, "target": target, **more}), flush=True)


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def busy(rate):
    """A desk whose book changes so often, and a window on it."""
    profile = os.path.join(WORK, f"busy-{rate}-{time.time_ns()}")
    os.makedirs(profile)
    desk = start(f"{BIN}/busy_desk", profile, rate, LEVELS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert desk.stdout.readline() == "ready\n"
    ages = os.path.join(profile, "ages")
    app = Window(dir=profile, environment={"STRONGROOM_DRIVEN_AGES": ages})
    app.by("trade")
    app.until("stream-state", "live")
    time.sleep(2)
    return desk, app, ages


FRAMES = """
const gaps = []; let last = performance.now();
await new Promise((done) => {
  const end = last + args[0];
  const look = (now) => { gaps.push(now - last); last = now; if (now < end) requestAnimationFrame(look); else done(); };
  requestAnimationFrame(look);
});
return gaps.slice(1);
"""
INPUT = """
const took = [];
for (let n = 0; n < 40; n++) {
  const button = document.querySelector(n % 2 ? '[data-testid="side-buy"]' : '[data-testid="side-sell"]');
  await new Promise((done) => setTimeout(done, 60 + n * 3));
  const begin = performance.now();
  button.click();
  await new Promise((done) => requestAnimationFrame(() => { const port = new MessageChannel(); port.port1.onmessage = done; port.port2.postMessage(0); }));
  took.push(performance.now() - begin);
}
return took;
"""

print(f"# {os.uname().machine}, {os.cpu_count()} cores, {open('/proc/cpuinfo').read().split('model name')[1].split(chr(10))[0].strip(': ')}")
print(f"# WebKitGTK {subprocess.run(['dpkg-query', '-W', '-f=${Version}', 'libwebkit2gtk-4.1-0'], capture_output=True, text=True).stdout}, Xvfb 1440x900, software rendering")
p95 = {}
for rate in (1_000, 10_000):
    frames, ages_p95, inputs = [], [], []
    for run in range(RUNS):
        desk, app, ages = busy(rate)
        before = len(open(ages).readlines())
        frames.append(percentile(app.run(FRAMES, SECONDS * 1_000), 95))
        ages_p95.append(percentile([int(age) for age in open(ages).readlines()[before:]], 95) / 1_000)
        if rate == 1_000:
            inputs.append(percentile(app.run(INPUT), 95))
        app.close()
        desk.stdin.close()
        desk.wait()
        print(f"# run {run} at {rate}/s: frame p95 {frames[-1]:.1f} ms, age p95 {ages_p95[-1]:.1f} ms", flush=True)
    p95[rate] = statistics.median(frames)
    row(f"trade scene, p95 frame at {rate} updates/s", p95[rate], "ms", 25 if rate == 1_000 else round(p95[1_000] * 1.15, 1))
    row(f"book change to drawn and acknowledged, p95 at {rate} updates/s", statistics.median(ages_p95), "ms", 40)
    if inputs:
        row("click to painted, p95", statistics.median(inputs), "ms", 50)
row("p95 frame, 10 000 to 1 000 updates/s", (p95[10_000] / p95[1_000] - 1) * 100, "% slower", 15)

daemon = world.Daemon()
person = world.Person()
person.imports("practice")
daemon.stop()
starts = {"cold": [], "warm": []}
for kind in starts:
    for _ in range(RUNS):
        if kind == "cold":
            subprocess.run(["sync"])
            try:
                open("/proc/sys/vm/drop_caches", "w").write("3")
            except OSError:
                print("# the page cache could not be dropped")
        log = open(os.path.join(WORK, "start.log"), "w+")
        app = start(f"{BIN}/strongroom-app-driven", "--dir", DIR, stderr=log)

        def ready():
            log.seek(0)
            return re.search(r"ready lock after (\d+) us", log.read())
        starts[kind].append(int(eventually("the lock screen", ready, 60).group(1)) / 1_000)
        app.kill()
        app.wait()
        desk_ended()
        time.sleep(1)
row("cold start to usable lock screen, desk included", statistics.median(starts["cold"]), "ms", 800)
row("warm start to usable lock screen, desk included", statistics.median(starts["warm"]), "ms")



def is_ours(pid):
    """Whether it, or a process that it descends from, knows our folder: web processes keep neither environment nor arguments."""
    while pid > 1:
        if WORK.encode() in open(f"/proc/{pid}/environ", "rb").read() + open(f"/proc/{pid}/cmdline", "rb").read():
            return True
        pid = int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])
    return False


sizes = []
for _ in range(RUNS):
    app = Window()
    app.by("lock-screen")
    person.unlocks()
    app.by("trade")
    app.until("stream-state", "live")
    time.sleep(5)
    tree = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            name = executable(int(pid))
            ours = is_ours(int(pid))
        except OSError:
            continue
        if name and (name.startswith("strongroom") or name.startswith("WebKit")) and name != "WebKitWebDriver" and (ours or name == "strongroom-signer"):
            pss = re.search(r"^Pss:\s+(\d+)", open(f"/proc/{pid}/smaps_rollup").read(), re.M)
            tree[name] = tree.get(name, 0) + int(pss.group(1)) / 1_024
    sizes.append(sum(tree.values()))
    print("# " + ", ".join(f"{name} {size:.0f} MiB" for name, size in sorted(tree.items())), flush=True)
    app.close()
    desk_ended()
    time.sleep(1)
row("memory of the whole process tree (PSS), trade scene", statistics.median(sizes), "MiB", 320)
