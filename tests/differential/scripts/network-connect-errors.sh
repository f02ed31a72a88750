N=${N:-df$$}
exec 2>&1
$DOCKER network create --subnet 192.168.245.0/24 $N-a >/dev/null
$DOCKER network create $N-plain >/dev/null
$DOCKER run -d --name $N-1 busybox sleep 100 >/dev/null
$DOCKER run -d --name $N-h --net host busybox sleep 100 >/dev/null
$DOCKER run -d --name $N-n --net none busybox sleep 100 >/dev/null
$DOCKER run -d --name $N-c --net container:$N-1 busybox sleep 100 >/dev/null
try() { $DOCKER network "$@"; echo $?; }
try connect nosuch-$N $N-1
try connect $N-a nosuch-$N
try connect $N-a
try connect "" $N-1
try connect $N-a ""
try connect host $N-1
try connect none $N-1
try connect $N-a $N-h
try connect $N-a $N-n
try connect $N-a $N-c
try connect bridge $N-1
try connect --ip 192.168.246.1 $N-a $N-1
try connect --ip 192.168.245.1 $N-a $N-1
try connect --ip foo $N-a $N-1
try connect --ip6 fd00::5 $N-a $N-1
try connect --ip 192.168.250.5 $N-plain $N-1
try connect --link-local-ip foo $N-a $N-1
try connect --link nosuch-$N:x $N-a $N-1
try connect --driver-opt foo $N-a $N-1
try connect --gw-priority foo $N-a $N-1
try connect --nosuch $N-a $N-1
try disconnect $N-a $N-1
try disconnect nosuch-$N $N-1
try disconnect $N-a nosuch-$N
try disconnect -f $N-a nosuch-$N
try disconnect host $N-h
try disconnect none $N-n
try disconnect $N-a $N-c
$DOCKER rm -f $N-c $N-1 $N-h $N-n
$DOCKER network rm $N-a $N-plain
