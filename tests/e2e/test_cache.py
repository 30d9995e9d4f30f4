"""The cache of predictions: the same answers whatever becomes of it, and figures that say what it does."""

import json
import random
import threading

import pytest

from support.gateway import Gateway
from support.promises import check_promises
from support.redis import RedisServer
from support.tables import plane
from support.waiting import wait_until

NAMES = ["x1", "x2", "x3"]


@pytest.fixture
def redis(tmp_path):
    server = RedisServer(tmp_path)
    yield server
    server.kill()


@pytest.fixture
def forest(pipeline, redis):
    """A pipeline whose model is so large that a prediction costs more than asking Redis."""
    pipeline.set("model.algorithm", "boosted")
    pipeline.set("model.boosted", {"trees": 1500, "depth": 7, "learning_rate": 0.05})
    pipeline.set("redis.url", f"redis://{redis.address}")
    pipeline.set("cache.redis_timeout", "50ms")  # the machine may be busy
    return pipeline


def row_of(number):
    """The same for the same number, and for no other."""
    generator = random.Random(number)
    return [round(generator.uniform(-10, 10), 6) for _ in NAMES[1:]] + [float(number)]


def send(pipeline, numbers):
    pipeline.send(
        (f"{number}".encode(), json.dumps(dict(zip(NAMES, row_of(number)))).encode())
        for number in numbers
    )


def figures(gateway, role):
    found = [one for one in gateway.get("/v1/cache")["processes"] if one["role"] == role]
    return found[0] if found else None


def wait_for_figures(gateway, role, condition, what):
    def look():
        one = figures(gateway, role)
        return one if one and condition(one) else None

    return wait_until(look, lambda: f"{what}: {gateway.get('/v1/cache')}")


def infer(gateway, pipeline, rows):
    tensor = {"name": "features", "datatype": "FP64", "shape": [len(rows), len(NAMES)],
              "data": [value for row in rows for value in row]}
    answer = gateway.ask("POST", f"/v2/models/{pipeline.name}/infer", json.dumps({"inputs": [tensor]}))
    assert answer.status == 200, answer
    return answer.json["outputs"][0]["data"]


def poison(redis, generator):
    """Every entry that there is: changed in a bit, cut, forged, of another name, or left as it is."""
    names = redis.names()
    bytes_of = dict(zip(names, redis.calls([("GET", name) for name in names]))) if names else {}
    entries = [value for value in bytes_of.values() if value]
    commands = []
    for name, entry in bytes_of.items():
        if not entry:
            continue
        kind = generator.randrange(6)
        changed = bytearray(entry)
        changed[generator.randrange(len(changed))] ^= 1 << generator.randrange(8)
        forged = [
            bytes(changed),
            entry[: generator.randrange(len(entry))],
            b"\x01" + generator.randbytes(24),
            generator.choice(entries),
            entry[:1] + generator.randbytes(8) + entry[9:],  # another value, the seal as it was
        ]
        if kind < len(forged):
            commands.append(("SET", name, forged[kind], "PX", 600_000))
    if commands:
        redis.calls(commands)
    return len(commands)


@pytest.mark.long
def test_a_poisoned_redis_yields_no_wrong_answer(forest, redis):
    forest.set("cache.memory", "1MB")  # less than all rows take: what it has lost, Redis is asked for
    forest.set("cache.redis_timeout", "1s")
    forest.set("score.batch_records_max", 1_000)
    forest.set("model.boosted", {"trees": 7500, "depth": 5, "learning_rate": 0.01})
    # Each row comes twice, one block after the other, so that it pays to look. A block is less than two
    # of the windows (1,024 rows) over which that is judged, else it pays no more once memory is full.
    rows = [n for block in range(0, 25_000, 1_250) for n in 2 * [*range(block, block + 1_250)]]
    assert len(rows) == 50_000
    forest.train_once("one.csv", plane(1, rows=300))
    gateway = Gateway.of(forest.start("serve"))
    gateway.wait_ready()
    scorer = forest.start("score")
    send(forest, rows)
    forest.wait_until_all_scored(300)
    # Where Redis is slow, as when tests run beside it, most rows go round it.
    wait_until(lambda: len(redis.names()) > 1_000, lambda: f"they are shared: {gateway.get('/v1/cache')}")
    generator = random.Random(5)
    assert poison(redis, generator) > 500
    # And again and again while the same rows come once more.
    stop = threading.Event()

    def go_on():
        while not stop.wait(0.5):
            poison(redis, generator)

    poisoner = threading.Thread(target=go_on)
    poisoner.start()
    try:
        send(forest, rows)
        forest.wait_until_all_scored(300)
    finally:
        stop.set()
        poisoner.join()
    found = wait_for_figures(
        gateway, "scorer",
        lambda one: one["hits"]["redis"] > 0 and one["redis"]["refused"] > 50,
        "the poisoned entries were met",
    )
    assert found["mismatches"] == 0
    assert infer(gateway, forest, [row_of(n) for n in range(100)]) == [
        forest.model(1).predict(row_of(n)) for n in range(100)
    ]
    assert scorer.stop()[0] == 0
    forest.stop_all()
    forest.ok("audit", seconds=300)  # recomputes all 100,000
    values = {}
    for record in forest.topic("predictions").read_to_end(300):
        values.setdefault(record.key, set()).add(json.loads(record.value)["prediction"])
    assert len(values) == 25_000
    assert all(len(of_row) == 1 for of_row in values.values())


def test_whatever_becomes_of_redis_the_answers_are_the_same(forest, redis, network):
    way = network.way_to(redis.address)
    forest.set("redis.url", f"redis://{way.address}")
    forest.set("cache.memory", "1MB")
    forest.train_once("one.csv", plane(1, rows=300))
    gateway = Gateway.of(forest.start("serve"))
    gateway.wait_ready()
    forest.start("score")
    sent = [0]

    def flow():
        """Rows that were there before, and new ones."""
        send(forest, [*range(2_000), *range(sent[0], sent[0] + 2_000)])
        sent[0] += 2_000
        forest.wait_until_all_scored()

    flow()
    wait_for_figures(gateway, "scorer", lambda one: one["redis"]["written"] > 0, "it is used")
    for trouble in (
        redis.kill,
        redis.start,
        lambda: redis.call("FLUSHALL"),
        lambda: redis.call("CONFIG", "SET", "maxmemory", "1mb"),  # full at once, and it refuses
        lambda: redis.call("CONFIG", "SET", "maxmemory-policy", "allkeys-lru"),
        lambda: redis.call("CONFIG", "SET", "maxmemory", "0"),
        lambda: way.slow(latency=200),
        way.heal,
        redis.stall,
        redis.resume,
        way.cut,
        way.down,
        lambda: way.heal(),
    ):
        trouble()
        flow()
    found = figures(gateway, "scorer")
    assert found["redis"]["failures"] > 0 and found["mismatches"] == 0
    forest.stop_all()
    forest.ok("audit", seconds=300)


def test_a_new_model_never_answers_with_predictions_of_the_old_one(forest, redis):
    forest.set("cache.redis_timeout", "1s")  # what is asked for in vain is not shared either
    run = forest.start("run", "--no-produce", "--no-serve")
    forest.drop("one.csv", plane(1, rows=300))
    forest.wait_for_resume(1)
    gateway = Gateway.of(forest.start("serve"))
    gateway.wait_ready()
    rows = [row_of(n) for n in range(200)]
    send(forest, range(200))
    forest.wait_for_predictions(200, epoch=1)
    wait_for_figures(gateway, "scorer", lambda one: one["redis"]["written"] >= 200, "they are shared")
    first = infer(gateway, forest, rows)
    assert figures(gateway, "gateway")["hits"]["redis"] == 200, gateway.get("/v1/cache")

    forest.drop("two.csv", plane(2, rows=300))
    forest.wait_for_resume(2)
    send(forest, range(200))
    forest.wait_for_predictions(200, epoch=2)
    wait_until(lambda: gateway.get("/v1/status")["model"] == 2 and
                 gateway.ask("GET", "/readyz").status == 200, "the gateway has the new model")
    second = infer(gateway, forest, rows)
    one, two = forest.model(1), forest.model(2)
    assert first == [one.predict(row) for row in rows]
    assert second == [two.predict(row) for row in rows]
    assert run.stop()[0] == 0
    forest.stop_all()
    check_promises(forest)


def test_a_model_that_is_cheaper_than_a_lookup_is_asked_without_one(pipeline):
    pipeline.train_once("one.csv", plane(1))
    gateway = Gateway.of(pipeline.start("serve"))
    gateway.wait_ready()
    pipeline.start("score")
    for first in range(0, 20_000, 5_000):
        send(pipeline, range(first, first + 5_000))
        pipeline.wait_until_all_scored()
    found = wait_for_figures(gateway, "scorer", lambda one: one["bypass"], "it is gone round")
    assert "a lookup costs" in found["bypass_reason"]
    assert found["bypassed"] > 0
    text = gateway.ask("GET", "/metrics").body.decode()
    label = f'member="{found["member"]}",role="scorer"'
    assert f'weir_cache_bypass{{pipeline="{pipeline.name}",{label}}} 1' in text
    pipeline.stop_all()
    check_promises(pipeline)


def test_without_a_cache_nothing_is_kept(pipeline):
    pipeline.set("cache.enabled", "off")
    pipeline.train_once("one.csv", plane(1))
    gateway = Gateway.of(pipeline.start("serve"))
    gateway.wait_ready()
    assert gateway.get("/v1/cache") == {"pipeline": pipeline.name, "enabled": False, "processes": []}
    assert "weir_cache_" not in gateway.ask("GET", "/metrics").body.decode()
