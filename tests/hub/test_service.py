"""The shared service beside a real JupyterHub: who may do what, by tokens alone; logins at any replica."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from support.hub import ACCESS, Browser, Hub, Service
from support.lab import wait_for
from support.ports import free_port


def authorized(token: str) -> dict[str, str]:
    return {"Authorization": f"token {token}"}


def test_each_user_has_projects_of_their_own(service: Service, adam: Browser, berta: Browser) -> None:
    a, b = adam.token(), berta.token(ACCESS)
    assert service.call("POST", "project", {"replId": "mine", "language": "python"}, token=a)[0] == 201
    assert [each["replId"] for each in service.call("GET", "project", token=a)[1]] == ["mine"]
    assert service.call("GET", "project", token=b) == (200, [])
    assert service.call("GET", "project/mine", token=b)[0] == 404
    assert service.call("DELETE", "project/mine", token=a)[0] == 204


def test_only_a_token_in_the_header_counts(service: Service, adam: Browser) -> None:
    token = adam.token()
    assert service.call("GET", "project", token=token)[0] == 200
    assert service.call("GET", "project", token="")[0] == 403
    assert service.call("GET", "project", token="no-such-token")[0] == 403
    for mode in ({}, {"Sec-Fetch-Mode": "websocket"}, {"Sec-Fetch-Mode": "navigate"}):
        assert service.call("GET", f"project?token={token}", headers=mode, token="")[0] == 403, mode


def test_a_token_without_the_scope_is_refused(service: Service, adam: Browser, hub: Hub) -> None:
    assert service.call("GET", "project", token=adam.token("read:users!user"))[0] == 403
    assert service.call("GET", "project", token=hub.other_token)[0] == 403, "a service has no projects"
    assert service.call("POST", "project", {"replId": "x", "language": "python"}, token=hub.other_token)[0] == 403
    assert service.call("GET", "project", token=hub.token)[0] == 403, "not even this service"
    expired = adam.token(expires_in=1)
    wait_until_refused(service, expired)


def wait_until_refused(service: Service, token: str) -> None:
    wait_for(lambda: service.call("GET", "project", token=token)[0] == 403, 40)


def test_nothing_else_of_a_jupyter_server_is_there(service: Service, adam: Browser) -> None:
    headers = authorized(adam.token())
    for path in ("", "api", "api/me", "api/status", "api/contents", "api/kernels", "api/terminals", "api/sessions"):
        assert requests.get(f"{service.url}/{path}", headers=headers, timeout=10).status_code == 404, path
    for path in ("metrics", "login", "files/x", "static/x", "lab", "tree", "api/shutdown", "api/events/subscribe"):
        assert requests.post(f"{service.url}/{path}", headers=headers, timeout=10).status_code == 404, path
        assert requests.get(f"{service.url}/{path}", headers=headers, timeout=10).status_code == 404, path
    assert requests.get(f"{service.url}/ready", timeout=10).status_code == 200
    metrics = requests.get(f"http://127.0.0.1:{service.metrics_port}/metrics", timeout=10).text
    assert "http_request_duration_seconds" in metrics


def test_a_cookie_opens_the_page_of_a_link_and_nothing_else(service: Service, hub: Hub) -> None:
    browser = Browser(hub.url, "cara").login()
    opened = browser.session.get(f"{service.url}/open/mine", allow_redirects=False, timeout=10)
    assert opened.status_code == 302
    assert opened.headers["Content-Security-Policy"] == "frame-ancestors 'none'"
    *_, back = follow(browser.session, f"{service.url}/open/mine", hub)
    assert back == f"{hub.url}/hub/user-redirect/lab?repl=mine"
    cookies = {name for name, value in browser.session.cookies.items()}
    assert "service-repl" in cookies
    for path in ("repl/project", "repl/template", "repl/openapi.yaml"):
        assert browser.session.get(f"{service.url}/{path}", timeout=10).status_code == 403, path
    xsrf = browser.xsrf("/services/repl/")
    body = json.dumps({"replId": "x", "language": "python"})
    for extra in ({}, {"X-XSRFToken": xsrf}):
        answer = browser.session.post(f"{service.url}/repl/project", data=body, headers=extra, timeout=10)
        assert answer.status_code == 403


def follow(session: requests.Session, url: str, hub: Hub) -> list[str]:
    """The addresses of all redirects until one leads to the hub's own pages."""
    seen = [url]
    while "user-redirect" not in seen[-1] and "/spawn/" not in seen[-1]:
        answer = session.get(seen[-1], allow_redirects=False, timeout=10)
        assert answer.status_code == 302, (seen, answer.status_code, answer.text[:300])
        location = answer.headers["Location"]
        base = urlsplit(seen[-1])
        seen.append(location if "://" in location else f"{base.scheme}://{base.netloc}{location}")
    return seen


def test_a_link_names_another_owner_and_a_server(service: Service, hub: Hub) -> None:
    browser = Browser(hub.url, "dora").login()
    assert follow(browser.session, f"{service.url}/open/bert/x", hub)[-1].endswith("/lab?repl=x&owner=bert")
    last = follow(browser.session, f"{service.url}/open/mine?server=second", hub)[-1]
    assert urlsplit(last).path == "/hub/spawn/dora/second"
    (target,) = parse_qs(urlsplit(last).query)["next"]
    assert target.endswith("/dora/second/lab?repl=mine")
    for bad in ("open/No", "open/a/b/c", "open/%2e%2e", "open/x?server=../../evil", "open/x?server=a%2Fb"):
        assert browser.session.get(f"{service.url}/{bad}", timeout=10).status_code == 404, bad


@pytest.fixture
def second(hub: Hub, service: Service) -> Iterator[Service]:
    other = Service(service.home, hub, free_port()).start()
    yield other
    other.stop()


def test_a_login_may_end_at_another_replica(service: Service, second: Service, hub: Hub) -> None:
    session = Browser(hub.url, "eva").login().session
    first = session.get(f"{service.url}/open/mine", allow_redirects=False, timeout=10)
    callback = session.get(first.headers["Location"], allow_redirects=False, timeout=10).headers["Location"]
    answer = session.get(callback.replace(str(service.port), str(second.port)), allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"] == "/services/repl/open/mine"


def test_no_token_and_no_query_is_in_the_log(service: Service, adam: Browser, hub: Hub) -> None:
    token = adam.token()
    service.call("GET", f"project?token={token}&secret=hush", token=token)
    service.call("GET", f"nothing?token={token}&secret=hush", headers={"Referer": f"http://x/?token={token}"}, token="")
    service.call("POST", f"project?secret=hush&token={token}", b"{" * 50, token=token)
    session = Browser(hub.url, "fay").login().session
    follow(session, f"{service.url}/open/mine?secret=hush", hub)
    log = service.log.read_text()
    assert "/services/repl/repl/project" in log
    assert token not in log
    assert "hush" not in log
    assert "state=" not in log
    assert hub.token not in log
    assert all(str(cookie.value).strip('"') not in log for cookie in session.cookies)


def audited(service: Service) -> list[dict[str, Any]]:
    lines = [line for line in service.log.read_text().splitlines() if "jupyter_repl_ext.audit" in line]
    return [json.loads(line.partition("] ")[2]) for line in lines]


def test_what_people_do_is_in_the_audit_log(service: Service, hub: Hub) -> None:
    browser = Browser(hub.url, "gil").login()
    token = browser.token()
    body = {"replId": "noted", "language": "python"}
    person = {"X-Jupyter-Repl-Person": "b%C3%A9a%0A%5Bforged"}
    assert service.call("POST", "project", body, person, token)[0] == 201
    service.call("GET", "project", token=token)
    service.call("GET", "owner/other/project", token=token)
    service.call("DELETE", "project/noted?secret=hush", token=token)

    def lines_of_gil() -> list[dict[str, Any]]:
        return [line for line in audited(service) if line.get("user") == "gil"]

    wait_for(lambda: len(lines_of_gil()) > 2)  # a line is written after the answer
    lines = lines_of_gil()
    assert [(line["method"], line["status"]) for line in lines] == [("POST", 201), ("GET", 403), ("DELETE", 204)]
    assert (lines[0]["project"], lines[0]["person"], lines[0]["visit"]) == ("gil/noted", "béa\n[forged", False)
    assert lines[1]["visit"]
    assert "hush" not in service.log.read_text()
