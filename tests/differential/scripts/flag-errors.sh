N=${N:-df$$}
$DOCKER run --rm=foo busybox; $DOCKER run --pids-limit x busybox; $DOCKER run --cpus x busybox; $DOCKER run --ulimit x busybox; $DOCKER run -a foo busybox; $DOCKER stop -t x y; $DOCKER run --device a:b:c busybox; $DOCKER run --env-file /nosuch busybox; $DOCKER run --pull foo busybox; echo $?
