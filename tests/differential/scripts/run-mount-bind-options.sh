N=${N:-df$$}
d=$(mktemp -d); for o in bind-propagation=rprivate bind-propagation=bogus bind-recursive=disabled bind-recursive=disabled,readonly bind-recursive=readonly bind-recursive=readonly,readonly bind-recursive=readonly,readonly,bind-propagation=rprivate bind-recursive=writable,readonly bind-recursive=writable bind-recursive=bogus bind-nonrecursive; do
  echo "-- $o"; $DOCKER run --rm --mount type=bind,src=$d,dst=/d,$o busybox sh -c 'touch /d/x 2>&1 && echo written; grep " /d " /proc/self/mountinfo | cut -d" " -f6' 2>&1 | sed "s,$d,DIR,g"; done; rm -r $d
