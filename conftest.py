"""The assembly list."""

pytest_plugins = ["procedures.early", "procedures.plugin", "reports.plugin"]
