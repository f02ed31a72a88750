N=${N:-df$$}
exec 2>&1
try() { $DOCKER network create "$@"; echo $?; }
$DOCKER network create --subnet 192.168.234.0/24 $N-a >/dev/null
try $N-a
try --subnet 192.168.234.0/25 $N-b
try --subnet 192.168.0.0/16 $N-b
for name in host none bridge default; do try $name; done
try ""
try -d nosuch-$N $N-b
try -d overlay $N-b
try -d host $N-b
try -d null $N-b
try --scope swarm $N-b
try --ingress $N-b
try --ipam-driver nosuch-$N $N-b
try --subnet foo $N-b
try --subnet 192.168.235.0/33 $N-b
try --subnet 192.168.235.0/24 --gateway 192.168.236.1 $N-b
try --subnet 192.168.235.0/24 --ip-range 192.168.236.0/25 $N-b
try --subnet 192.168.235.0/24 --aux-address a=192.168.236.1 $N-b
try --subnet 192.168.235.0/24 --aux-address a=192.168.235.1 --gateway 192.168.235.1 $N-b
try --subnet 192.168.235.0/24 --aux-address a=192.168.235.9 --aux-address b=192.168.235.9 $N-b 2>&1 | sed 's/[ab]:192/NAME:192/'
try --gateway 192.168.235.1 $N-b
try --subnet 192.168.235.0/24 --subnet 192.168.236.0/24 $N-b
try --subnet 192.168.235.0/24 --subnet 192.168.235.0/25 $N-b
try --subnet 192.168.235.0/31 $N-c
try --subnet 192.168.235.64/32 $N-d
try --ipv4=false $N-b
try --ipv6 --subnet 192.168.235.0/24 --subnet 192.168.236.0/24 $N-b
try --ipv4=false --ipv6 --subnet 192.168.235.0/24 $N-b
$DOCKER network rm -f $N-a $N-b $N-c $N-d
