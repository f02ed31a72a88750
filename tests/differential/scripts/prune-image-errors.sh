N=${N:-df$$}
exec 2>&1
for filter in nosuch=1 until=soon dangling=maybe reference=x before=x since=x 'label!=' all=1; do
  $DOCKER image prune -f --filter label=$N-none --filter "$filter"; echo "$filter $?"
done
$DOCKER image prune -f --filter label=$N-none --filter until=1h --filter until=2h; echo $?
$DOCKER image prune -f --filter label=$N-none --filter dangling=true; echo $?
$DOCKER image prune -af --filter label=$N-none --filter dangling=false; echo $?
echo n | $DOCKER image prune -a --filter label=$N-none; echo $?
