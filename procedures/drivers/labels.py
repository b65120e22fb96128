"""Labels of containers and other things on an engine: Compose's and ours."""

from __future__ import annotations

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
ONEOFF = "com.docker.compose.oneoff"
OURS = "io.kestra-restart.role"
"""The label on everything that this suite creates on an engine."""
OUR_RUN = "io.kestra-restart.run"
"""The label that names the run."""
