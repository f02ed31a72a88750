# Platforms: of an image alone, of an index; such as are not there, and such as are none.
. "$(dirname "$0")/../registry.sh"; registry; image app amd amd; image app arm arm arm64
entry() { about $OCI.manifest.v1+json $D/app-$1 ",\"platform\":{\"architecture\":\"$2\",\"os\":\"linux\"}"; }
index app 1 "$(entry amd amd64)" "$(entry arm arm64)"; index app 2 "$(entry arm arm64)"
for args in $R/app:1 "--platform linux/arm64 $R/app:1" "--platform linux/amd64 $R/app:1" $R/app:2 "--platform linux/s390x $R/app:1" "--platform linux/s390x $R/app:amd" $R/app:arm "--platform x/y/z/w $R/app:1" "--platform windows $R/app:1" "--platform linux/arm64/v8 $R/app:2"; do
  echo "$args" | said; $DOCKER pull $args 2>&1 | said; listed; $DOCKER images --filter label=n=$N -q | sort -u | while read id; do $DOCKER image inspect -f '{{.Architecture}} {{.RepoTags}}' $id; done | sort | said; done
$DOCKER images --filter label=n=$N -q | sort -u | while read id; do gone $id; done
