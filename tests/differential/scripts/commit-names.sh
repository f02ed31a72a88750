# Names that a commit takes and refuses.
N=${N:-df$$}
$DOCKER create --name $N busybox true >/dev/null
for r in $N $N:tag $N/deep/er:1.0 UPPER "$N:b!" "$N@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" sha256 :x "host:5000/$N:y"; do $DOCKER commit $N "$r"; echo $?; done
$DOCKER images --format '{{.Repository}}:{{.Tag}}' | grep $N | sort; $DOCKER commit no-such-$N; $DOCKER commit; echo $?
$DOCKER rmi $N $N:tag $N/deep/er:1.0 host:5000/$N:y | wc -l; $DOCKER rm $N >/dev/null
