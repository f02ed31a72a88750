N=${N:-df$$}
for m in type=image,dst=/d type=image,src=busybox type=image,src=busybox,dst=/ type=image,src=busybox,dst=/d,image-subpath=/bin type=image,src=busybox,dst=/d,image-subpath=../.. type=image,src=Bad:::,dst=/d; do $DOCKER create --mount $m busybox; echo $?; done
$DOCKER run --rm --mount type=image,src=busybox,dst=/d,image-subpath=nosuch busybox true 2>&1 | sed 's,/[^ ]*/nosuch,PATH,g'
