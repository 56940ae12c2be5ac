#!/bin/sh
# ikejd with the kernel's own ESP, inside the virtual machine of vm-run.sh: Child SAs that carry traffic, close, and leave nothing
# behind; against another ikejd, and against charon. `make vm` runs it.
#
# Without arguments it makes the pairs of namespaces and runs itself in each; "case PEER ROAD" is one of them.
set -eu
lab=/lab
say() { printf '%s\n' "vm-ikejd: $*"; }
die() { say "$*"; for f in left right; do say "log of $f"; cat "$f/log" 2>/dev/null || true; done; exit 1; }

if [ "${1:-}" != case ]; then
    cd "$(mktemp -d)"
    for road in plain nat; do
        for peer in ikejd charon; do
            mkdir "$peer-$road"
            option=''; [ "$road" = plain ] || option=--nat
            # shellcheck disable=SC2086  # no option, or one
            (cd "$peer-$road" && "$lab/netns-pair.sh" $option run t1 "$0" case "$peer" "$road")
            say "$peer, $road: passed"
        done
    done
    exit 0
fi
peer=$2 road=$3

conf() {        # conf DIR LOCAL REMOTE LOCAL_ID REMOTE_ID LOCAL_NET REMOTE_NET
    mkdir -p "$1/swanctl"
    cat >"$1/swanctl/swanctl.conf" <<CONF
connections {
    lab {
        version = 2
        local_addrs = $2
        remote_addrs = $3
        proposals = aes256-sha256-ecp256
        mobike = no
        dpd_delay = 0s
        rekey_time = 0s
        local {
            auth = psk
            id = $4
        }
        remote {
            auth = psk
            id = $5
        }
        children {
            net {
                local_ts = $6
                remote_ts = $7
                esp_proposals = aes256gcm16
                rekey_time = 0s
            }
        }
    }
}
secrets {
    ike-lab {
        id-1 = left.lab
        id-2 = right.lab
        secret = "a pre-shared key for tests"
    }
}
CONF
}

wait_for() {    # wait_for WHAT COMMAND...: a hundred tries, each a tenth of a second apart
    what=$1; shift
    for _ in $(seq 100); do ! "$@" >/dev/null 2>&1 || return 0; sleep 0.1; done
    die "$what: not within ten seconds"
}

start() {       # start DIR NAMESPACE
    ip netns exec "$2" ikejd run --config "$1/swanctl/swanctl.conf" --journal "$1/journal" --socket "$1/vici" --vault-key "$1/key" >"$1/log" 2>&1 &
    pid=$!
    wait_for "$1 is up" grep -q msg=ready "$1/log"
}

empty() {       # empty NAMESPACE: no state and no policy but those of sockets
    left_over=$(ip -n "$1" xfrm state; ip -n "$1" xfrm policy list nosock)
    [ -z "$left_over" ]
}

right_remote=$LEFT_SEEN; [ "$road" = plain ] || right_remote=%any
conf left "$LEFT_IP" "$RIGHT_IP" left.lab right.lab 10.1.0.0/24 10.2.0.0/24
conf right "$RIGHT_IP" "$right_remote" right.lab left.lab 10.2.0.0/24 10.1.0.0/24
if [ "$peer" = charon ]; then
    "$lab/charon.sh" start right -n "$RIGHT" -k netlink
else
    start right "$RIGHT"; right_pid=$pid
fi
start left "$LEFT"; left_pid=$pid
ikejd initiate lab --socket left/vici --timeout 30s || die "initiate"
ip netns exec "$LEFT" ping -c 3 -i 0.2 -W 5 -I 10.1.0.1 10.2.0.1 || die "no answer through the tunnel"
[ "$(ip -n "$LEFT" xfrm state | grep -c '^src')" = 2 ] || die "not two states"
if [ "$road" = nat ]; then ip -n "$LEFT" xfrm state | grep -q espinudp || die "not in UDP"; fi

# Killed, it finds its Child SA again, and the traffic has not noticed.
kill -KILL "$left_pid"; wait "$left_pid" || true
start left "$LEFT"; left_pid=$pid
ip netns exec "$LEFT" ping -c 3 -i 0.2 -W 5 -I 10.1.0.1 10.2.0.1 || die "no answer after the kill"

ikejd terminate lab --socket left/vici --timeout 30s || die "terminate"
wait_for "left is empty" empty "$LEFT"
wait_for "right is empty" empty "$RIGHT"
kill -TERM "$left_pid"; wait "$left_pid" || die "left ended with $?"
if [ "$peer" = charon ]; then
    "$lab/charon.sh" stop right
else
    kill -TERM "$right_pid"; wait "$right_pid" || die "right ended with $?"
fi
