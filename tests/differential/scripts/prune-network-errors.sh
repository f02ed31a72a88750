N=${N:-df$$}
exec 2>&1
for filter in nosuch=1 until=soon dangling=true name=x driver=bridge; do
  $DOCKER network prune -f --filter label=$N-none --filter "$filter"; echo "$filter $?"
done
$DOCKER network prune -f --filter label=$N-none --filter until=1h --filter until=2h; echo $?
$DOCKER network prune -f --filter label=$N-none --filter until=5m; echo $?
echo n | $DOCKER network prune --filter label=$N-none; echo $?
