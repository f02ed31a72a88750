N=${N:-df$$}
s() { $DOCKER run --name $N-l --log-driver fluentd "$@" busybox true 2>&1; echo $?; $DOCKER rm -f $N-l >/dev/null 2>&1; }
for a in 127.0.0.1:1 tcp://127.0.0.1:1 unix:///nowhere/x foo://x 127.0.0.1:x 127.0.0.1:99999 tcp://127.0.0.1:1/path unix://; do s --log-opt fluentd-address=$a; done
A='--log-opt fluentd-address=127.0.0.1:1 --log-opt fluentd-async=true --log-opt'
for o in fluentd-async=x fluentd-async-connect=true fluentd-buffer-limit=x fluentd-max-retries=-1 fluentd-max-retries=99999999999 fluentd-request-ack=x fluentd-retry-wait=5 fluentd-retry-wait=x fluentd-write-timeout=-1s fluentd-write-timeout=x fluentd-async-reconnect-interval=99ms fluentd-async-reconnect-interval=1 'labels-regex=('; do s $A $o; done; true
