"""What a person reads of a pod that waits or is lost, from what clusters really say."""

from typing import Any

import pytest

from jupyter_repl_spawner.kubernetes.reasons import lost_by, refused, restarted, undeployed, unsaving, waiting_for


def unscheduled(message: str) -> dict[str, Any]:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return {"status": {"phase": "Pending", "conditions": [condition]}}


def waiting(reason: str, message: str = "", name: str = "runner", **more: Any) -> dict[str, Any]:
    state = {"waiting": {"reason": reason, "message": message}}
    status = {"name": name, "image": "example/runner:1", "state": state, **more}
    conditions = [{"type": "PodScheduled", "status": "True"}]
    return {"status": {"phase": "Pending", "conditions": conditions, "containerStatuses": [status]}}


SCHEDULED = {"status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}]}}


@pytest.mark.parametrize(
    ("pod", "said", "is_final"),
    [
        ({"status": {"phase": "Pending"}}, "Waiting for a node", False),
        (unscheduled("0/3 nodes are available: 3 Insufficient memory."), "a node with enough memory", False),
        (unscheduled("0/3 nodes: 1 Insufficient cpu, 2 Insufficient memory."), "enough cpu and memory", False),
        (unscheduled("0/1 nodes are available: 1 node(s) had untolerated taint {a: b}."), "No node takes it", False),
        (waiting("ImagePullBackOff", 'Back-off pulling image "example/runner:1"'), "The image example/runner:1", True),
        (
            waiting("CrashLoopBackOff", lastState={"terminated": {"exitCode": 3}}),
            "The runner ends again and again: code 3",
            True,
        ),
        (waiting("CrashLoopBackOff", name="sync"), "What saves the files ends again", True),
        (
            waiting("CrashLoopBackOff", lastState={"terminated": {"reason": "OOMKilled", "exitCode": 137}}),
            "The runner ran out of memory",
            True,
        ),
        (SCHEDULED, "Starting the runner", False),
    ],
)
def test_what_it_waits_for(pod: dict[str, Any], said: str, is_final: bool) -> None:
    reason = waiting_for(pod)
    assert said in reason.text
    assert reason.is_final is is_final


def test_an_image_that_is_pulled_is_named_while_it_is() -> None:
    pulling = {"reason": "Pulling", "message": 'Pulling image "example/runner:1"'}
    assert waiting_for(SCHEDULED, [pulling]).text == "Pulling the image example/runner:1"
    assert waiting_for(SCHEDULED, [pulling, {"reason": "Pulled"}]).text == "Starting the runner"


def test_what_took_it() -> None:
    evicted = {"status": {"phase": "Failed", "reason": "Evicted"}}
    disk = {"status": {**evicted["status"], "message": 'Usage of EmptyDir volume "work" exceeds the limit "2Gi".'}}
    memory = {"status": {**evicted["status"], "message": "The node was low on resource: memory."}}
    killed = {"name": "runner", "state": {}, "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}}
    assert "more disk" in str(lost_by(disk))
    assert "The node needed room" in str(lost_by(memory))
    assert "ran out of memory" in str(lost_by({"status": {"containerStatuses": [killed]}}))
    assert lost_by({"status": {"phase": "Running"}}) is None


def test_an_evicted_pod_that_ended_in_good_order_is_known_by_its_events() -> None:
    pod = {"status": {"phase": "Succeeded", "containerStatuses": []}}
    assert lost_by(pod) is None
    told = lost_by(pod, [{"reason": "Evicted", "message": 'Usage of EmptyDir volume "work" exceeds the limit "2Gi". '}])
    assert told is not None
    assert told.text == "The REPL used more disk than it may."


def test_what_the_server_refused() -> None:
    quota = 'pods "a" is forbidden: exceeded quota: small, requested: limits.memory=1Gi, used: 4Gi, limited: 4Gi'
    assert refused(quota).text == "The quota is used up: small, requested: limits.memory=1Gi, used: 4Gi, limited: 4Gi"
    assert "rules forbid" in refused('pods "a" is forbidden: violates PodSecurity "restricted:latest": x').text


def test_a_deployment_without_a_pod_says_why_and_whether_that_lasts() -> None:
    def of(message: str) -> dict[str, Any]:
        return {"status": {"conditions": [{"type": "ReplicaFailure", "status": "True", "message": message}]}}

    assert not undeployed(None).is_final
    quota = undeployed(of('pods "a-b" is forbidden: exceeded quota: small, requested: pods=1, used: pods=0'))
    assert quota.text.startswith("The quota is used up: small")
    assert quota.is_final
    young = undeployed(of('pods "a-" is forbidden: serviceaccount "default" not found'))
    assert "serviceaccount" in young.text
    assert not young.is_final


def test_why_a_container_was_started_again() -> None:
    def of(**ended: Any) -> dict[str, Any]:
        return {"status": {"containerStatuses": [{"name": "runner", "lastState": {"terminated": ended}}]}}

    assert restarted(of(reason="OOMKilled", exitCode=137)) == "Your programs ran out of memory."
    assert restarted(of(reason="Error", exitCode=1)) == "The runner was killed (code 1)."
    assert restarted({"status": {"containerStatuses": [{"name": "runner", "lastState": {}}]}}) == ""


def test_a_sync_that_is_down_is_reported_and_one_that_runs_again_is_not() -> None:
    def of(**state: Any) -> dict[str, Any]:
        ended = {"lastState": {"terminated": {"exitCode": 1}}}
        return {"status": {"initContainerStatuses": [{"name": "sync", "state": state, **ended}]}}

    down = unsaving(of(waiting={"reason": "CrashLoopBackOff"}))
    assert down is not None
    assert down.text == "Files are not saved now. What saves them ends again and again: code 1"
    assert unsaving(of(running={})) is None
