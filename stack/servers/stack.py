"""The stack of one folder: its servers, their ports, and how they go up and down together."""

import contextlib
import fcntl
import json
import os
import shlex
import shutil
import sys
import threading
import time

import hdfs
import kafka
import secure
from host import Trouble, pick_free_port, port_is_free
from hdfs import DataNode, NameNode
from redis import Redis
from toxiproxy import LISTENER_PORTS, Toxiproxy

OTHER_KINDS = (NameNode, DataNode, Redis)
OTHER_PORTS = {name: port for kind in OTHER_KINDS for name, port in kind.ports.items()}
PROXY_PORTS = {**LISTENER_PORTS, **Toxiproxy.ports}
START_SECONDS_MAX = 180  # it takes 5 s; ten times that where a build keeps all cores busy


def say(text):
    sys.stderr.write(text + "\n")  # in one piece, as several threads speak
    sys.stderr.flush()


class Stack:
    def __init__(self, root, directory):
        self.root = root
        self.dir = os.path.abspath(directory)
        self.hadoop_conf_dir = os.path.join(self.dir, "hadoop")
        self.env_file = os.path.join(self.dir, "stack.env")
        self._ports_file = os.path.join(self.dir, "ports.json")
        self.secure = os.path.isdir(secure.folder_of(self))
        self._lay_out()

    def _lay_out(self, brokers=None, proxies=False):
        """Takes what is recorded of this folder; the arguments say what is chosen anew."""
        recorded = self._recorded_ports()
        self.brokers = brokers or (3 if "kafka-3" in recorded else 1)
        self.proxies = proxies or "toxiproxy" in recorded
        self.default_ports = {**kafka.default_ports(self.brokers), **OTHER_PORTS}
        if self.proxies:
            self.default_ports.update(PROXY_PORTS)
        self.ports = {
            name: recorded.get(name, default) for name, default in self.default_ports.items()
        }
        kinds = (*OTHER_KINDS, Toxiproxy) if self.proxies else OTHER_KINDS
        self.servers = [*kafka.nodes(self), *(kind(self) for kind in kinds)]
        self.groups = {
            "kafka": tuple(node.name for node in kafka.nodes(self)),
            "hdfs": ("namenode", "datanode"),
            **{server.name: (server.name,) for server in self.servers},
        }

    def exists(self):
        return os.path.exists(self._ports_file)

    def server(self, name):
        return next(server for server in self.servers if server.name == name)

    def chosen(self, only):
        """The servers that `--only` names; all where it was not given."""
        if only is None:
            return self.servers
        names = set()
        for word in only.split(","):
            if word not in self.groups:
                raise Trouble(
                    f"--only: there is no server '{word}'; there are {', '.join(self.groups)}."
                )
            names.update(self.groups[word])
        return [server for server in self.servers if server.name in names]

    def _recorded_ports(self):
        try:
            with open(self._ports_file) as file:
                return json.load(file)
        except (OSError, ValueError):
            return {}

    @contextlib.contextmanager
    def _locked(self):
        """One `up` or `down` at a time."""
        os.makedirs(self.dir, exist_ok=True)
        with open(os.path.join(self.dir, "lock"), "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say(f"another stack/up or stack/down works on {self.dir}; waiting for it to end")
                fcntl.flock(file, fcntl.LOCK_EX)
            self._lay_out()  # that other one may have changed it
            yield

    # --- Brokers ----------------------------------------------------------------------------------

    def kafka_address(self):
        """What clients take for bootstrap.servers."""
        return ",".join(self.server(name).address() for name in self.groups["kafka"])

    def _settle_brokers(self, wanted):
        """Takes what `--brokers` says. A cluster that has data keeps its nodes."""
        if wanted is None or wanted == self.brokers:
            return
        kept = [name for name in kafka.ALL_NAMES if os.path.exists(os.path.join(self.dir, name))]
        if kept:
            raise Trouble(
                f"--brokers: the Kafka in {self.dir} was made of {self.brokers} and keeps that while "
                f"it has data. To make it anew, first: stack/down{self.dir_option()} --only kafka --wipe"
            )
        self._lay_out(wanted)

    def _settle_proxies(self, wanted):
        """Takes what `--proxies` says. Kafka learns of new listeners when it starts."""
        if wanted and self.brokers != 1:
            raise Trouble("--proxies: a cluster of brokers cannot be put behind proxies, only one broker.")
        if not wanted or self.proxies:
            return
        if self.secure:
            raise Trouble("--proxies: a Kafka that asks who is there cannot be put behind proxies.")
        if self.server("kafka").pid_file.live_pid():
            raise Trouble(
                "--proxies: kafka already runs, without listeners for them. First: "
                f"stack/down{self.dir_option()} --only kafka"
            )
        self._lay_out(proxies=True)

    def _settle_security(self, wanted):
        """Takes what `--secure` says. A cluster that has data stays as it is."""
        self.secure = os.path.isdir(secure.folder_of(self))  # another `down` may have changed it
        if not wanted or self.secure:
            return
        if self.brokers != 1:
            raise Trouble("--secure: this is for one broker; there are three.")
        if self.proxies:
            raise Trouble("--secure: a Kafka behind proxies cannot be made one that asks who is there.")
        if os.path.exists(self.server("kafka").home):
            raise Trouble(
                f"--secure: the Kafka in {self.dir} takes everybody and keeps that while it has data. To "
                f"make it anew, first: stack/down{self.dir_option()} --only kafka --wipe"
            )
        self.secure = True

    # --- Ports ------------------------------------------------------------------------------------

    def _settle_ports(self, spec):
        """Takes what `--ports` says, keeps the rest; a running server's port cannot change."""
        wanted = {}
        auto = False
        for item in spec.split(",") if spec else ():
            name, equals, number = item.partition("=")
            if item == "auto":
                auto = True
            elif not equals or name not in self.default_ports:
                raise Trouble(
                    f"--ports: cannot use '{item}'; give auto, or name=number with a name of "
                    f"{', '.join(self.default_ports)}."
                )
            elif not number.isdecimal() or not 0 < int(number) < 65536:
                raise Trouble(f"--ports: '{number}' is not a port number (1 to 65535).")
            else:
                wanted[name] = int(number)

        running = {
            name: server
            for server in self.servers
            if server.pid_file.live_pid()
            for name in server.ports
        }
        for name, port in wanted.items():
            if name in running and port != self.ports[name]:
                raise Trouble(
                    f"--ports: {running[name].name} already runs, with {name}={self.ports[name]}. To move "
                    f"it, first: stack/down{self.dir_option()} --only {running[name].name}"
                )
        ports = {**self.ports, **wanted}
        if auto:
            recorded = self._recorded_ports()
            for name in self.default_ports:
                if (
                    name in wanted
                    or name in running
                    or (name in recorded and port_is_free(ports[name]))
                ):
                    continue
                ports[name] = pick_free_port(set(ports.values()))
        doubled = {port for port in ports.values() if list(ports.values()).count(port) > 1}
        if doubled:
            names = [name for name, port in ports.items() if port in doubled]
            raise Trouble(f"--ports: the same port is given to {' and '.join(names)}.")
        self.ports = ports

    def _check_ports(self, servers):
        taken = [text for server in servers for text in server.check_ports()]
        if taken:
            raise Trouble(
                "cannot start:\n  "
                + "\n  ".join(taken)
                + "\nEither stop what holds it, or choose others: "
                "--ports NAME=NUMBER,... for some of them, --ports auto for free ones."
            )

    def _write_settings(self):
        for folder in ("logs", "pids", "hadoop", "tmp"):
            os.makedirs(os.path.join(self.dir, folder), exist_ok=True)
        with open(self._ports_file + ".tmp", "w") as file:
            json.dump(self.ports, file, indent=2)
        os.replace(self._ports_file + ".tmp", self._ports_file)
        kafka.write_cluster_id(self)
        if self.secure:
            secure.make(self)
        hdfs.write_conf_dir(self)
        env = {
            "WEIR_STACK_DIR": self.dir,
            "WEIR_STACK_KAFKA": self.kafka_address(),
            "WEIR_STACK_NAMENODE_HTTP": f"127.0.0.1:{self.ports['namenode']}",
            "WEIR_STACK_NAMENODE_RPC": f"127.0.0.1:{self.ports['namenode-rpc']}",
            "WEIR_STACK_DATANODE_HTTP": f"127.0.0.1:{self.ports['datanode']}",
            "WEIR_STACK_REDIS": f"127.0.0.1:{self.ports['redis']}",
            "HADOOP_CONF_DIR": self.hadoop_conf_dir,
        }
        if self.proxies:
            env["WEIR_STACK_TOXIPROXY"] = f"127.0.0.1:{self.ports['toxiproxy']}"
        if self.secure:  # librdkafka's properties of the super user
            env["WEIR_STACK_KAFKA_ADMIN"] = secure.path_of(self, "admin.properties")
        with open(self.env_file + ".tmp", "w") as file:
            file.writelines(f"{name}={shlex.quote(value)}\n" for name, value in env.items())
        os.replace(self.env_file + ".tmp", self.env_file)

    def dir_option(self):
        default = os.path.join(self.root, ".weir", "stack")
        return "" if self.dir == default else f" --dir {shlex.quote(self.dir)}"

    # --- Up and down ------------------------------------------------------------------------------

    def up(self, only=None, ports=None, brokers=None, proxies=False, secured=False):
        with self._locked():
            self._settle_brokers(brokers)
            self._settle_proxies(proxies)
            self._settle_security(secured)
            self._settle_ports(ports)
            servers = self.chosen(only)
            down = [server for server in servers if server.pid_file.live_pid() is None]
            if not down and all(server.trouble() is None for server in servers):
                say(
                    "already up: "
                    + ", ".join(f"{server.name} {server.address()}" for server in servers)
                )
                return
            self._check_ports(down)
            self._write_settings()
            self.server("namenode").clear_half_made()
            self._start(servers, down)

    def _start(self, servers, down):
        begin = time.monotonic()
        stop = threading.Event()
        troubles = []

        def bring_up(server):
            try:
                if server in down:
                    died = server.pid_file.exists()
                    say(f"{server.name}: starting{' again, as it had died' if died else ''}")
                    server.launch()
                server.wait_until_up(begin + START_SECONDS_MAX, stop)
                if not stop.is_set():
                    say(
                        f"{server.name}: up at {server.address()} "
                        f"after {time.monotonic() - begin:.1f} s"
                    )
            except Trouble as trouble:
                troubles.append(str(trouble))
                # A DataNode without its NameNode would be waited for in vain.
                if server.name == "namenode":
                    stop.set()
            except OSError as error:
                troubles.append(f"{server.name}: cannot be started: {error}")

        threads = [threading.Thread(target=bring_up, args=(server,)) for server in servers]
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            stop.set()
            say("interrupted; stopping what was started")
            for thread in threads:
                if thread.ident:
                    thread.join()
            self._stop(down)
            raise
        if troubles:
            raise Trouble("\n\n".join(troubles))

    def down(self, only=None, kill=False, wipe=False):
        if not self.exists():
            say(f"there is no stack in {self.dir}; nothing to stop")
            return
        with self._locked():
            servers = self.chosen(only)
            self._stop(servers, kill)
            if wipe and only is None:
                shutil.rmtree(self.dir)
                say(f"removed {self.dir}")
            elif wipe:
                for server in servers:
                    for folder in server.data():
                        shutil.rmtree(folder, ignore_errors=True)
                say(f"removed the data of {', '.join(server.name for server in servers)}")

    def _stop(self, servers, kill=False):
        troubles = []

        def stop(server):
            begin = time.monotonic()
            try:
                how = server.pid_file.stop(server.stop_seconds_max, at_once=kill)
                took = f" after {time.monotonic() - begin:.1f} s"
                say(f"{server.name}: {how + took if how else 'was not running'}")
            except (Trouble, OSError) as trouble:
                troubles.append(f"{server.name}: cannot be stopped: {trouble}")

        threads = [threading.Thread(target=stop, args=(server,)) for server in servers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if troubles:
            raise Trouble("\n".join(troubles))

    def status(self, only=None):
        """Prints the table. Returns 0 if all are up, 3 if none runs, else 1."""
        rows = [("SERVER", "ADDRESS", "PID", "STATE")]
        states = []
        for server in self.chosen(only):
            state, pid = server.state()
            states.append(state)
            rows.append((server.name, server.address(), str(pid or "-"), state))
        widths = [max(len(row[i]) for row in rows) for i in range(3)]
        for row in rows:
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)) + "  " + row[3])
        if all(state == "up" for state in states):
            return 0
        return 3 if all(state in ("down", "died") for state in states) else 1
