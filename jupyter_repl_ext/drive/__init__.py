"""The projects as a drive of JupyterLab's: one contents manager over two ways to a project's files."""
