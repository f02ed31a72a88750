N=${N:-df$$}
for m in type=volume,src=$N,dst=/d,bind-propagation=shared type=bind,src=/tmp,dst=/d,volume-nocopy type=tmpfs,dst=/d,volume-nocopy type=bind,src=/tmp,dst=/d,tmpfs-size=1m type=tmpfs,dst=/d,src=x type=npipe,src=x,dst=/d type=cluster,src=x,dst=/d type=bogus,src=x,dst=/d type=volume,src=$N,dst=relative type=volume,src=$N,dst=/; do $DOCKER run --rm --mount $m busybox true; echo $?; done
