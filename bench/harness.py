"""What the benches share: programs built, servers of their own, processes measured, tables printed."""

import concurrent.futures
import contextlib
import fcntl
import http.client
import json
import os
import platform
import shlex
import signal
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
STACK_DIR = ROOT / ".weir" / "bench-stack"
DATA_DIR = ROOT / ".weir" / "bench-data"
LOG_DIR = ROOT / ".weir" / "bench-logs"
TICK = os.sysconf("SC_CLK_TCK")


class Trouble(Exception):
    """Something to tell the user: what was tried and why it failed."""


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def run(*argv, **options):
    """Runs a command to its end and returns its stdout; its stderr is shown only if it fails."""
    argv = [str(word) for word in argv]
    done = subprocess.run(argv, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        tail = "\n".join((done.stderr + done.stdout).splitlines()[-25:])
        raise Trouble(f"{shlex.join(argv)} ended with {done.returncode}:\n{tail}")
    return done.stdout


# --- Programs -------------------------------------------------------------------------------------


def build(*targets):
    say("building " + ", ".join(targets))
    run("stack/setup", cwd=ROOT)
    run(
        *("cmake", "--preset", "release", "-B", BUILD, "-DWEIR_BENCH=ON", "-DBUILD_TESTING=OFF"),
        cwd=ROOT,
    )
    run("cmake", "--build", BUILD, "--target", *targets, cwd=ROOT)


def program(name):
    return str(BUILD / "bench" / name)


def venv(folder, requirements):
    """An environment of Python with just what the file pins, made anew where that has changed. Gives its bin folder."""
    wanted = requirements.read_text()
    mark = folder / "made-of.txt"
    if not mark.exists() or mark.read_text() != wanted:
        say(f"making the Python environment {folder.relative_to(ROOT)}")
        run("/usr/bin/python3", "-m", "venv", "--clear", folder)
        pip = ("install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:")
        run(folder / "bin" / "pip", *pip, "-r", requirements)
        mark.write_text(wanted)
    return folder / "bin"


def find_weir(path):
    weir = Path(path).resolve()
    if not os.access(weir, os.X_OK):
        raise Trouble(
            f"there is no program {weir}. Build it: cmake --preset release -DBUILD_TESTING=OFF && "
            "cmake --build --preset release --target weir"
        )
    newest = max((ROOT / "src").rglob("*.[ch]*"), key=lambda file: file.stat().st_mtime)
    stale = newest.stat().st_mtime > weir.stat().st_mtime
    note = f" (OLDER than {newest.relative_to(ROOT)})" if stale else ""
    return str(weir), run(weir, "--version").splitlines()[0] + note


# --- Servers --------------------------------------------------------------------------------------


class Stack:
    """A stack of the bench's own, wiped at the end."""

    def __init__(self):
        lines = run("bash", "-c", 'set -a; . "$0"; env -0', STACK_DIR / "stack.env").split("\0")
        self.env = dict(line.split("=", 1) for line in lines if "=" in line)
        self.kafka = self.env["WEIR_STACK_KAFKA"]
        self.namenode = self.env["WEIR_STACK_NAMENODE_HTTP"]
        self.env["WEIR_KAFKA_BOOTSTRAP_SERVERS"] = self.kafka
        self.env["NO_COLOR"] = "1"
        self.on_its_core = []  # what comes before the command of a program that is measured
        self.pids = {}
        for file in (STACK_DIR / "pids").iterdir():
            with contextlib.suppress(ValueError, KeyError, TypeError):
                self.pids[file.stem] = json.loads(file.read_text())["pid"]

    def pin(self):
        """The servers on one core, and what is measured, from here on, on another. Returns a line that says so."""
        cores = sorted(os.sched_getaffinity(0))
        if len(cores) < 2:
            raise Trouble("--pinned needs two cores: one for the servers and one for what is measured")
        for pid in self.pids.values():
            run("taskset", "--all-tasks", "--pid", "--cpu-list", cores[0], pid)
        self.on_its_core = ["taskset", "--cpu-list", str(cores[1])]
        return f"pinned: the servers to core {cores[0]}, what is measured to core {cores[1]}, the harness to none"

    def kafka_tool(self, *arguments):
        return run("stack/kafka", "--dir", STACK_DIR, *arguments, cwd=ROOT)

    def webhdfs(self, method, path, **query):
        """A request to the NameNode; redirects are not followed. Returns (status, headers, JSON)."""
        query["user.name"] = self.env.get("USER") or "root"
        text = "&".join(f"{name}={value}" for name, value in query.items())
        connection = http.client.HTTPConnection(self.namenode, timeout=60)
        connection.request(method, f"/webhdfs/v1{path}?{text}")
        answer = connection.getresponse()
        body = answer.read()
        if answer.status >= 400:
            raise Trouble(f"WebHDFS {method} {path} {query}: {answer.status} {body.decode()[:500]}")
        return answer.status, answer.headers, json.loads(body) if body else {}

    def upload(self, file, path):
        """A local file into HDFS, in the place of what is there."""
        deadline = time.monotonic() + 30
        while True:
            try:
                _, headers, _ = self.webhdfs("PUT", path, op="CREATE", overwrite="true")
                break
            except Trouble as trouble:  # its first heartbeats have not told yet how much room it has
                if "Failed to find datanode" not in str(trouble) or time.monotonic() > deadline:
                    raise
                time.sleep(0.5)
        run("curl", "-sSf", "-T", file, headers["Location"])

    def move(self, source, target):
        self.webhdfs("PUT", target.rpartition("/")[0], op="MKDIRS")
        _, _, moved = self.webhdfs("PUT", source, op="RENAME", destination=target)
        if moved != {"boolean": True}:
            raise Trouble(f"HDFS did not move {source} to {target}")

    def stamp_appends(self):
        """Topics carry the broker's time of append from here on."""
        self.kafka_tool(
            *("configs", "--alter", "--entity-type", "brokers", "--entity-default"),
            *("--add-config", "log.message.timestamp.type=LogAppendTime"),
        )


@contextlib.contextmanager
def stack(servers):
    """Starts the servers, with nothing in them, and wipes them at the end, whatever the end is."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(130))
    STACK_DIR.parent.mkdir(exist_ok=True)
    with open(STACK_DIR.parent / "bench.lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Trouble("another bench is running in this clone") from None
        wipe = ("stack/down", "--dir", STACK_DIR, "--wipe")
        if STACK_DIR.exists():
            run(*wipe, cwd=ROOT)
        try:
            say(f"starting {servers} in {STACK_DIR.relative_to(ROOT)}")
            run("stack/up", "--dir", STACK_DIR, "--only", servers, "--ports", "auto", cwd=ROOT)
            yield Stack()
        finally:
            say("stopping the servers and wiping their data")
            run(*wipe, cwd=ROOT)


# --- Measuring ------------------------------------------------------------------------------------


def cpu_seconds(pid):
    """User and system time of a live process and of those that it has started."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    # Its own, and of its children that have ended.
    seconds = sum(map(int, fields[11:15])) / TICK
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # a thread or a child that has just ended
            seconds += sum(map(cpu_seconds, thread.read_text().split()))
    return seconds


def machine_times():
    """(busy, stolen) seconds of all cores since the machine started."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    user, nice, system, _, _, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq) / TICK, steal / TICK


@dataclass
class Measured:
    started: float  # seconds since 1970
    wall: float
    cpu: float  # user and system, of the process and its children that ended
    rss_mb: float  # the highest; never below the harness's own, from whom the process was forked; of copies the sum
    server_cpu: float  # of the servers, meanwhile
    other_cpu: float  # of everything else on the machine, meanwhile
    stolen: float
    stdout: str
    stderr: str


def measure(name, argv, servers=(), seconds_max=300, env=None, copies=1):
    """Runs a command, or several of it beside each other, and measures them; what they say is kept in
    .weir/bench-logs/NAME.{out,err}."""
    LOG_DIR.mkdir(parents=True, exist_ok=True)
    os.sync()  # what earlier runs wrote is not to be written back during this one
    with open(LOG_DIR / f"{name}.out", "w+") as out, open(LOG_DIR / f"{name}.err", "w+") as err:
        busy, stolen = machine_times()
        server_cpu = sum(map(cpu_seconds, servers))
        started, clock = time.time(), time.monotonic()
        argv = [str(word) for word in argv]
        processes = [
            subprocess.Popen(argv, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=env)
            for _ in range(copies)
        ]
        late = threading.Timer(seconds_max, lambda: [each.kill() for each in processes])
        late.start()
        usages = []
        try:
            for process in processes:
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                usages.append(usage)
        finally:
            for process in processes:
                if process.returncode is None:
                    process.kill()
            late.cancel()
        wall = time.monotonic() - clock
        server_cpu = sum(map(cpu_seconds, servers)) - server_cpu
        busy_after, stolen_after = machine_times()
        out.seek(0)
        err.seek(0)
        measured = Measured(
            started=started,
            wall=wall,
            cpu=sum(usage.ru_utime + usage.ru_stime for usage in usages),
            rss_mb=sum(usage.ru_maxrss for usage in usages) / 1024,
            server_cpu=server_cpu,
            other_cpu=0,
            stolen=stolen_after - stolen,
            stdout=out.read(),
            stderr=err.read(),
        )
        measured.other_cpu = max(0, busy_after - busy - measured.cpu - server_cpu)
    failed = [process.returncode for process in processes if process.returncode != 0]
    if failed:
        tail = "\n".join((measured.stderr + measured.stdout).splitlines()[-25:])
        what = f"took over {seconds_max} s" if wall >= seconds_max else f"gave {failed[0]}"
        raise Trouble(f"{name} {what}: {shlex.join(argv)}\n{tail}")
    return measured


class Phase:
    """Processes that run beside each other for a while and are measured as one. All have ended when
    the phase has. Their output is kept in .weir/bench-logs. Threads may share a phase, but not one of
    its processes."""

    def __init__(self, servers):
        self._servers = servers
        self._running = {}
        self._used = 0.0
        self.measured = None

    def __enter__(self):
        LOG_DIR.mkdir(parents=True, exist_ok=True)
        os.sync()
        self._began = (time.time(), *machine_times(), sum(map(cpu_seconds, self._servers)))
        self._own = time.process_time()
        return self

    def __exit__(self, *_):
        for process in list(self._running):
            self.end(process)
        started, busy, stolen, server_cpu = self._began
        busy_after, stolen_after = machine_times()
        server_cpu = sum(map(cpu_seconds, self._servers)) - server_cpu
        used = self._used + time.process_time() - self._own
        self.measured = Measured(
            started=started,
            wall=time.time() - started,
            cpu=used,
            rss_mb=0,
            server_cpu=server_cpu,
            other_cpu=max(0, busy_after - busy - used - server_cpu),
            stolen=stolen_after - stolen,
            stdout="",
            stderr="",
        )

    def start(self, name, argv, env=None):
        argv = [str(word) for word in argv]
        with open(LOG_DIR / f"{name}.out", "a") as out, open(LOG_DIR / f"{name}.err", "a") as err:
            process = subprocess.Popen(
                argv, stdout=out, stderr=err, stdin=subprocess.DEVNULL, env=env
            )
        self._running[process] = name
        return process

    def end(self, process, number=signal.SIGTERM, seconds_max=20):
        """Signals a process and waits for its end. Returns its exit code."""
        os.kill(process.pid, number)
        return self._wait(process, seconds_max)

    def wait(self, process, seconds_max):
        """Waits until a process has ended of its own accord, and well."""
        name = self._running[process]
        code = self._wait(process, seconds_max)
        if code != 0:
            raise Trouble(f"{name} ended with {code}: see {LOG_DIR.relative_to(ROOT)}/{name}.err")

    def has_ended(self, process):
        # Looked at without being waited for: what it used is read when it is waited for.
        return bool(os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))

    def _wait(self, process, seconds_max):
        late = threading.Timer(seconds_max, os.kill, (process.pid, signal.SIGKILL))
        late.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            late.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        self._used += usage.ru_utime + usage.ru_stime
        del self._running[process]
        return process.returncode


def side_by_side(*jobs):
    """Runs each in a thread of its own; returns what they gave, or raises what one of them raised."""
    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as threads:
        return [each.result() for each in [threads.submit(job) for job in jobs]]


def wait_until(check, what, seconds_max=60):
    """Polls until check() gives something, and returns it."""
    deadline = time.monotonic() + seconds_max
    while not (found := check()):
        if time.monotonic() > deadline:
            raise Trouble(f"waited {seconds_max} s in vain until {what}")
        time.sleep(0.02)
    return found


# --- Telling --------------------------------------------------------------------------------------


def conditions(pins=None):
    """Lines on the machine, for above a table. `pins`: what Stack.pin() said."""
    cpu = "unknown processor"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            cpu = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    revision = run("git", "describe", "--always", "--dirty", cwd=ROOT).strip()
    return [
        time.strftime("%Y-%m-%d %H:%M:%S %z") + f", weirkeeper {revision}",
        f"{os.cpu_count()} cores, {cpu}, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"load {os.getloadavg()[0]:.1f} before",
        (pins or "servers, clients and this harness share these cores")
        + "; all is on 127.0.0.1 and in page cache",
        f"clock source: {clock_source()}",
    ]


def clock_source():
    path = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
    return path.read_text().strip() if path.exists() else "unknown"


def quietness(measured):
    """How far the measurement can be trusted: what else the machine did in the measured time."""
    wall = sum(each.wall for each in measured)
    total = max(wall, 1e-9) * (os.cpu_count() or 1)
    stolen = 100 * sum(each.stolen for each in measured) / total
    other = 100 * sum(each.other_cpu for each in measured) / total
    lines = [
        f"of the cores' time while measuring: {other:.1f} % other processes and the kernel, "
        f"{stolen:.1f} % stolen by the host"
    ]
    if other > 15 or stolen > 5:
        lines.append("THE MACHINE WAS NOT QUIET: these figures are not valid")
    return lines


def spread(values, form="{:.2f}"):
    """Median (lowest–highest)."""
    low, high = form.format(min(values)), form.format(max(values))
    return f"{form.format(statistics.median(values))} ({low}–{high})"


def table(header, rows):
    widths = [max(len(str(row[i])) for row in [header, *rows]) for i in range(len(header))]
    lines = [header, ["-" * width for width in widths], *rows]
    for row in lines:
        cells = [str(row[0]).ljust(widths[0])]
        cells += [str(cell).rjust(width) for cell, width in zip(row[1:], widths[1:])]
        print("  ".join(cells).rstrip())



def main(body):
    try:
        sys.exit(body())
    except Trouble as trouble:
        print(f"bench: {trouble}", file=sys.stderr)
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(1)
