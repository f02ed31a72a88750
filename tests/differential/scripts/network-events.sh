N=${N:-df$$}
exec 2>&1
since=$(date +%s)
$DOCKER network create $N-a >/dev/null
$DOCKER network create $N-b >/dev/null
$DOCKER create --name $N-1 --net $N-a busybox sleep 100 >/dev/null
$DOCKER start $N-1 >/dev/null
$DOCKER network connect $N-b $N-1
$DOCKER network disconnect $N-a $N-1
$DOCKER stop -t 0 $N-1 >/dev/null
$DOCKER network connect $N-a $N-1
$DOCKER network disconnect $N-a $N-1
$DOCKER start $N-1 >/dev/null
$DOCKER rm -f $N-1 >/dev/null
$DOCKER network rm $N-a $N-b >/dev/null
sleep 1.2
$DOCKER events --since $since --until 0s --filter type=network --format '{{.Type}} {{.Action}} {{.Scope}} {{.Actor.Attributes.name}} {{.Actor.Attributes.type}} {{if .Actor.Attributes.container}}container{{end}}' | grep $N
$DOCKER events --since $since --until 0s --filter network=$N-b --format '{{.Action}}'
$DOCKER events --since $since --until 0s --filter container=$N-1 --format '{{.Type}} {{.Action}}' | grep -v -e stop -e die
