N=${N:-df$$}
exec 2>&1
try() { $DOCKER run --rm "$@" busybox true; echo $?; }
try --network name=a,alias=x --network-alias y
try --network name=a,ip=192.168.1.5 --ip 192.168.1.6
try --network name=a,ip6=fd00::5 --ip6 fd00::6
try --network name=a,mac-address=02:42:ac:11:00:02 --mac-address 02:42:ac:11:00:03
try --network name=a,link-local-ip=169.254.1.1 --link-local-ip 169.254.1.2
try --network ""
try --network container:
try --network container:nosuch-$N
try --network nosuch-$N
$DOCKER run -d --name $N-1 busybox sleep 100 >/dev/null
try --network container:$N-1 -p 80:80
try --network container:$N-1 --expose 80
try --network container:$N-1 --hostname x
try --network container:$N-1 --dns 192.0.2.1
try --network container:$N-1 --add-host a:192.0.2.1
try --network container:$N-1 --mac-address 02:42:ac:11:00:03
try --network container:$N-1 --link $N-1:x
try --network host -p 80:80
try --network none -p 80:80
try --network host --ip 192.168.1.5
try --network host --mac-address 02:42:ac:11:00:03
$DOCKER stop -t 0 $N-1 >/dev/null
try --network container:$N-1
$DOCKER rm -f $N-1
