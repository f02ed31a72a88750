N=${N:-df$$}
exec 2>&1
$DOCKER run -d --name $N-n --net none busybox sleep 100 >/dev/null; $DOCKER run --rm --net container:$N-n busybox ls /sys/class/net; $DOCKER rm -f $N-n
