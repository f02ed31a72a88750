N=${N:-df$$}
for n in a "$N/x" "../$N" ".$N" "$N x" "$N!" "$N@d" "-$N"; do $DOCKER volume create -- "$n"; echo $?; done
$DOCKER volume create $N.v_1-2; $DOCKER volume rm $N.v_1-2
$DOCKER volume create --name $N-a $N-b; echo $?
$DOCKER run --rm -v a:/d busybox true; echo $?
$DOCKER run --rm -v $N@x:/d busybox true; echo $?
