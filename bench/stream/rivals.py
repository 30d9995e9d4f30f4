"""The others, each in a folder of its own under rivals/: fetched, pinned, made ready, and how each is called.

All are called with the same arguments (rivals/linear.py says which), read the same topic, embed the same linear model and write the
same words. What makes each as fast as its authors say stands in its own file, with the source.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import drain
import harness
from harness import ROOT, Trouble, run, say

HERE = Path(__file__).resolve().parent / "rivals"
READY = ROOT / ".weir" / "bench-rivals"
# What Kafka's own start script gives its programs (kafka-run-class.sh, KAFKA_JVM_PERFORMANCE_OPTS).
JVM = "-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35".split()
JVM += ["-XX:+ExplicitGCInvokesConcurrent", "-Xmx1g"]
# Of the list that Flink's own start script opens on Java 17 (its default of env.java.opts.all).
OPENED = [
    f"--add-opens=java.base/{package}=ALL-UNNAMED"
    for package in ("java.lang", "java.util", "java.util.concurrent")
]
# The same of Spark's (org.apache.spark.launcher.JavaModuleOptions).
OPENED_TO_SPARK = [
    "-XX:+IgnoreUnrecognizedVMOptions",
    *(
        f"--add-opens=java.base/{package}=ALL-UNNAMED"
        for package in (
            *("java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio"),
            *("java.util", "java.util.concurrent", "java.util.concurrent.atomic"),
            *("jdk.internal.ref", "sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar"),
            "sun.security.tools.keytool",
        )
    ),
]
ENDLESS = 0
# The jars of each whose versions are told.
CORES = {
    "kafka-streams": ("kafka-streams",),
    "flink": ("flink-streaming", "flink-connector-kafka"),
    "spark": ("spark-sql_", "spark-sql-kafka", "kafka-clients", "jackson-core-2"),
}


@dataclass
class Rival:
    name: str
    guarantee: str
    share: float = 1  # of the records: what is slow gets fewer
    close: bool = False  # its predictions may differ in the last bits: another order of the sum
    endless: bool = False  # it can go on until it is ended, with ENDLESS for the number of records
    java: tuple | None = None  # options of its JVM; None: it is Python
    program: str | None = None  # whose folder under rivals/ it has; None: one of its own name

    @property
    def folder(self):
        return HERE / (self.program or self.name)

    def contestant(self):
        program = self._java() if self.java is not None else self._python()

        def calling(records_of):
            def command(field, name):
                arguments = [field.stack.kafka, name, field.input, name, field.model_file, records_of(field)]
                return [*program, *arguments, harness.STACK_DIR / "rivals" / name]

            return command

        endless = calling(lambda _: ENDLESS) if self.endless else None
        return drain.Contestant(calling(lambda field: field.records), endless, close=self.close)

    def _java(self):
        jars = READY / self.folder.name
        self._fetch(jars)
        classes = harness.BUILD / self.folder.name
        sources = [HERE / "java" / "Linear.java", self.folder / "Score.java"]
        try:
            run("javac", "--release", "17", "-cp", f"{jars}/*", "-d", classes, *sources)
        except FileNotFoundError:
            raise Trouble("there is no javac: apt-get install openjdk-17-jdk-headless") from None
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
        return ["java", *JVM, *self.java, quiet, "-cp", f"{classes}:{jars}/*", "Score"]

    def _fetch(self, jars):
        """Those that pom.xml names; anew where it has changed."""
        pom = self.folder / "pom.xml"
        mark = jars / ".ready"
        if mark.exists() and mark.read_text() == pom.read_text():
            return
        say(f"fetching the jars of {self.folder.name}")
        shutil.rmtree(jars, ignore_errors=True)
        goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies"
        run(
            *("mvn", "-B", "-q", "--strict-checksums", "-f", pom, goal),
            *("-DincludeScope=runtime", f"-DoutputDirectory={jars}"),
        )
        mark.write_text(pom.read_text())

    def _python(self):
        programs = harness.venv(READY / self.folder.name, self.folder / "requirements.txt")
        return [programs / "python", self.folder / "score.py"]


RIVALS = [
    Rival("kafka-streams", "exactly once", endless=True, java=()),
    Rival(
        *("kafka-streams-at-least-once", "at least once"),
        java=("-Dscore.guarantee=at_least_once",),
        program="kafka-streams",
    ),
    Rival("flink", "exactly once", endless=True, java=tuple(OPENED)),
    Rival("spark", "at least once", java=tuple(OPENED_TO_SPARK)),
    Rival("hand-tuned", "exactly once"),
    Rival("quix", "exactly once", share=0.1),
    Rival("bytewax", "at least once", share=0.1),
    Rival("pathway", "at least once", share=0.1),
    Rival("original", "at most once", share=0.01, close=True),
]


def java_version():
    done = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True)
    return done.stderr.splitlines()[-1]


def versions(rivals):
    """Lines on what was run, for above a table."""
    lines = []
    for rival in rivals:
        if rival.program in [each.name for each in rivals]:
            continue
        if rival.java is not None:
            name = rival.folder.name
            jars = sorted(file.name[:-4] for file in (READY / name).glob("*.jar"))
            lines.append(", ".join(jar for jar in jars if jar.startswith(CORES[name])))
        else:
            lines.append(f"{rival.name}: " + ", ".join(main_pins(rival)))
    if any(rival.java is not None for rival in rivals):
        lines.append(f"{java_version()}, {' '.join(JVM)}")
    return lines


def main_pins(rival):
    """Of its requirements those above the remark that begins what they pull in."""
    text = (rival.folder / "requirements.txt").read_text().partition("# pulled in")[0]
    return [line for line in text.split() if "==" in line]
