"""The command line behind stack/up, stack/down, stack/status, stack/hdfs and stack/kafka."""

import argparse
import os
import signal
import sys

import secure
from hdfs import hadoop_java
from host import SHORT_RUN, Trouble, class_path_of, find_java
from kafka import BROKERS, default_ports
from stack import OTHER_PORTS, PROXY_PORTS, Stack

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

HDFS_TOOLS = {
    "dfs": "org.apache.hadoop.fs.FsShell",
    "dfsadmin": "org.apache.hadoop.hdfs.tools.DFSAdmin",
    "fsck": "org.apache.hadoop.hdfs.tools.DFSck",
}

KAFKA_TOOLS = {  # short name -> class, and the option that takes the broker's address
    "acls": ("org.apache.kafka.tools.AclCommand", "--bootstrap-server"),
    "topics": ("org.apache.kafka.tools.TopicCommand", "--bootstrap-server"),
    "console-consumer": ("org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server"),
    "console-producer": ("org.apache.kafka.tools.ConsoleProducer", "--bootstrap-server"),
    "consumer-groups": (
        "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
        "--bootstrap-server",
    ),
    "get-offsets": ("org.apache.kafka.tools.GetOffsetShell", "--bootstrap-server"),
    "configs": ("kafka.admin.ConfigCommand", "--bootstrap-server"),
    "transactions": ("org.apache.kafka.tools.TransactionsCommand", "--bootstrap-server"),
    "delete-records": ("org.apache.kafka.tools.DeleteRecordsCommand", "--bootstrap-server"),
    "dump-log": ("kafka.tools.DumpLogSegments", None),
}

CONFIG_OPTIONS = {  # the option for a client's properties, where it is not --command-config
    "console-consumer": "--consumer.config",
    "console-producer": "--producer.config",
}


def add_dir(parser):
    parser.add_argument(
        "--dir",
        default=os.path.join(ROOT, ".weir", "stack"),
        metavar="DIR",
        help="where the servers keep data, logs and pids (default: .weir/stack in this clone)",
    )


def add_only(parser):
    parser.add_argument(
        "--only",
        metavar="SERVERS",
        help="comma list of kafka, hdfs (that is namenode and datanode), redis, toxiproxy; of three "
        "brokers each has a name too: kafka-1, kafka-2, kafka-3 (default: all)",
    )


def up(arguments):
    parser = argparse.ArgumentParser(
        prog="stack/up",
        description="Starts the local Kafka, HDFS and Redis, on 127.0.0.1 "
        "alone, and returns when they answer. Starts only what does not run yet; data are "
        "those of the last time.",
        epilog="Default ports: "
        + "; ".join(
            how + ", ".join(f"{name}={port}" for name, port in ports.items())
            for how, ports in (
                ("", {**default_ports(1), **OTHER_PORTS}),
                ("with --brokers 3 ", default_ports(3)),
                ("with --proxies also ", PROXY_PORTS),
            )
        ),
    )
    add_dir(parser)
    add_only(parser)
    parser.add_argument(
        "--ports",
        metavar="auto|NAME=N,...",
        help="auto takes free ones; once chosen, ports are kept",
    )
    parser.add_argument(
        "--brokers",
        type=int,
        choices=BROKERS,
        help="nodes of Kafka; of 3 one may be away (default: as last time, 1 at first)",
    )
    parser.add_argument(
        "--proxies",
        action="store_true",
        help="also toxiproxy, by which tests break connections, and ways through it to Kafka "
        "(kept from then on)",
    )
    parser.add_argument(
        "--secure",
        action="store_true",
        help="a Kafka by TLS and SCRAM, with an authorizer that grants nothing by itself: see "
        "stack/README.md (default: as last time, plain at first)",
    )
    parsed = parser.parse_args(arguments)
    Stack(ROOT, parsed.dir).up(parsed.only, parsed.ports, parsed.brokers, parsed.proxies, parsed.secure)


def down(arguments):
    parser = argparse.ArgumentParser(
        prog="stack/down",
        description="Stops the servers that stack/up started, and no "
        "others. Data stay unless --wipe is given.",
    )
    add_dir(parser)
    add_only(parser)
    parser.add_argument(
        "--kill", action="store_true", help="stop by SIGKILL at once, as a crash would"
    )
    parser.add_argument(
        "--wipe", action="store_true", help="then remove their data; without --only, all of DIR"
    )
    parsed = parser.parse_args(arguments)
    Stack(ROOT, parsed.dir).down(parsed.only, parsed.kill, parsed.wipe)


def status(arguments):
    parser = argparse.ArgumentParser(
        prog="stack/status",
        description="Shows each server's address, pid and state (up, "
        "starting, died, down). Exit code: 0 all are up, 1 some are not, 3 none runs.",
    )
    add_dir(parser)
    add_only(parser)
    parsed = parser.parse_args(arguments)
    return Stack(ROOT, parsed.dir).status(parsed.only)


def take_dir(arguments):
    """Takes a leading --dir DIR off the arguments of a tool; the others are passed on as they are."""
    directory = os.path.join(ROOT, ".weir", "stack")
    if arguments[:1] == ["--dir"] and len(arguments) > 1:
        directory, arguments = arguments[1], arguments[2:]
    stack = Stack(ROOT, directory)
    if arguments and not stack.exists():
        raise Trouble(f"there is no stack in {stack.dir}. Start it: stack/up{stack.dir_option()}")
    return stack, arguments


def run_tool(argv):
    sys.stdout.flush()
    os.execv(argv[0], argv)


def hdfs(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        print(
            f"""stack/hdfs [--dir DIR] TOOL ARGUMENTS...

Runs one of Hadoop's own tools on the HDFS of the local stack.
TOOL is {', '.join(HDFS_TOOLS)}. Examples:
  stack/hdfs dfs -ls -R /
  stack/hdfs dfs -put FILE /dataset/
  stack/hdfs dfs -help
  stack/hdfs dfsadmin -report"""
        )
        return 0 if arguments else 2
    stack, arguments = take_dir(arguments)
    if not arguments or arguments[0] not in HDFS_TOOLS:
        raise Trouble(
            f"there is no tool '{' '.join(arguments[:1])}'; there are {', '.join(HDFS_TOOLS)}."
        )
    run_tool(
        hadoop_java(ROOT, stack.hadoop_conf_dir, *SHORT_RUN, "-Dhadoop.root.logger=WARN,console")
        + [HDFS_TOOLS[arguments[0]], *arguments[1:]]
    )


def kafka(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        print(
            f"""stack/kafka [--dir DIR] TOOL ARGUMENTS...

Runs one of Kafka's own tools on the Kafka of the local stack; the broker's address is filled in.
TOOL is {', '.join(KAFKA_TOOLS)}, or the full name of a class. Examples:
  stack/kafka topics --list
  stack/kafka console-consumer --topic boston.predictions --from-beginning
  stack/kafka consumer-groups --all-groups --describe
  stack/kafka topics --help"""
        )
        return 0 if arguments else 2
    stack, arguments = take_dir(arguments)
    if not arguments or (arguments[0] not in KAFKA_TOOLS and "." not in arguments[0]):
        raise Trouble(
            f"there is no tool '{' '.join(arguments[:1])}'; there are {', '.join(KAFKA_TOOLS)}."
        )
    main_class, option = KAFKA_TOOLS.get(arguments[0], (arguments[0], None))
    rest = arguments[1:]
    if option and not any(word.split("=")[0] == option for word in rest):
        rest = [option, stack.kafka_address(), *rest]
        if stack.secure:
            config = CONFIG_OPTIONS.get(arguments[0], "--command-config")
            rest = [config, secure.path_of(stack, "kafka-tools.properties"), *rest]
    run_tool(
        [
            find_java(),
            *SHORT_RUN,
            "-Dlog4j2.StatusLogger.level=OFF",
            "-cp",
            class_path_of(ROOT, "kafka"),
            main_class,
            *rest,
        ]
    )


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    commands = {"up": up, "down": down, "status": status, "hdfs": hdfs, "kafka": kafka}
    command = sys.argv[1]
    signal.signal(signal.SIGTERM, interrupt)
    signal.signal(signal.SIGHUP, interrupt)
    try:
        return commands[command](sys.argv[2:])
    except Trouble as trouble:
        print(f"stack/{command}: {trouble}", file=sys.stderr)
    except OSError as error:
        print(f"stack/{command}: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        return 130
    return 1


sys.exit(main())
