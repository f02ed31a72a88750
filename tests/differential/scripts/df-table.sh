N=${N:-df$$}
exec 2>&1
$DOCKER system df | sed -n 1p
$DOCKER system df --format '{{.Type}}'
$DOCKER system df --format '{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}} {{.Reclaimable}}' | grep Build
$DOCKER system df --format 'table {{.Type}}'
$DOCKER system df --format '{{.Nosuch}}'; echo $?
$DOCKER system df extra; echo $?
$DOCKER system df -v --format json | head -c 11; echo
