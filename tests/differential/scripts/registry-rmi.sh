# Images from a registry go: by tag, digest and id, with tags in several repositories, in use, by force.
. "$(dirname "$0")/../registry.sh"; registry; image app 1 one; image app 2 one; image team/app 1 one; d=$(digest $D/app-1); t=$(date +%s.%N)
all() { for name in $R/app:1 $R/app:2 $R/team/app:1; do $DOCKER pull -q $name > $D/out; done; id=$($DOCKER images -q --no-trunc $R/app:1); }
all; $DOCKER rmi $R/app:1 | said; listed; $DOCKER rmi $R/team/app:1 | said; listed; $DOCKER rmi $R/app@$d 2>&1 | said; listed; $DOCKER rmi $R/app:2 2>&1 | said; listed
all; $DOCKER rmi $id 2>&1 | said; $DOCKER rmi $R/app@$d 2>&1 | said; listed; $DOCKER rmi -f $id | said | sort; listed
all; $DOCKER rmi $R/app:2 $R/team/app:1 | said; $DOCKER create --name $N $R/app:1 > $D/out; $DOCKER rmi $R/app:1 2>&1 | said; $DOCKER rmi $id 2>&1 | said; $DOCKER rmi -f $R/app:1 2>&1 | said; listed; $DOCKER rm $N | said; listed; $DOCKER rmi $id 2>&1 | said
$DOCKER pull -q $R/app@$d | said; $DOCKER tag $R/app@$d $R/app:mine; listed; $DOCKER rmi $R/app:mine | said; listed; events_since $t | grep -v container
gone $id
