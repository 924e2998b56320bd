"""The projects as a drive in JupyterLab: its contents managers, and access to files through the runner or the store."""
