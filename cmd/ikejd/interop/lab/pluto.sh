#!/bin/sh
# libreswan's pluto as an IKEv2 peer in a network namespace, apart from any other on the machine.
#
# DIR holds all of it: ipsec.conf and ipsec.secrets (the caller's), nss/ (made here, empty), run/ with
# the control socket, the log and the pid. pluto has no "no kernel" mode: its only stack is XFRM. Where
# the kernel has no ESP give -s, which preloads fakexfrm.so so that every XFRM state is "installed".
# pluto insists on /usr/libexec/ipsec/addconn, so the unpacked directory is bind-mounted there in a mount
# namespace of its own.
set -eu
. "$(dirname "$0")/lib.sh"
usage="usage: pluto.sh start DIR [-n NETNS] [-s SHIM] [-a PLUTO-OPTION]...
       pluto.sh whack DIR ARG...      e.g. --initiate --name lab, --terminate --name lab, --trafficstatus
       pluto.sh status DIR | pluto.sh stop DIR | pluto.sh kill DIR
  DIR/ipsec.conf and DIR/ipsec.secrets must be there; every conn of ipsec.conf is loaded.
  PEERS names the directory fetch-peers.sh filled; without it the installed package is used.
  -s  path of fakexfrm.so (see fakexfrm.c), for kernels without ESP
  -a  e.g. -a --impair=send-no-delete; whack DIR --impair help lists what pluto can break"
[ $# -ge 2 ] || { echo "$usage" >&2; exit 2; }
verb=$1; mkdir -p "$2"; dir=$(cd "$2" && pwd); shift 2
tree=${PEERS:+$(cd "$PEERS" && pwd)/libreswan}
bin=$tree/usr/libexec/ipsec
[ -z "$tree" ] || LD_LIBRARY_PATH=${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$tree/usr/lib/x86_64-linux-gnu
export LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}"
certutil=$tree/usr/bin/certutil; [ -x "$certutil" ] || certutil=certutil

whack() { "$bin/whack" --rundir "$dir/run" "$@"; }
answers() { [ -S "$dir/run/pluto.ctl" ] && whack --briefstatus; }
up_or_dead() { answers || ! alive "$dir/pid"; }

start() {
    netns='' shim='' options=''
    while getopts n:s:a: opt; do
        case $opt in
            n) netns=$OPTARG;; s) shim=$OPTARG;; a) options="$options $OPTARG";;
            *) echo "$usage" >&2; exit 2;;
        esac
    done
    for f in ipsec.conf ipsec.secrets; do [ -f "$dir/$f" ] || die "no $dir/$f"; done
    ! alive "$dir/pid" || die "already running in $dir"
    chmod 600 "$dir/ipsec.secrets"; mkdir -p "$dir/run" "$dir/nss"; rm -f "$dir/log" "$dir/run"/*
    [ -f "$dir/nss/cert9.db" ] || "$certutil" -N -d "sql:$dir/nss" --empty-password
    set --
    [ -z "$netns" ] || set -- ip netns exec "$netns"
    if [ -n "$tree" ]; then
        [ -d /usr/libexec/ipsec ] || mkdir -p /usr/libexec/ipsec    # an empty mount point
        # shellcheck disable=SC2016  # expanded inside
        set -- "$@" unshare -m --propagation private sh -c 'mount --bind "$1" /usr/libexec/ipsec; shift; exec "$@"' sh "$bin"
    fi
    [ -z "$shim" ] || set -- "$@" env "LD_PRELOAD=$(cd "$(dirname "$shim")" && pwd)/${shim##*/}"
    # pluto runs its updown command as "ipsec _updown", and fails the child where there is no ipsec: this one
    # says yes and does nothing.
    mkdir -p "$dir/bin"; printf '#!/bin/sh\nexit 0\n' >"$dir/bin/ipsec"; chmod 755 "$dir/bin/ipsec"
    PATH=$dir/bin:$PATH
    # shellcheck disable=SC2086  # options is a list of words
    setsid "$@" "$bin/pluto" --config "$dir/ipsec.conf" --nofork --rundir "$dir/run" --ipsecdir "$dir" --nssdir "sql:$dir/nss" \
        --secretsfile "$dir/ipsec.secrets" --logfile "$dir/log" --no-dnssec $options \
        </dev/null >"$dir/stderr" 2>&1 &
    remember $! "$dir/pid"
    trap 'stop "$dir/pid"' EXIT; trap 'exit 129' HUP INT TERM
    wait_for 20 up_or_dead || die "no answer on $dir/run/pluto.ctl; see $dir/log"
    alive "$dir/pid" || { cat "$dir/stderr" >&2; die "pluto died at once; see $dir/log"; }
    whack --listen >/dev/null
    "$bin/addconn" --config "$dir/ipsec.conf" --ctlsocket "$dir/run/pluto.ctl" --autoall >"$dir/load" 2>&1 ||
        { cat "$dir/load" >&2; die "addconn failed"; }
    trap - EXIT
}

case $verb in
    start) start "$@";;
    whack) whack "$@";;
    status) whack --status;;
    stop) if alive "$dir/pid"; then whack --shutdown >/dev/null 2>&1 || true; wait_for 5 gone "$dir/pid" || true; fi
        stop "$dir/pid";;
    kill) stop "$dir/pid" KILL;;
    *) echo "$usage" >&2; exit 2;;
esac
