N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
show() { tar tf - --numeric-owner -v | awk '{print $1,$2,($1 ~ /^d/ ? 0 : $3),$6,$7,$8,$9,$10}'; }
$DOCKER run --name $N-a busybox sh -c 'mkdir -p /d/s; echo a >/d/a; ln /d/a /d/s/hard; ln -s a /d/soft; mkfifo /d/fifo; mknod /d/null c 1 3; chown 12:34 /d/a; chmod 4711 /d/a; chmod 1777 /d/s'
for p in /d /d/ /d/. d/s/.. /d/s/../a /d/a /d/s/hard /d/soft /d/fifo /d/null; do echo $p; $DOCKER cp $N-a:$p - | show; done
$DOCKER cp $N-a:/ - | tar tf - | head -3; $DOCKER cp $N-a:/. - | tar tf - | head -3; $DOCKER cp $N-a:. - | tar tf - | head -3
$DOCKER rm $N-a
cd /; rm -rf $T
