"""The environment that a REPL inherits from the Jupyter server: only variables with known names, so no secrets."""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

KEPT = (
    "PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "LC_*", "TZ", "TMPDIR",
    "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "DISPLAY", "WAYLAND_DISPLAY",
    "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "CONDA_EXE", "CONDA_SHLVL", "CONDA_PYTHON_EXE",
    "PYENV_ROOT", "PYENV_VERSION", "NVM_DIR", "NVM_BIN", "VOLTA_HOME", "FNM_DIR", "NODE_PATH",
    "JAVA_HOME", "GOPATH", "GOROOT", "CARGO_HOME", "RUSTUP_HOME", "R_HOME", "R_LIBS_USER", "JULIA_DEPOT_PATH",
    "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "MANPATH", "HOMEBREW_PREFIX",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "PIP_CERT",
    "no_proxy", "NO_PROXY", "OMP_NUM_THREADS", "CUDA_VISIBLE_DEVICES",
    "JUPYTER_REPL_LOOP",
)  # fmt: skip
"""Names and patterns. Those of proxies and package indexes are missing: their addresses often contain passwords."""


def repl_environment(server: Mapping[str, str], also: Iterable[str] = ()) -> dict[str, str]:
    """Returns the variables that a REPL gets from `server`. `also`: more names and patterns, from the administrator."""
    patterns = (*KEPT, *also)
    return {name: value for name, value in server.items() if any(fnmatchcase(name, p) for p in patterns)}
