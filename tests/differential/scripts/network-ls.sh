N=${N:-df$$}
$DOCKER network ls --filter driver=null --format "{{.Name}} {{.Driver}} {{.Scope}}"; $DOCKER network ls --filter name=host; $DOCKER network inspect nosuch-$N; echo $?
