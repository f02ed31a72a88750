# Names, kinds and owners in the archive of a container, stopped and running.
N=${N:-df$$}
$DOCKER run -d --name $N busybox sh -c 'mkdir -p /d/e; echo a > /d/a; ln /d/a /d/b; ln -s a /d/l; mkfifo /d/p; mknod /d/n c 1 3; chown 3000000000:4000000000 /d/a; rm /etc/passwd; touch /done; sleep 60' >/dev/null; until $DOCKER exec $N test -e /done; do :; done
$DOCKER export $N | tar tvf - --numeric-owner | grep -E ' d/|etc|dev|dockerenv' | awk '{print $1,$2,$NF}' | sort; $DOCKER kill $N >/dev/null
$DOCKER export $N | tar tf - | grep -v ^bin/ | sort; $DOCKER rm -f $N >/dev/null
