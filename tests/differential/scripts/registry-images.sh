# How images of a registry are listed: digests, references, several tags of one, filters.
. "$(dirname "$0")/../registry.sh"; registry; image app 1 one; image app 2 two; image team/app 1 one
for name in $R/app:1 $R/app:2 $R/team/app:1; do $DOCKER pull -q $name | said; done; $DOCKER tag $R/app:1 $N:mine; $DOCKER tag $R/app:1 $R/app:again
f='{{.Repository}} {{.Tag}} {{.Digest}}'
for args in '' --digests '-a --digests' "--filter reference=$R/app" "--filter reference=$R/*:1" "--filter reference=$R/*/*" "--filter reference=$R/app:1 --digests" "--filter before=$R/app:1" "--filter since=$R/app:1" '--filter dangling=true' '--filter dangling=false'; do
  echo "$args" | said; $DOCKER images --filter label=n=$N $args --format "$f" | sort | said; done
for name in $R/app $R/app:1 $R/app:none "$R/app@$(digest $D/app-1)" "$R/*" app; do $DOCKER images --format "$f" "$name" | sort | said; done
$DOCKER images --filter label=n=$N --format json | sed 's/"ID":"[^"]*"/ID/; s/"Size":"[^"]*"/SIZE/' | sort | said
for name in $R/app:1 $N:mine $R/team/app:1; do $DOCKER image inspect -f '{{.RepoTags}} {{.RepoDigests}}' $name | said; done
gone $R/app:1 $R/app:2 $R/team/app:1 $N:mine $R/app:again
