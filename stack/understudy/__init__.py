"""The understudy: a small server that stands in for Kestra where its image cannot be had."""
