N=${N:-df$$}
c() { $DOCKER create --name $N-l "$@" busybox true 2>&1 | grep -v '^[0-9a-f]*$'; $DOCKER rm -f $N-l >/dev/null 2>&1; }
for d in json-file local journald syslog fluentd; do c --log-driver $d --log-opt bogus=1; c --log-driver $d --log-opt mode=x; c --log-driver $d --log-opt max-buffer-size=1m; c --log-driver $d --log-opt mode=non-blocking --log-opt max-buffer-size=x; c --log-driver $d --log-opt cache-disabled=x; done
c --log-driver nosuch; c --log-driver none --log-opt a=b; true
