#!/usr/bin/env bash
# Asks a question that nobody answers, then never ends, whoever asks it to.
trap '' TERM HUP INT
read -r answer
echo "resposta: ${answer:-nenhuma}"
while :; do sleep 0.2; done
