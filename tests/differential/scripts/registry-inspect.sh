# Everything that inspect tells of a pulled image, and what pushing, tagging and saving change of it.
. "$(dirname "$0")/../registry.sh"; registry; image app 1 top amd64 base; $DOCKER pull -q $R/app:1 | said
show() { $DOCKER image inspect $1 | jq -S '.[] | del(.GraphDriver, .Metadata)' | said; }
show $R/app:1; show $R/app@$(digest $D/app-1) | grep -A 3 -e Repo; $DOCKER tag $R/app:1 $R/copy:1; show $R/copy:1 | grep -A 3 -e Repo
$DOCKER push $R/copy:1 2>&1 | said | grep -v Waiting | sort; show $R/copy:1 | grep -A 3 -e Repo; listed; $DOCKER save $R/app:1 -o $D/saved; gone $R/app:1 $R/copy:1; $DOCKER load -i $D/saved | said; listed; show $R/app:1 | grep -A 3 -e Repo
gone $R/app:1
