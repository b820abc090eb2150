import os
import subprocess
import sys

import pytest

from rntk_bench.benchmark.cost import machine_memory
from rntk_bench.benchmark.cost.machine_memory import cgroup_limits

TREE = "{number} 20 0:30 {root} {folder} rw,nosuid shared:9 - {kind}\n"


@pytest.fixture
def process(tmp_path):
    """Write a folder like /proc/self: lines of `cgroup`, and mounts as root, folder and kind."""

    def write(groups, *mounts):
        folder = tmp_path / "proc"
        folder.mkdir()
        (folder / "cgroup").write_text(groups)
        lines = [
            TREE.format(number=number, root=root, folder=str(at).replace(" ", r"\040"), kind=kind)
            for number, (root, at, kind) in enumerate(mounts)
        ]
        (folder / "mountinfo").write_text("".join(lines))
        return folder

    return write


def limit(folder, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"{text}\n")


def test_the_least_of_nested_groups_of_version_2(tmp_path, process):
    tree = tmp_path / "unified tree"
    limit(tree / "slurm" / "job_7" / "step", "memory.max", "max")
    limit(tree / "slurm" / "job_7", "memory.max", 4000)
    limit(tree / "slurm", "memory.max", 9000)
    limit(tree / "other", "memory.max", 1)
    found = process("0::/slurm/job_7/step\n", ("/", tree, "cgroup2 cgroup2 rw"))
    assert sorted(cgroup_limits(found)) == [4000, 9000]


def test_the_least_of_nested_groups_of_version_1(tmp_path, process):
    tree = tmp_path / "memory"
    limit(tree / "batch" / "job", "memory.limit_in_bytes", 1 << 63)
    limit(tree / "batch", "memory.limit_in_bytes", 3000)
    limit(tree, "memory.limit_in_bytes", 8000)
    limit(tmp_path / "cpu" / "batch", "memory.limit_in_bytes", 1)
    groups = "5:cpu,cpuacct:/batch\n4:hugetlb,memory:/batch/job\n0::/\n"
    found = process(
        groups,
        ("/", tmp_path / "cpu", "cgroup cgroup rw,cpu,cpuacct"),
        ("/", tree, "cgroup cgroup rw,memory,hugetlb"),
        ("/", tmp_path / "elsewhere", "ext4 /dev/sda1 rw"),
    )
    assert min(cgroup_limits(found)) == 3000


def test_inside_a_container_the_root_of_the_mount_is_the_group(tmp_path, process):
    tree = tmp_path / "memory"
    limit(tree / "inner", "memory.limit_in_bytes", 2000)
    limit(tree, "memory.limit_in_bytes", 5000)
    found = process("4:memory:/docker/f00/inner\n", ("/docker/f00", tree, "cgroup none rw,memory"))
    assert sorted(cgroup_limits(found)) == [2000, 5000]


def test_a_group_outside_of_the_mount_has_its_limits(tmp_path, process):
    limit(tmp_path / "memory", "memory.max", 5000)
    found = process("0::/elsewhere\n", ("/docker/f00", tmp_path / "memory", "cgroup2 none rw"))
    assert list(cgroup_limits(found)) == [5000]


@pytest.mark.parametrize("groups", ["", "nonsense", "0::/a\n"])
def test_where_nothing_is_known_there_is_no_limit(tmp_path, process, groups):
    assert list(cgroup_limits(tmp_path / "none")) == []
    assert list(cgroup_limits(process(groups))) == []


def test_the_machine_has_a_memory():
    assert machine_memory.machine_memory() > 1 << 28


@pytest.mark.skipif(os.name != "posix", reason="the limits are POSIX's")
@pytest.mark.parametrize("name", ["RLIMIT_AS", "RLIMIT_DATA"])
def test_the_limits_of_the_process_count(name):
    code = (
        "import resource, sys\n"
        "from rntk_bench.benchmark.cost.machine_memory import machine_memory\n"
        "which = getattr(resource, sys.argv[1])\n"
        "hard = resource.getrlimit(which)[1]\n"
        "resource.setrlimit(which, (3 << 30, hard))\n"
        "print(machine_memory())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, name], capture_output=True, text=True, check=True
    )
    assert 0 < int(done.stdout) <= 3 << 30
