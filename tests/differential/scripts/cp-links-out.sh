N=${N:-df$$}
exec 2>&1
T=$(mktemp -d); cd $T
show() { tar tf - --numeric-owner -v | awk '{print $1,$2,($1 ~ /^d/ ? 0 : $3),$6,$7,$8,$9,$10}'; }
# The client's own race with an early answer (level=error) is no matter of the engine.
code() { $DOCKER "$@" >out 2>&1; r=$?; grep -av level=error out | sed "s,$T,DIR,g"; rm -f out; echo "exit $r"; }
$DOCKER run --name $N-a busybox sh -c 'mkdir -p /d/s; echo a >/d/a; ln -s d /rel; ln -s /d/a /abs; ln -s nothing /dangling; ln -s ../../../../etc /up; ln -s rel /chain; ln -s /d/s/.. /dots'
for p in /rel /rel/ /rel/. /abs /dangling /up/passwd /chain /chain/ /chain/a /dots/; do echo $p; $DOCKER cp $N-a:$p - | show; done
code cp -L $N-a:/rel out1; find out1 | sort; code cp -L $N-a:/abs out2; cat out2; code cp -L $N-a:/dangling out3
code cp -L $N-a:/chain out4; find out4 | sort
code cp $N-a:/rel out5; readlink out5; code cp $N-a:/dangling out6; readlink out6
$DOCKER rm $N-a
cd /; rm -rf $T
