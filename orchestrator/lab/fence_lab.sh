# The lab's out-of-band control: power and switch port of each host, past the host itself. Speaks the
# interface of Debian's fence-agents: `key=value` lines on stdin; exit 0 is done or on, 2 is off, 1 is
# neither. The lab puts in front of this what KIND it is, ROOT, where its hosts are, and CGROUPS.
#   action    on | off | reboot (if nothing is said) | status | monitor
#   device    power (if nothing is said) | port: of the switch, on the network of the host's site
#   plug      the host                 password   as in lab/secrets/fence
set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
OFF=2

refuse() {
    echo "fence_lab: $1" >&2
    exit 1
}

wait_until() { # five seconds at most
    tries=1000
    until "$@"; do
        tries=$((tries - 1))
        [ "$tries" -gt 0 ] || refuse "$plug: never seen: $*"
        sleep 0.005
    done
}

# --- power

power_is_on() {
    case $KIND in
    full) grep -qs '^populated 1' "$CGROUPS/$plug/cgroup.events" ;;
    loopback) [ -n "$(inits)" ] ;;
    esac
}

power_is_off() {
    ! power_is_on
}

inits() { # of a host of the loopback lab: what starts its services, and reaps what they leave
    grep -slzx "HOME=$ROOT/$plug" /proc/[0-9]*/environ | cut -d/ -f3 | while read -r pid; do
        ! grep -qszx RECOVER_LAB_INIT=yes "/proc/$pid/environ" || echo "$pid"
    done
}

processes() { # of a host of the loopback lab: whatever descends from its inits, the dead included
    ps -e -o pid= -o ppid= | awk -v inits="$(inits)" '
        BEGIN { split(inits, list, "\n"); for (i in list) init[list[i]] = 1 }
        { parent[$1] = $2 }
        END {
            for (pid in parent) {
                for (above = pid; above in parent && !(above in init);) above = parent[above]
                if (above in init && !(pid in init)) print pid
            }
        }'
}

power_off() {
    case $KIND in
    full) # its wires first: a loss of power says no good-bye to anybody
        ip -n "$NAMESPACE" -brief link | sed -n 's/^\(eth[0-9]*\|wan[0-9]*\)@.*/link set \1 down/p' |
            ip -n "$NAMESPACE" -batch - || refuse "$plug: its wires stay up"
        echo 1 > "$CGROUPS/$plug/cgroup.kill" || refuse "$plug: it cannot be killed"
        wait_until power_is_off
        ;;
    loopback)
        # What reaps them ends last: a server that is dead and not reaped is taken for alive.
        for those in processes inits; do
            while pids=$("$those") && [ -n "$pids" ]; do
                kill -KILL $pids 2> /dev/null || true # one that ended by itself is as good
            done
        done
        ;;
    esac
}

power_on() {
    if power_is_off; then
        # It lives on: with it would whatever else whoever called this has open, a lock for one.
        setsid --fork "$ROOT/$plug/boot" < /dev/null > "$ROOT/$plug/console.log" 2>&1 \
            3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
        wait_until power_is_on
    fi
}

# --- the port of the switch; the other end of that wire, at the host, belongs to the power

port_is_on() {
    ip -n "$SWITCH" -oneline link show "$PORT" up | grep -q .
}

port_on() {
    ip -n "$SWITCH" link set "$PORT" up || refuse "$plug: its port stays shut"
}

port_off() {
    ip -n "$SWITCH" link set "$PORT" down || refuse "$plug: its port stays open"
}

# --- what is asked

action=reboot device=power plug='' password=''
while IFS='=' read -r key value; do
    case $key in
    action) action=$value ;;
    device) device=$value ;;
    plug | port) plug=$value ;;
    password | passwd) password=$value ;;
    esac
done

read -r secret < "$ROOT/fence.password" || refuse "there is no lab: run \`recover lab up\`"
[ "$password" = "$secret" ] || refuse 'wrong password'
[ "$action" != monitor ] || exit 0
case $plug in
'' | . | .. | */*) refuse "no plug is named: say plug=HOST" ;;
esac
[ -x "$ROOT/$plug/boot" ] || refuse "the lab has no host $plug"
NAMESPACE=recover-lab-$plug
SWITCH=recover-lab-switch
PORT=site-$plug
case $device:$KIND in
power:* | port:full) ;;
port:*) # its hosts share the network of this machine: the port is there and cannot be shut
    [ "$action" != status ] && [ "$action" != on ] || exit 0
    refuse 'the loopback lab has no switch'
    ;;
*) refuse "no device $device: power or port" ;;
esac

if [ "$action" = status ]; then
    "${device}_is_on" || exit "$OFF"
    exit 0
fi
exec 9> "$ROOT/$plug/fence.lock"
flock 9
case $action in
on | off) "${device}_$action" ;;
reboot) "${device}_off" && "${device}_on" ;;
*) refuse "no action $action: on, off, reboot, status or monitor" ;;
esac
