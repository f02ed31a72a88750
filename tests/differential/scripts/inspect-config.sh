N=${N:-df$$}
$DOCKER create --name $N-i -h h -e A=b --health-cmd true --health-interval 5s --stop-signal INT --stop-timeout 3 -w /w -u 5 busybox a b >/dev/null; $DOCKER inspect -f "{{json .Config}}" $N-i; $DOCKER rm $N-i
