"""HDFS: a NameNode and a DataNode, on 127.0.0.1 alone.

The folder `hadoop` of the stack is their HADOOP_CONF_DIR, and that of any client.
"""

import json
import os
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from xml.sax.saxutils import escape

from host import SHORT_RUN, class_path_of, find_java
from server import Server

LOG_SETTINGS = """\
hadoop.root.logger=INFO,console
log4j.rootLogger=${hadoop.root.logger}
log4j.logger.org.apache.hadoop.util.NativeCodeLoader=ERROR
log4j.appender.console=org.apache.log4j.ConsoleAppender
log4j.appender.console.target=System.err
log4j.appender.console.layout=org.apache.log4j.PatternLayout
log4j.appender.console.layout.ConversionPattern=%d{ISO8601} %-5p %c{1}: %m%n
"""

# What Hadoop reaches into by reflection, which Java has forbidden since version 16.
OPENED = ("java.lang", "java.lang.reflect", "java.util", "java.nio")

SERVER = ["-Xmx256m", "-XX:+UseSerialGC"]


def hadoop_java(root, conf_dir, *options):
    """The start of a command line that runs one of Hadoop's classes."""
    # The folder webapps is looked for on the class path, and must be there even though no page is
    # in it.
    class_path = os.pathsep.join((conf_dir, class_path_of(root, "hdfs")))
    return [
        find_java(),
        "-Djava.awt.headless=true",
        "-Djava.net.preferIPv4Stack=true",
        *(f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in OPENED),
        *options,
        "-cp",
        class_path,
    ]


def _write_xml(path, settings):
    with open(path, "w") as file:
        file.write('<?xml version="1.0" encoding="UTF-8"?>\n<configuration>\n')
        for name, value in settings.items():
            file.write(
                f"  <property><name>{escape(name)}</name>"
                f"<value>{escape(str(value))}</value></property>\n"
            )
        file.write("</configuration>\n")


def write_conf_dir(stack):
    """core-site.xml and hdfs-site.xml, for the two servers and for clients alike."""
    ports = stack.ports
    data = Path(stack.dir) / "hdfs"
    for kind in ("hdfs", "datanode"):
        os.makedirs(os.path.join(stack.hadoop_conf_dir, "webapps", kind), exist_ok=True)
    with open(os.path.join(stack.hadoop_conf_dir, "log4j.properties"), "w") as file:
        file.write(LOG_SETTINGS)
    _write_xml(
        os.path.join(stack.hadoop_conf_dir, "core-site.xml"),
        {
            "fs.defaultFS": f"hdfs://127.0.0.1:{ports['namenode-rpc']}",
            "hadoop.tmp.dir": data / "tmp",
            # Not used, but resolved at start; as set by default, that fails on a machine whose own
            # name has no address.
            "hadoop.http.authentication.kerberos.principal": "HTTP/localhost@LOCALHOST",
            # The DataNode starts beside the NameNode, and must not wait long to ask it again.
            "ipc.client.connect.retry.interval": 100,
            "ipc.client.connect.max.retries": 100,
        },
    )
    _write_xml(
        os.path.join(stack.hadoop_conf_dir, "hdfs-site.xml"),
        {
            "dfs.replication": 1,
            "dfs.permissions.enabled": "true",
            "dfs.webhdfs.enabled": "true",
            "dfs.namenode.rpc-address": f"127.0.0.1:{ports['namenode-rpc']}",
            "dfs.namenode.http-address": f"127.0.0.1:{ports['namenode']}",
            "dfs.datanode.hostname": "127.0.0.1",
            "dfs.datanode.address": f"127.0.0.1:{ports['datanode-data']}",
            "dfs.datanode.http.address": f"127.0.0.1:{ports['datanode']}",
            "dfs.datanode.ipc.address": f"127.0.0.1:{ports['datanode-ipc']}",
            "dfs.namenode.datanode.registration.ip-hostname-check": "false",
            "dfs.namenode.name.dir": (data / "name").as_uri(),
            "dfs.datanode.data.dir": (data / "data").as_uri(),
            "dfs.namenode.safemode.extension": 0,
            # A DataNode that was killed is known to be dead after 16 s, not 10 minutes.
            "dfs.heartbeat.interval": 1,
            "dfs.namenode.heartbeat.recheck-interval": 3000,
        },
    )


def _get_json(port, path):
    """What the server answers, or a text that says why it does not."""
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({})
    )  # no proxy, whatever the environment says
    try:
        with opener.open(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        return f"127.0.0.1:{port} answers, but is still starting (HTTP {error.code})"
    except (OSError, ValueError) as error:
        return f"no answer at 127.0.0.1:{port} ({getattr(error, 'reason', error)})"


def _bean(port, name):
    answer = _get_json(port, f"/jmx?qry=Hadoop:{name}")
    if isinstance(answer, str):
        return answer
    return (answer.get("beans") or [f"127.0.0.1:{port} answers, but is still starting"])[0]


def _filesystem_trouble(stack):
    """What keeps the file system as a whole from taking and giving files."""
    bean = _bean(stack.ports["namenode"], "service=NameNode,name=FSNamesystemState")
    if isinstance(bean, str):
        return f"the NameNode gives {bean}"
    if bean["FSState"] != "Operational":
        return "the NameNode is in safe mode: not all blocks have been reported to it"
    return None if bean["NumLiveDataNodes"] else "the NameNode knows of no live DataNode"


class NameNode(Server):
    name = "namenode"
    ports = {"namenode": 9870, "namenode-rpc": 8020}

    def _formatted(self):
        return os.path.join(self.stack.dir, "hdfs", "formatted")

    def data(self):
        return [os.path.join(self.stack.dir, "hdfs"), self.home]

    def clear_half_made(self):
        """A format that was cut short leaves folders that no NameNode accepts, and no data."""
        if not os.path.exists(self._formatted()):
            shutil.rmtree(os.path.join(self.stack.dir, "hdfs"), ignore_errors=True)
            os.makedirs(os.path.join(self.stack.dir, "hdfs"))

    def _command(self, options, *arguments):
        return [
            *hadoop_java(self.stack.root, self.stack.hadoop_conf_dir, *options, *self.java_marks()),
            "org.apache.hadoop.hdfs.server.namenode.NameNode",
            *arguments,
        ]

    def prepare(self):
        if not os.path.exists(self._formatted()):
            self.run_once(
                "formatting its folder", self._command(SHORT_RUN, "-format", "-nonInteractive")
            )
            open(self._formatted(), "w").close()

    def command(self):
        return (
            self._command([*SERVER, "-XX:TieredStopAtLevel=1"]),
            None,
        )  # it moves no data: a quick start counts

    def trouble(self):
        answer = _get_json(self.port(), "/webhdfs/v1/?op=GETFILESTATUS")
        if isinstance(answer, str):
            return answer
        datanode_runs = self.stack.server("datanode").pid_file.live_pid() is not None
        return _filesystem_trouble(self.stack) if datanode_runs else None


class DataNode(Server):
    name = "datanode"
    ports = {"datanode": 9864, "datanode-data": 9866, "datanode-ipc": 9867}

    def data(self):
        return [os.path.join(self.stack.dir, "hdfs", "data"), self.home]

    def command(self):
        return [
            *hadoop_java(self.stack.root, self.stack.hadoop_conf_dir, *SERVER, *self.java_marks()),
            "org.apache.hadoop.hdfs.server.datanode.DataNode",
        ], None

    def trouble(self):
        bean = _bean(self.port(), "service=DataNode,name=DataNodeInfo")
        if isinstance(bean, str):
            return bean
        actors = json.loads(bean.get("BPServiceActorInfo") or "[]")
        if not any(actor.get("ActorState") == "RUNNING" for actor in actors):
            return "it has not registered with the NameNode"
        return _filesystem_trouble(self.stack)
