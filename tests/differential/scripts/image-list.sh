# `images` with filters, digests, formats and the tree.
N=${N:-df$$}
d=$(mktemp -d); i() { echo $1 > $d/f; tar -C $d -c f | $DOCKER import -c "LABEL of=$N" -c "LABEL n=$1" - $2; sleep 1.1; }
a=$(i 1 $N/one:a); b=$(i 2 $N/one:b); c=$(i 3 $N/two); e=$(i 4)
l() { $DOCKER images --format '{{.Repository}}:{{.Tag}} {{.Digest}} {{.Size}}' "$@"; }
l --filter label=of=$N; l --filter label=of=$N --filter label=n=2; l --filter label=of=$N --filter label=n=9; l --filter label=of=$N --filter dangling=true; l --filter label=of=$N --filter dangling=false; l --filter label=of=$N --filter before=$N/two --filter since=$N/one:a; l --filter label=of=$N --filter since=$N/one:b
l --filter reference=$N/one; l --filter "reference=$N/*"; l --filter "reference=$N/*:b"; l --filter "reference=$N/one:[a-b]"; l --filter "reference=*/$N/*"; l --filter "reference=docker.io/$N/one"; l --filter "reference=$N/one" --filter "reference=$N/two"; l $N/one; l $N/one:b; l "$N/o*"; l $N; l --filter label=of=$N -a --digests
$DOCKER images --filter label=of=$N; $DOCKER images --filter label=of=$N --digests; $DOCKER images -q --no-trunc --filter label=of=$N | wc -l; $DOCKER images --filter label=of=$N --format '{{json .}}' | sed 's/"CreatedAt":"[^"]*"/T/'; $DOCKER images --filter label=of=$N --tree
$DOCKER images --filter nosuch=1; $DOCKER images --filter dangling=maybe; $DOCKER images --filter before=nosuch-$N; $DOCKER images --filter since=nosuch-$N:1; $DOCKER images --filter 'reference=['; $DOCKER images --filter until=nonsense; $DOCKER images --filter label=of=$N --filter until=10m; $DOCKER images --filter x; echo $?
$DOCKER create --name $N $N/two true >/dev/null; $DOCKER images --filter label=of=$N --tree; $DOCKER rm $N
$DOCKER image prune -f --filter label=of=$N --filter label=n=9; $DOCKER image prune -f --filter label=of=$N | sed "s|^Total.*|TOTAL|"; $DOCKER image prune -f --filter bad=1; $DOCKER image prune -f --filter until=x; echo $?
$DOCKER rmi $a $b $c; rm -r $d
