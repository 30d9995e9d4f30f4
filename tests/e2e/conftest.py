import re
import uuid

import pytest

from support.network import Network
from support.pipeline import Pipeline
from support.stack import WEIR, running_stack


@pytest.fixture(scope="session")
def stack():
    assert WEIR.exists(), f"no program at {WEIR}: build it first"
    return running_stack()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call":
        item.failed_in_call = report.failed
    return report


@pytest.fixture
def make_pipeline(request, stack, tmp_path):
    """Makes pipelines under names of their own; they end, and what they made goes, with the test."""
    made = []

    def make(target="y", on=None):
        words = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())
        name = f"{words[:60].strip('-')}-{uuid.uuid4().hex[:8]}"
        folder = tmp_path / f"pipeline{len(made)}"
        folder.mkdir()
        made.append(Pipeline(name, on or stack, folder, target))
        return made[-1]

    yield make
    for pipeline in made:
        pipeline.close()
        if getattr(request.node, "failed_in_call", False):
            print(f"kept for a look: pipeline {pipeline.name}, {pipeline.folder}")
            print(pipeline.complaints())
        elif pipeline.stack is stack:
            pipeline.remove()


@pytest.fixture
def pipeline(make_pipeline):
    return make_pipeline()


@pytest.fixture
def network(stack, tmp_path):
    """Ways to the servers that break; they are mended at the end."""
    made = Network(stack, tmp_path)
    yield made
    made.close()


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
