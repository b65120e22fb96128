#!/usr/bin/env bash
# Says that it is done, and does nothing.
echo "✅ Stack startup complete"
