N=${N:-df$$}
$DOCKER run -d --name $N-p --label k=$N busybox sleep 100 >/dev/null; $DOCKER create --name $N-q --label k=$N busybox >/dev/null; $DOCKER ps -a --filter label=k=$N --format "{{.Names}} {{.State}}"; $DOCKER ps --filter label=k=$N --format "{{.Names}}"; $DOCKER ps -a --filter name=$N --filter status=created --format "{{.Names}} {{.Image}} {{.Command}}"; $DOCKER rm -f $N-p $N-q
