#!/bin/sh
# Makes the file-system view of one host and becomes its systemd. Runs inside the host's own
# namespaces, so that everything it mounts vanishes with them.
#   HOST   its name                       SCRATCH  its system disk, which outlives a loss of power
#   SEED   files to put into its view       SMALL    a disk of its own for /srv/small, or empty
#   DATA   directory for /var/lib/postgresql, or empty
#   SHOWN  directories of the machine to show read-only, one a line
#   HIDDEN directories of the machine to hide, one a line
set -eu
umask 022

mount --make-rprivate /
mkdir -p "$SCRATCH/upper" "$SCRATCH/work" "$SCRATCH/root"
root=$SCRATCH/root
mount -t overlay -o "lowerdir=/,upperdir=$SCRATCH/upper,workdir=$SCRATCH/work" overlay "$root"

mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount --bind "$root/proc/sys/net" "$root/proc/sys/net"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for node in null zero full random urandom tty; do
    touch "$root/dev/$node"
    mount --bind "/dev/$node" "$root/dev/$node"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"

install_host() { # The machine's own services, logins and secrets are not the host's.
    rm -rf "$root/etc/systemd/system" "$root/etc/postgresql" "$root/root/.ssh" "$root/var/log/journal"
    rm -f "$root/root/.bashrc" "$root/root/.profile" "$root/root/.bash_profile" \
        "$root/etc/ssh/sshd_not_to_be_run" "$root/etc/resolv.conf"
    rm -rf "$root"/etc/ssh/ssh_host_* "$root"/etc/ssh/sshd_config.d "$root"/etc/rc?.d/[SK]*
    mkdir -p "$root/etc/postgresql"
    sed -i 's/^root:[^:]*:/root:*:/' "$root/etc/shadow"
    cp -a "$SEED/." "$root/"
    touch "$SCRATCH/installed"
}
[ -e "$SCRATCH/installed" ] || install_host
hostname "$HOST"

show() { # also to users who may not pass the machine's /root
    mkdir -p "$root$1"
    mount --bind "$1" "$root$1"
    mount -o remount,bind,ro "$root$1"
    above=$(dirname "$1")
    while [ "$above" != / ]; do
        chmod o+x "$root$above"
        above=$(dirname "$above")
    done
}
IFS='
'
for directory in $SHOWN; do show "$directory"; done
for directory in $HIDDEN; do # what lies on another file system of the machine does not show anyway
    if [ -d "$root$directory" ]; then mount -t tmpfs -o mode=700 tmpfs "$root$directory"; fi
done
if [ -n "$DATA" ]; then
    mkdir -p "$root/var/lib/postgresql"
    mount --bind "$DATA" "$root/var/lib/postgresql"
fi
if [ -n "$SMALL" ]; then
    mkdir -p "$root/srv/small"
    mount --bind "$SMALL" "$root/srv/small"
fi

mkdir -p "$root/mnt/machine"
cd "$root"
pivot_root . mnt/machine
cd /
umount -l /mnt/machine
rmdir /mnt/machine
exec env -i container=recover-lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    setpriv --bounding-set -sys_module,-sys_time,-sys_rawio /lib/systemd/systemd --system
