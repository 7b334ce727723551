"""Content with the inputs of every action and probe that there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.adapters.actions.ansible import AnsibleInputs
from orchestrator.adapters.actions.fence import FenceActionInputs
from orchestrator.adapters.actions.http import HttpActionInputs
from orchestrator.adapters.actions.manual import ManualInputs
from orchestrator.adapters.actions.sql import SqlActionInputs
from orchestrator.adapters.actions.ssh import SshActionInputs
from orchestrator.adapters.content.content import Content
from orchestrator.adapters.content.linting_paths import lint_paths
from orchestrator.adapters.content.loading import load_content
from orchestrator.adapters.probes.canary import CanaryInputs
from orchestrator.adapters.probes.diagnosis_inputs import DiagnosisInputs
from orchestrator.adapters.probes.fence import FenceProbeInputs
from orchestrator.adapters.probes.http import HttpProbeInputs
from orchestrator.adapters.probes.loss import LossInputs
from orchestrator.adapters.probes.runs import RunsInputs
from orchestrator.adapters.probes.sql_inputs import SqlProbeInputs, SqlWriteProbeInputs
from orchestrator.adapters.probes.ssh import SshProbeInputs
from orchestrator.adapters.probes.tcp import TcpProbeInputs
from orchestrator.domain.problem import Problem
from orchestrator.settings import Settings

ACTION_INPUTS: Mapping[str, type] = {
    "ansible": AnsibleInputs,
    "fence": FenceActionInputs,
    "http": HttpActionInputs,
    "manual": ManualInputs,
    "sql": SqlActionInputs,
    "ssh": SshActionInputs,
}
PROBE_INPUTS: Mapping[str, type] = {
    "canary": CanaryInputs,
    "diagnosis": DiagnosisInputs,
    "fence": FenceProbeInputs,
    "http": HttpProbeInputs,
    "loss": LossInputs,
    "runs": RunsInputs,
    "sql": SqlProbeInputs,
    "sql_write": SqlWriteProbeInputs,
    "ssh": SshProbeInputs,
    "tcp": TcpProbeInputs,
}


def load(settings: Settings) -> Content:
    """Load the content of the settings, with every problem of every file."""
    return load_content(settings.content, ACTION_INPUTS, PROBE_INPUTS)


def lint(paths: Sequence[Path]) -> tuple[Problem, ...]:
    """Return what is wrong with content folders, with parts of them, or with single files."""
    return lint_paths(paths, ACTION_INPUTS, PROBE_INPUTS)
