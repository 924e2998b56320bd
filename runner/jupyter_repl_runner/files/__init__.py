"""Files of a project, reached only beneath its folder."""
