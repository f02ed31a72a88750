N=${N:-df$$}
exec 2>/dev/null
$DOCKER builder prune -f --filter id=$N
$DOCKER builder prune -f --filter id=$N --filter until=24h
$DOCKER builder prune -af --filter id=$N
$DOCKER system df --format '{{.Type}} {{.TotalCount}} {{.Size}}' | grep Build
