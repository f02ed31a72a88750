N=${N:-df$$}
exec 2>&1
$DOCKER network create --ipv6 --subnet 192.168.248.0/24 --subnet fd17:1:2:5::/64 $N-a >/dev/null
$DOCKER run -d --name $N-1 --net $N-a busybox sleep 100 >/dev/null
$DOCKER run -d --name $N-2 --net $N-a busybox sleep 100 >/dev/null
short=$(printf %.12s $($DOCKER inspect -f '{{.Id}}' $N-1))
ask() { $DOCKER exec $N-2 nslookup "$@" 2>&1 | grep -v '^$'; }
$DOCKER exec $N-2 cat /etc/resolv.conf | grep -v '^#' | grep -v search
ask -type=a $N-1
ask -type=aaaa $N-1
ask $N-1 | sort
ask $short | grep ^Address.*192
ask 192.168.248.2
ask -type=ptr 3.248.168.192.in-addr.arpa
ask -type=mx $N-1
ask $(printf %s $N-1 | tr a-z A-Z) | grep ^Address.*192
ask $N-1. | grep ^Address.*192
$DOCKER rename $N-1 $N-new
ask $N-new | grep ^Address.*192
$DOCKER exec $N-2 ping -c 1 -w 3 $N-new | grep received
$DOCKER exec $N-2 sh -c 'cat /etc/hosts' | tr '\t' ' '
$DOCKER rm -f $N-new $N-2
$DOCKER network rm $N-a
