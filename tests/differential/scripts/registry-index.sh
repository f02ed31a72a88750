# An index: its digest is the one that is told and kept; nested, empty and dangling ones; attestations.
. "$(dirname "$0")/../registry.sh"; registry; image app amd amd; image app arm arm arm64
entry() { about $OCI.manifest.v1+json $D/app-$1 ",\"platform\":{\"architecture\":\"$2\",\"os\":\"$3\"}"; }
index app 1 "$(entry arm arm64 linux)" "$(entry amd amd64 linux)"; index app 2 "$(entry amd amd64 linux)" "$(entry arm unknown unknown)"; index app 3; index app 4 "$(about $OCI.index.v1+json $D/app-1)"; index app 5 "$(entry arm arm64 linux)"
for tag in 1 2 3 4 5; do echo $tag; $DOCKER pull $R/app:$tag 2>&1 | said; done; listed
$DOCKER image inspect -f '{{.RepoTags}} {{.RepoDigests}} {{.Architecture}}' $R/app:1 | said
$DOCKER pull $R/app@$(digest $D/app-1) 2>&1 | said; $DOCKER pull $R/app@$(digest $D/app-amd) 2>&1 | said; $DOCKER pull $R/app@$(digest $D/app-arm) 2>&1 | said; listed
$DOCKER images --filter label=n=$N -q | sort -u | while read id; do gone $id; done
