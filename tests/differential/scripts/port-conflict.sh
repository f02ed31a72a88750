N=${N:-df$$}
exec 2>&1
p=$((20000 + $$ % 20000))
mask() { sed "s/\b$p\b/P0/g"; }
$DOCKER run -d --name $N-1 -p 127.0.0.1:$p:80 busybox sleep 100 >/dev/null
$DOCKER create --name $N-2 -p 127.0.0.1:$p:80 busybox sleep 100 >/dev/null
$DOCKER start $N-2 2>&1 | mask | grep -o 'Bind for .* already allocated'
$DOCKER inspect -f '{{.State.Status}} {{.State.ExitCode}} {{json .NetworkSettings.Ports}}' $N-2
$DOCKER stop -t 0 $N-1 >/dev/null
$DOCKER start $N-2; echo $?
$DOCKER port $N-2 | mask
$DOCKER rm -f $N-1 $N-2
$DOCKER run -d --name $N-1 -p 127.0.0.1:$p:80 -p 127.0.0.1:$p:80/udp busybox sleep 100 >/dev/null; echo $?
$DOCKER port $N-1 | mask
$DOCKER rm -f $N-1
