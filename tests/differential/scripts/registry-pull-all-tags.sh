# All tags of a repository, also of one that is not there.
. "$(dirname "$0")/../registry.sh"; registry; image app 1 one; image app 2 two; image app x one
$DOCKER pull -a $R/app 2>&1 | said; listed; $DOCKER pull -aq $R/app 2>&1 | said; $DOCKER pull -a $R/app:1 2>&1 | said; $DOCKER pull -a $R/none 2>&1 | said
$DOCKER images $R/app --format '{{.Repository}}:{{.Tag}}' | sort | said; $DOCKER images "$R/a*" -q | wc -l; $DOCKER pull -a $R/app@$(digest $D/app-1) 2>&1 | said
gone $R/app:1 $R/app:2 $R/app:x
