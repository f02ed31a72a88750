N=${N:-df$$}
exec 2>&1
for filter in nosuch=1 until=soon until= 'status=exited' 'until=1h,2h' dangling=true; do
  $DOCKER container prune -f --filter label=$N-none --filter "$filter"; echo "$filter $?"
done
$DOCKER container prune -f --filter label=$N-none --filter until=1h --filter until=2h; echo $?
$DOCKER container prune -f --filter label=$N-none --filter until=2020-01-01T00:00:00; echo $?
$DOCKER container prune -f --filter label=$N-none --filter until=1577836800; echo $?
$DOCKER container prune -f --filter label; echo $?
$DOCKER container prune extra; echo $?
$DOCKER container prune --nosuch; echo $?
