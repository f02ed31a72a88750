# What a push says: layers sent, there already, mounted from another repository, all tags, quietly; what it leaves behind.
. "$(dirname "$0")/../registry.sh"; registry
for file in one two; do mkdir -p $D/$file; head -c 200000 /dev/urandom > $D/$file/$file; done
for file in one two; do tar -C $D/$file -c $file | $DOCKER import - $R/$file:1 > $D/out; done
t=$(date +%s)
for name in one one two; do $DOCKER push $R/$name:1 2>&1 | said; done
$DOCKER tag $R/one:1 $R/team/copy:1; $DOCKER tag $R/one:1 $R/team/copy:2
$DOCKER push $R/team/copy:1 2>&1 | said; $DOCKER push -a $R/team/copy 2>&1 | said; $DOCKER push -q $R/two:1 2>&1 | said
$DOCKER inspect --format '{{len .RepoDigests}} {{range .RepoDigests}}{{.}}{{end}}' $R/two:1 | said
$DOCKER events --since $t --until $(date +%s.%N) --filter event=push --format '{{.Type}} {{.Action}} {{.Actor.ID}} {{json .Actor.Attributes}}' | grep $R | said
$DOCKER rmi -f $($DOCKER images -q $R/one) $($DOCKER images -q $R/two) > $D/out
