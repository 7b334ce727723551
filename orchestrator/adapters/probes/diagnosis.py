"""Probe ``diagnosis``: is a primary gone, or what ails it, seen from several places at once?"""

from __future__ import annotations

from datetime import timedelta

from orchestrator.adapters.diagnosing.examining import Examiner, Request
from orchestrator.adapters.inputs import parse
from orchestrator.adapters.probes.diagnosis_inputs import DiagnosisInputs
from orchestrator.adapters.probes.judgement import Judgement, look_once
from orchestrator.domain.diagnosis import Ailment, Decision, Diagnosis
from orchestrator.domain.evidence import Evidence
from orchestrator.domain.playbook import Probe
from orchestrator.domain.verdict import Verdict
from orchestrator.engine.diagnosing import diagnose
from orchestrator.engine.ports import Clock

_IF_GONE = {
    Decision.FAIL_OVER: Verdict.PASSED,
    Decision.REFUSE: Verdict.FAILED,
    Decision.HOLD: Verdict.INCONCLUSIVE,
}


class DiagnosisProber:
    """Looks by examining."""

    def __init__(self, examiner: Examiner, clock: Clock) -> None:
        self._examiner = examiner
        self._clock = clock

    def look(self, probe: Probe, *, within: timedelta) -> Evidence:
        """Examine once; takes its own time, at most 4 s, for a shorter silence proves nothing."""
        del within
        inputs = parse(DiagnosisInputs, probe.inputs)
        return look_once(self._clock, lambda: self._look(inputs))

    def _look(self, inputs: DiagnosisInputs) -> Judgement:
        request = Request(
            primary=inputs.on,
            places=inputs.from_,
            standbys=inputs.standbys,
            account=inputs.account,
            table=inputs.table,
        )
        diagnosis = diagnose(
            self._examiner.examine(request),
            silent_for=inputs.silent_for,
            objective=inputs.objective,
        )
        verdict = _IF_GONE[diagnosis.decision]
        if inputs.expect == "healthy":
            verdict = _if_healthy(diagnosis)
        return Judgement(verdict=verdict, summary=diagnosis.summary)


def _if_healthy(diagnosis: Diagnosis) -> Verdict:
    match diagnosis.ailment:
        case Ailment.HEALTHY:
            return Verdict.PASSED
        case Ailment.UNKNOWN:
            return Verdict.INCONCLUSIVE
        case _:
            return Verdict.FAILED
