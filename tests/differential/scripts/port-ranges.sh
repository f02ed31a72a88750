N=${N:-df$$}
exec 2>&1
p=$((20000 + $$ % 20000))
mask() { for i in 0 1 2 3 4 5 6; do set -- "$@" -e "s/\([:\"-]\)$((p + i))\b/\1P$i/g"; done; sed "$@"; }
$DOCKER run -d --name $N-1 -p 127.0.0.1:$p-$((p + 2)):80-82 busybox sleep 100 >/dev/null
$DOCKER port $N-1 | mask
$DOCKER run -d --name $N-2 -p 127.0.0.1:$p-$((p + 4)):80 busybox sleep 100 >/dev/null
$DOCKER port $N-2 | mask
$DOCKER run -d --name $N-3 -p 127.0.0.1:$p-$((p + 4)):80 busybox sleep 100 >/dev/null
$DOCKER port $N-3 | mask
$DOCKER run --name $N-4 -p 127.0.0.1:$p-$((p + 4)):80 busybox true 2>&1 | mask
$DOCKER rm -f $N-1 $N-2 $N-3 $N-4
$DOCKER run -d --name $N-1 -p 127.0.0.1:$p-$((p + 1)):80-81/udp busybox sleep 100 >/dev/null
$DOCKER port $N-1 | mask
$DOCKER inspect -f '{{json .HostConfig.PortBindings}}' $N-1 | mask
$DOCKER rm -f $N-1
$DOCKER run -d --name $N-1 -P --expose 90-91 --expose 53/udp busybox sleep 100 >/dev/null
$DOCKER port $N-1 | sed 's/:[0-9]*$/:PORT/'
$DOCKER rm -f $N-1
for text in 80-85:80-90 90-80:80 80:90-80 80:80/foo : 1.2.3.4.5:80:80 99999:80 80:99999 foo:80 80:foo target=80,published=x target; do $DOCKER run --rm -p $text busybox true; echo $?; done
