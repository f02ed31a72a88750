N=${N:-df$$}
$DOCKER ps --filter foo=bar; $DOCKER ps --format "{{.Foo}}"; $DOCKER ps --format "{{.Foo"; $DOCKER ps x; $DOCKER ps --bad; echo $?
