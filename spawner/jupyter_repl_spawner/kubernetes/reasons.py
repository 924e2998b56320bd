"""What a pod waits for, or died of, in words for people. Pure: from the pod and its events, as the API has them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

Object = Mapping[str, Any]

IMAGE = ("ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName")
CRASH = "CrashLoopBackOff"
LASTING = QUOTA, RULES = "exceeded quota", "violates PodSecurity"
"""What a pod is refused for, and is again until somebody changes something."""


@dataclass(frozen=True)
class Reason:
    """`is_final`: waiting helps no more."""

    text: str
    hint: str = ""
    is_final: bool = False

    @property
    def sentence(self) -> str:
        return self.text if self.text.endswith((".", "…")) else f"{self.text}."


def waiting_for(pod: Object, events: Sequence[Object] = ()) -> Reason:
    """What keeps a pod from running now."""
    if lost := lost_by(pod):
        return lost
    conditions = {each["type"]: each for each in pod.get("status", {}).get("conditions", ())}
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return _unscheduled(str(scheduled.get("message", "")))
    for container in _containers(pod):
        state = container.get("state", {})
        if waiting := state.get("waiting"):
            reason, message = str(waiting.get("reason", "")), str(waiting.get("message", ""))
            if reason in IMAGE:
                hint = "Ask the administrator: the image's name or its registry is wrong."
                return Reason(f"The image {container['image']} can't be had: {_short(message)}", hint, is_final=True)
            if reason == CRASH:
                text = f"{_what(container)} ends again and again: {_last(container)}"
                return Reason(text, "Ask the administrator.", is_final=True)
            if reason == "CreateContainerConfigError":
                return Reason(f"{_what(container)} can't be made: {_short(message)}", "Ask the administrator.", True)
    if not scheduled:
        return Reason("Waiting for a node")
    if pulled := _pulling(events):
        return Reason(f"Pulling the image {pulled}")
    return Reason("Starting the runner")


def lost_by(pod: Object, events: Iterable[Object] = ()) -> Reason | None:
    """Why a pod that ran is no more, or None. Containers that end in good order make an evicted pod look as if it had
    succeeded; then only the events of the pod say so."""
    status = pod.get("status", {})
    evictions = [str(event.get("message", "")) for event in events if event.get("reason") == "Evicted"]
    if status.get("reason") == "Evicted" or evictions:
        message = str(status.get("message") or evictions[-1])
        if "ephemeral" in message or "emptyDir" in message or "EmptyDir" in message:
            return Reason("The REPL used more disk than it may.", "Its files are kept. Delete some, or ask for more.")
        return Reason(f"The node needed room: {_short(message)}", "The REPL starts again with the same files.")
    if status.get("reason") in ("Preempting", "Terminated", "NodeShutdown", "NodeLost"):
        return Reason("The node went away.", "The REPL starts again with the same files.")
    for container in status.get("containerStatuses", ()):
        ended = container.get("state", {}).get("terminated") or container.get("lastState", {}).get("terminated")
        if ended and ended.get("reason") == "OOMKilled":
            again = container.get("state", {}).get("waiting", {}).get("reason") == CRASH
            hint = "Your program needed more than the REPL has."
            return Reason(f"{_what(container)} ran out of memory.", hint, is_final=again)
    if status.get("phase") == "Failed":
        return Reason(f"The pod failed: {_short(str(status.get('message') or status.get('reason') or ''))}")
    return None


def restarted(pod: Object) -> str:
    """Why the runner's container was started again in its pod; empty if it was not."""
    for container in pod.get("status", {}).get("containerStatuses", ()):
        ended = container.get("lastState", {}).get("terminated")
        if container.get("name") == "runner" and ended:
            if ended.get("reason") == "OOMKilled":
                return "Your programs ran out of memory."
            return f"The runner was killed (code {ended.get('exitCode', 'unknown')})."
    return ""


def unsaving(pod: Object) -> Reason | None:
    """Why nothing is saved in a pod that runs: sync fails, and the kubelet waits before it starts it again."""
    for container in pod.get("status", {}).get("initContainerStatuses", ()):
        if container.get("name") == "sync" and container.get("state", {}).get("waiting", {}).get("reason") == CRASH:
            text = f"Files are not saved now. What saves them ends again and again: {_last(container)}"
            return Reason(text, "It is started again by itself. If this stays, ask the administrator.")
    return None


def undeployed(deployment: Object | None) -> Reason:
    """Why a Deployment has no pod."""
    for condition in (deployment or {}).get("status", {}).get("conditions", ()):
        if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
            reason = refused(str(condition.get("message", "")))
            # The controller tries again; a new namespace, say, has no account for its pods in its first moments.
            return replace(reason, is_final=any(word in str(condition.get("message")) for word in LASTING))
    return Reason("Waiting for a pod")


def refused(message: str) -> Reason:
    """Why the API server would not take an object of ours."""
    if QUOTA in message:
        which = _short(message.partition("exceeded quota: ")[2])
        return Reason(f"The quota is used up: {which}", "Stop another REPL.", is_final=True)
    if RULES in message:
        return Reason(f"The cluster's rules forbid the pod: {_short(message)}", "Ask the administrator.", True)
    return Reason(_short(message), "Ask the administrator.", True)


def _unscheduled(message: str) -> Reason:
    if "Insufficient cpu" in message or "Insufficient memory" in message:
        what = " and ".join(name for name in ("cpu", "memory") if f"Insufficient {name}" in message)
        return Reason(f"Waiting for a node with enough {what}", _short(message))
    if "node affinity" in message or "node selector" in message or "taint" in message:
        return Reason("No node takes it", _short(message))
    return Reason("Waiting for a node", _short(message))


def _pulling(events: Iterable[Object]) -> str:
    last = ""
    for event in events:
        if event.get("reason") == "Pulling":
            last = str(event.get("message", "")).partition('"')[2].partition('"')[0]
        elif event.get("reason") == "Pulled":
            last = ""
    return last


def _containers(pod: Object) -> list[Object]:
    status = pod.get("status", {})
    return [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]


def _what(container: Object) -> str:
    name = str(container["name"])
    return {"runner": "The runner", "sync": "What saves the files"}.get(name, name)


def _last(container: Object) -> str:
    ended = container.get("lastState", {}).get("terminated", {})
    return _short(str(ended.get("message") or f"code {ended.get('exitCode', 'unknown')}"))


def _short(text: str, limit: int = 300) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
