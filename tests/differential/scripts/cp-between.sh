N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
show() { tar tf - --numeric-owner -v | awk '{print $1,$2,($1 ~ /^d/ ? 0 : $3),$6,$7,$8,$9,$10}'; }
$DOCKER run --name $N-a busybox sh -c 'mkdir -p /d/s; echo a >/d/a; ln /d/a /d/s/h; ln -s a /d/l; chown -R 5:6 /d'; $DOCKER create --name $N-b busybox >/dev/null
$DOCKER cp $N-a:/d - | $DOCKER cp - $N-b:/tmp; $DOCKER cp $N-b:/tmp - | show
$DOCKER rm $N-a $N-b
cd /; rm -rf $T
