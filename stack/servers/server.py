"""One server: how it is started and watched until it answers. Its kind is said by a subclass."""

import os
import subprocess
import time

from host import PidFile, Trouble, describe_holder, port_is_free

HINTS = (
    ("Address already in use", "Its port was taken meanwhile. Choose another with --ports."),
    ("BindException", "Its port was taken meanwhile. Choose another with --ports."),
    ("No space left on device", "The disk is full."),
    ("OutOfMemoryError", "There is too little memory; stop other programs."),
    ("insufficient memory", "There is too little memory; stop other programs."),
    ("Permission denied", "Its folder belongs to another user."),
    ("AccessDenied", "Its folder belongs to another user."),
    (
        "Incompatible clusterIDs",
        "Its data belong to another HDFS. stack/down --wipe removes all data of this stack.",
    ),
)


class Server:
    name = ""
    ports = {}  # name of each port -> its default; the first is the one that clients use
    stop_seconds_max = 30

    def __init__(self, stack):
        self.stack = stack
        self.home = os.path.join(stack.dir, self.name)
        self.log = os.path.join(stack.dir, "logs", self.name + ".log")
        self.pid_file = PidFile(os.path.join(stack.dir, "pids", self.name))
        self._child = None

    # What a subclass says.

    def data(self):
        """The folders that `down --wipe` removes."""
        return [self.home]

    def prepare(self):
        """Writes the settings, and formats the data's folder where that was not done yet."""

    def command(self):
        """The arguments, and the executable where that is not the first of them."""
        raise NotImplementedError

    def trouble(self):
        """Asks the server itself. None if it is ready to serve, else what is missing."""
        raise NotImplementedError

    # What is the same for all.

    def java_marks(self):
        """Shows whose process it is, and keeps what it leaves behind in the stack's folder."""
        return [
            f"-Dweir.stack={self.stack.dir}",
            f"-Djava.io.tmpdir={os.path.join(self.stack.dir, 'tmp')}",
        ]

    def port(self, name=None):
        return self.stack.ports[name or next(iter(self.ports))]

    def address(self, name=None):
        return f"127.0.0.1:{self.port(name)}"

    def state(self):
        """One of up, starting, died, down; and the pid."""
        pid = self.pid_file.live_pid()
        if pid is None:
            return ("died" if self.pid_file.exists() else "down"), None
        return ("starting" if self.trouble() else "up"), pid

    def check_ports(self):
        taken = []
        for name in self.ports:
            port = self.port(name)
            if not port_is_free(port):
                taken.append(
                    f"port {port} of 127.0.0.1, which is for {self.name} (--ports {name}=), "
                    f"is taken by {describe_holder(port)}"
                )
        return taken

    def run_once(self, what, argv, **options):
        """Runs a short command, such as a formatter; its output goes to the server's log."""
        with open(self.log, "ab") as log:
            code = subprocess.run(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                start_new_session=True,
                **options,
            ).returncode
        if code != 0:
            raise Trouble(f"{self.name}: {what} failed (exit code {code}).\n{self.log_tail()}")

    def launch(self):
        os.makedirs(self.home, exist_ok=True)
        if os.path.exists(self.log):
            os.replace(self.log, self.log + ".1")
        self.prepare()
        argv, executable = self.command()
        # In a session of its own, so that a Ctrl-C in the terminal that started it does not reach
        # it.
        with open(self.log, "ab") as log:
            self._child = subprocess.Popen(
                argv,
                executable=executable,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                start_new_session=True,
            )
        self.pid_file.write(self._child.pid)

    def wait_until_up(self, deadline, stop):
        while True:
            if self._child is not None and self._child.poll() is not None:
                code = self._child.returncode
                how = f"exit code {code}" if code >= 0 else f"signal {-code}"
                raise Trouble(f"{self.name} ended while starting ({how}).\n{self.log_tail()}")
            if self.pid_file.live_pid() is None:
                raise Trouble(f"{self.name} ended while starting.\n{self.log_tail()}")
            trouble = self.trouble()
            if trouble is None or stop.is_set():
                return
            if time.monotonic() > deadline:
                raise Trouble(
                    f"{self.name} runs at {self.address()}, but was not ready in time: {trouble}.\n"
                    f"{self.log_tail()}\nIt was left running; stack/up again waits for it again."
                )
            time.sleep(0.1)

    def log_tail(self):
        try:
            with open(self.log, errors="replace") as file:
                lines = [line.rstrip() for line in file.readlines()[-400:]]
        except OSError:
            lines = []
        lines = lines or ["(empty)"]
        hint = next((hint for sign, hint in HINTS if any(sign in line for line in lines)), None)
        # A Java trace ends in frames that say little; the lines that name the error say most.
        told = [line for line in lines if not line.lstrip().startswith(("at ", "... "))][-15:]
        text = f"Its log, {self.log}, ends:\n" + "\n".join("  " + line[:300] for line in told)
        return text + (f"\n{hint}" if hint else "")
