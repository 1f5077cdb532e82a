"""The YAML of the docs is what Kubernetes accepts, and the commands in it are what the command line accepts."""

import re
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from sparring import recipes

DOCS = Path(__file__).parents[2] / "docs"
RESOURCES = [
    (page.name, resource)
    for page in sorted(DOCS.glob("*.md"))
    for block in re.findall(r"^```yaml\n(.*?)^```", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    for resource in yaml.safe_load_all(block)
    if "apiVersion" in resource
]


def valid(resource):
    kubernetes_validate.validate(resource, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize(("page", "resource"), RESOURCES, ids=[f"{page} {one['kind']}" for page, one in RESOURCES])
def test_resources_are_valid(page, resource):  # noqa: ARG001
    valid(resource)


def test_a_misspelled_field_is_refused():
    job = next(resource for _, resource in RESOURCES if resource["kind"] == "Job")
    with pytest.raises(kubernetes_validate.ValidationError):
        valid({**job, "spec": {**job["spec"], "completionmode": "Indexed"}})


def test_pods_find_each_other_and_play_the_shards():
    """The address that each pod is given is that of the first one, behind the service that names them."""
    found = {resource["kind"]: resource for page, resource in RESOURCES if page == "scale.md"}
    service, job = found["Service"], found["Job"]
    pod, name = job["spec"]["template"]["spec"], job["metadata"]["name"]
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["selector"] == {"job-name": name}
    assert pod["subdomain"] == service["metadata"]["name"]
    words = dict(word.lstrip("-").partition("=")[::2] for word in pod["containers"][0]["command"])
    assert words["rdzv-endpoint"].startswith(f"{name}-0.{pod['subdomain']}:")
    few, many = map(int, words["nnodes"].split(":"))
    assert job["spec"]["completions"] == job["spec"]["parallelism"] == many
    each = int(words["nproc-per-node"])
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == each
    assert all(int(words["shards"]) % (each * machines) == 0 for machines in range(few, many + 1))
    assert "shards" in vars(recipes.find("dcgan"))
