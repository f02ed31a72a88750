# What /distribution tells of images, indexes and what is not there. The reference does not look into the config of an OCI manifest
# for its platform, so that is left out.
. "$(dirname "$0")/../registry.sh"; registry; image app 1 one; image app arm arm arm64; index app 2 "$(about $OCI.manifest.v1+json $D/app-1 ',"platform":{"architecture":"amd64","os":"linux"}')" "$(about $OCI.manifest.v1+json $D/app-arm ',"platform":{"architecture":"arm64","os":"linux","variant":"v8"}')"
for name in app:1 app:arm app:2 app@$(digest $D/app-2) app@$(digest $D/app-arm) app:none none app none:1 App; do
  curl -s --unix-socket ${DOCKER_HOST#unix://} -w '%{http_code}\n' http://x/v1.50/distribution/$R/$name/json | said | sed '/image.manifest.v1/s/"Platforms":.*/PLATFORMS/'; done
curl -s --unix-socket ${DOCKER_HOST#unix://} -w '%{http_code}\n' http://x/v1.50/distribution/127.0.0.1:1/x/json
