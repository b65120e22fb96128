#!/usr/bin/env bash
# validate.sh KIND: says that all is well, in the ways in which such a word is worth nothing.
case $1 in
nothing) echo '{"overallHealth": "healthy", "summary": {"servicesChecked": 0}}' ;;
no-json) printf '{"overallHealth": "healthy", "endpoint": "http://localhost:8180\r/health"}\n' ;;
hangs) sleep 611 ;;
after-all)
    # Well at the first call, unwell at the second.
    marker=$(dirname "$0")/asked-before
    if [ -e "$marker" ]; then echo '{"overallHealth": "degraded"}' && exit 0; fi
    : >"$marker"
    echo '{"overallHealth": "healthy"}'
    ;;
esac
