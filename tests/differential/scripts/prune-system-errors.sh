N=${N:-df$$}
exec 2>&1
$DOCKER system prune -f --volumes --filter label=$N-none --filter until=1h; echo $?
for filter in nosuch=1 until=soon dangling=maybe; do
  $DOCKER system prune -f --filter label=$N-none --filter "$filter"; echo "$filter $?"
done
$DOCKER system prune extra; echo $?
echo n | $DOCKER system prune --filter label=$N-none; echo $?
echo n | $DOCKER system prune -a --volumes --filter label=$N-none; echo $?
