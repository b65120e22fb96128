"""The assembly list."""

pytest_plugins = ["procedures.plugin", "reports.plugin"]
