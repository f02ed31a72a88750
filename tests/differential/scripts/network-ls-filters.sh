N=${N:-df$$}
exec 2>&1
$DOCKER network create --label $N=1 $N-a2 >/dev/null
$DOCKER network create --label $N=2 --internal $N-a10 >/dev/null
$DOCKER network create --label other $N-b >/dev/null
f='{{.Name}} {{.Driver}} {{.Scope}} {{.IPv4}} {{.IPv6}} {{.Internal}} {{.Labels}}'
list() { $DOCKER network ls --format "$f" "$@"; echo $?; }
list --filter name=$N
list --filter name=$N-a
list --filter name="^$N-b\$"
list --filter label=$N
list --filter label=$N=2
list --filter label=$N=3
list --filter label=$N --filter label=other
list --filter name=$N --filter driver=bridge
list --filter name=$N --filter driver=macvlan
list --filter name=$N --filter type=custom
list --filter name=$N --filter type=builtin
list --filter type=builtin
list --filter name=$N --filter scope=local
list --filter name=$N --filter scope=swarm
list --filter name=$N --filter dangling=true
list --filter name=$N --filter dangling=false
list --filter id=$($DOCKER network inspect -f '{{.Id}}' $N-b)
list --filter type=foo
list --filter dangling=foo
list --filter foo=bar
list --filter foo
$DOCKER network ls --filter name=$N
$DOCKER network ls --filter name=$N --no-trunc
$DOCKER network ls --filter name=$N -q | wc -l
$DOCKER network ls --filter name=$N-b --format json
$DOCKER network ls --filter name=$N --format 'table {{.Name}}\t{{.Label "other"}}'
$DOCKER network ls --format '{{.Nope}}'; echo $?
$DOCKER network rm $N-a2 $N-a10 $N-b
