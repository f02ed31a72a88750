N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
show() { tar tf - --numeric-owner -v | awk '{print $1,$2,($1 ~ /^d/ ? 0 : $3),$6,$7,$8,$9,$10}'; }
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
mkdir d; echo 1 >d/a; chmod 4755 d/a; echo 2 >d/b; chmod 0 d/b; mkdir -m 2770 d/s; mkdir -m 1777 d/t; mkfifo d/p; ln d/b d/hard; ln -s a d/soft; touch -d '2001-02-03 04:05:06.5 UTC' d/a
$DOCKER create --name $N-a busybox >/dev/null; code cp d $N-a:/; $DOCKER cp $N-a:/d - | show
$DOCKER cp -a $N-a:/d back; stat -c '%n %f %u:%g %Y' back/a back/b back/s back/t back/soft | sed 's/ [0-9]\{10\}$//'; ls back
$DOCKER rm $N-a
cd /; rm -rf $T
