from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.adapters.content.inventory import read_inventory
from orchestrator.adapters.content.reading import parse

ANSIBLE_INVENTORY = Path(sys.executable).parent / "ansible-inventory"
ROOT = Path(__file__).parents[3]

INVENTORIES: list[tuple[str, str]] = [
    ("the lab", (ROOT / "environments/lab/inventory.yaml").read_text()),
    ("the loopback lab", (ROOT / "environments/lab-loopback/inventory.yaml").read_text()),
    (
        "deeper groups win over higher ones",
        """
all:
  vars: {where: all, only_all: 1}
  children:
    zone:
      vars: {where: zone, only_zone: 2}
      children:
        rack:
          vars: {where: rack}
          hosts: {h1: {}, h2: {where: host}}
""",
    ),
    (
        "of groups on one level the later name wins",
        """
b: {vars: {x: from-b}, hosts: {h1: }}
a: {vars: {x: from-a, y: from-a}, hosts: {h1: }}
c: {vars: {y: from-c}, hosts: {h2: , h1: }}
""",
    ),
    (
        "the longest way counts where a group is held twice",
        """
all:
  children:
    short: {children: {both: }}
    long: {children: {longer: {children: {both: }, vars: {x: from-longer}}}}
    aside: {vars: {x: from-aside}, children: {zz: {vars: {x: from-zz}, hosts: {h1: }}}}
both: {vars: {x: from-both}, hosts: {h1: {}}}
""",
    ),
    (
        "what is said of a host at several places is put together",
        """
all:
  hosts: {h1: {x: first, y: 1}, lone: {}}
  children:
    g: {hosts: {h1: {x: second, z: 3}}}
    empty: {}
    h: {hosts: {h1: }, vars: {x: from-h, w: [1, {deep: true}]}}
""",
    ),
    (
        "lists and mappings are replaced, never merged",
        """
all:
  vars: {shape: {a: 1, b: 2}, list: [1, 2]}
  children:
    g: {vars: {shape: {a: 3}}, hosts: {h1: {list: [3]}, h2: }}
""",
    ),
    (
        "a group may be written at several places",
        """
g: {hosts: {h1: {}}}
all:
  children:
    parent: {children: {g: {vars: {x: 1}}}, vars: {x: 0, y: 0}}
g2: {children: {g: {vars: {z: 2}}}}
""",
    ),
]


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in INVENTORIES])
def test_hosts_have_the_variables_that_ansible_gives_them(tmp_path: Path, text: str) -> None:
    file = tmp_path / "inventory.yaml"
    file.write_text(text)

    ours = read_inventory(parse(text.encode(), "inventory.yaml"))

    assert ours.problems == ()
    assert ours.hosts == ansible_hosts(file)


def ansible_hosts(inventory: Path) -> dict[str, dict[str, object]]:
    """What Ansible itself makes of the file; a host without variables is in no hostvars."""
    listed = subprocess.run(
        [ANSIBLE_INVENTORY, "--list", "-i", inventory],
        cwd=inventory.parent,
        env={"PATH": "/usr/bin:/bin", "HOME": str(inventory.parent), "LANG": "C.UTF-8"},
        capture_output=True,
        check=True,
        text=True,
    )
    groups = json.loads(listed.stdout)
    variables = groups.pop("_meta")["hostvars"]
    hosts = {host for group in groups.values() for host in group.get("hosts", ())}
    return {host: variables.get(host, {}) for host in hosts}


BAD: list[tuple[str, str, str, str]] = [
    ("a proxy command", "all: {vars: {ansible_ssh_common_args: -oProxyCommand=x}}", "1:14",
     "`ansible_ssh_common_args` is not obeyed, a connection variable can run commands"),
    ("another connection", "all: {hosts: {h1: {ansible_connection: local}}}", "1:20",
     "`ansible_connection` is not obeyed"),
    ("another program for ssh", "all: {hosts: {h1: {ansible_ssh_executable: /tmp/x}}}", "1:20",
     "`ansible_ssh_executable` is not obeyed"),
    ("a password", "all: {vars: {ansible_password: x}}", "1:14",
     "`ansible_password` is not obeyed"),
    ("a priority", "g: {vars: {ansible_group_priority: 9}}", "1:12", "is not obeyed"),
    ("an option as address", "all: {hosts: {h1: {ansible_host: -oX=y}}}", "1:34",
     "`ansible_host` is the text `-oX=y`, an address or a host name is wanted"),
    ("a shell as user", "all: {vars: {ansible_user: $(id)}}", "1:28", "a user name is wanted"),
    ("a port as text", "all: {vars: {ansible_port: '22'}}", "1:28", "between 1 and 65535"),
    ("a port out of range", "all: {vars: {ansible_port: 70000}}", "1:28", "between 1 and 65535"),
    ("a relative interpreter", "all: {vars: {ansible_python_interpreter: python}}", "1:42",
     "the full path of a program is wanted"),
    ("an interpreter with arguments",
     "all: {vars: {ansible_python_interpreter: /usr/bin/env python}}", "1:42", "the full path"),
    ("a template", "all: {vars: {x: \"{{ lookup('pipe', 'id') }}\"}}", "1:17", "is a template"),
    ("a template deep inside", "all: {vars: {x: {y: [1, '{% if z %}']}}}", "1:25",
     "is a template"),
    ("a template as key", "all: {vars: {x: {'{{ y }}': 1}}}", "1:29", "is a template"),
    ("a range of hosts", "all: {hosts: {'db[1:9]': }}", "1:15", "patterns and ports"),
    ("a host with a port", "all: {hosts: {'db:22': }}", "1:15", "the port as `ansible_port`"),
    ("a host that is an option", "all: {hosts: {-x: }}", "1:15", "is no name of a host"),
    ("a variable with a dash", "all: {vars: {a-b: 1}}", "1:14", "is no name of a variable"),
    ("a group with spaces", "a b: {hosts: {h1: }}", "1:1", "is no name of a group"),
    ("an unknown section", "g: {host: {h1: }}", "1:5", "did you mean `hosts`?"),
    ("hosts as a list", "g: {hosts: [h1]}", "1:5", "`hosts` is a list, a mapping is wanted"),
    ("a group as text", "g: h1", "1:1", "a mapping is wanted"),
    ("the whole as a list", "- h1", "1:1", "the document is a list"),
    ("a group that holds itself", "g: {children: {g: }}", "1:16", "have no end"),
    ("groups in a circle", "a: {children: {b: }}\nb: {children: {c: }}\nc: {children: {a: }}",
     "3:16", "`a` is held by `c` and holds it"),
    ("a vault", "all: {vars: {x: !vault abc}}", "1:17", "is a tag"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "place", "phrase"),
    [pytest.param(text, place, phrase, id=name) for name, text, place, phrase in BAD],
)
def test_inventory_that_could_do_harm_is_refused_with_its_place(
    text: str, place: str, phrase: str
) -> None:
    problems = read_inventory(parse(text.encode(), "inventory.yaml")).problems

    found = [str(problem) for problem in problems if phrase in str(problem)]
    assert any(line.startswith(f"inventory.yaml:{place}: ") for line in found), problems


def test_too_many_groups_are_refused() -> None:
    text = "\n".join(f"g{i}: {{}}" for i in range(501))

    (problem,) = read_inventory(parse(text.encode(), "inventory.yaml")).problems

    assert "more than 500 groups" in problem.what
