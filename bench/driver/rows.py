# SPDX-License-Identifier: MIT
"""Which rows there are, who takes part in them, and what weft is to reach."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Target:
    """Any of: best peer ÷ weft at least, weft ÷ floor at most, weft's own figure at most."""

    ratio: float | None = None
    against: str = ""  # the peer that the ratio is meant for, where it is not the best one
    floors: float | None = None
    at_most: float | None = None

    def __str__(self):
        parts = []
        if self.ratio is not None:
            what = f"{IMPLEMENTATIONS[self.against].label} ÷ weft" if self.against else "ratio"
            parts.append(f"{what} ≥ {self.ratio:g}")
        if self.floors is not None:
            parts.append(f"≤ {self.floors:g} × floor")
        if self.at_most is not None:
            parts.append(f"≤ {self.at_most:g}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Row:
    """One line of the command: a program of each implementation with certain arguments."""

    name: str
    what: str  # what one figure is
    source: str = ""  # folder under rows/; the name itself when empty
    args: tuple = ()
    procs: tuple = (1,)
    method: str = "program"  # or "start", "idle": measured from outside, see run.py
    rounds: int = 99  # at most so many
    timeout: int = 60  # seconds for one run of one program
    quick: bool = True  # part of --quick
    count_ops: int = 0  # operations for an instruction count; 0: not counted
    targets: dict = field(default_factory=dict)  # (quantity, procs): Target

    @property
    def folder(self):
        return self.source or self.name

    def target(self, quantity, procs):
        return self.targets.get((quantity, procs))


@dataclass(frozen=True)
class Implementation:
    name: str
    label: str
    kind: str  # weft; peer; floor: a physical limit; other: shown, but no peer
    package: str = ""  # Debian package that its programs need


IMPLEMENTATIONS = {
    i.name: i
    for i in (
        Implementation("weft", "weft", "weft"),
        Implementation("weft_call", "weft, out-of-line switch", "other"),
        Implementation("weft_fcontext", "weft-fcontext, under Boost's headers", "other", "libboost-context1.81-dev"),
        Implementation("weft_shared", "weft, control words shared", "other"),
        Implementation("weft_plain", "weft, unannounced", "other"),
        Implementation("weft_dynamic", "weft, shared C and C++ libraries", "other"),
        Implementation("floor", "floor", "floor"),
        Implementation("boost_fcontext", "Boost jump_fcontext", "peer", "libboost-context1.81-dev"),
        Implementation("boost_context", "boost::context::fiber", "peer", "libboost-context1.81-dev"),
        Implementation("boost_coroutine2", "Boost.Coroutine2", "peer", "libboost-context1.81-dev"),
        Implementation("boost_fiber", "Boost.Fiber", "peer", "libboost-fiber1.81-dev"),
        Implementation("boost_fiber_pooled", "Boost.Fiber, pooled stacks", "peer", "libboost-fiber1.81-dev"),
        Implementation("go", "Go", "peer", "golang-go"),
        Implementation("st", "State Threads", "peer", "libst-dev"),
        Implementation("pth", "GNU Pth", "peer", "libpth-dev"),
        Implementation("swapcontext", "glibc swapcontext", "peer"),
        Implementation("pthread", "POSIX threads", "peer"),
        Implementation("c", "C, no runtime", "other"),
    )
}


def _peer(ratio, floors=None):
    return Target(ratio=ratio, floors=floors)


ROWS = {
    r.name: r
    for r in (
        Row("switch.raw", "one switch, one way, nothing below it", count_ops=100_000,
            targets={("", 1): _peer(4, 2)}),
        *(
            Row(f"switch.deep{depth}.{code}",
                f"one switch, one way, with {depth} frames below it that return and are entered again; "
                + ("both sides the same code" if code == "same" else "each side code of its own"),
                source="switch.deep", args=(str(depth), code), count_ops=100_000,
                targets={("", 1): _peer(1.5)})
            for depth in (3, 10) for code in ("same", "diff")
        ),
        Row("switch.resume_yield", "one resume or one yield of a generator, with a value", count_ops=100_000,
            targets={("", 1): _peer(3)}),
        Row("systemstack", "a call on the system stack and its return, from a goroutine", count_ops=100_000,
            targets={("", 1): Target(floors=3)}),
        Row("mcall.gogo", "from a goroutine to g0 and back", count_ops=100_000),
        Row("yield.2", "one yield among 2 runnable", source="yield", args=("2",), count_ops=20_000,
            targets={("", 1): _peer(7)}),
        Row("yield.100", "one yield among 100 runnable", source="yield", args=("100",), count_ops=20_000,
            targets={("", 1): _peer(6)}),
        Row("yield.10000", "one yield among 10,000 runnable", source="yield", args=("10000",), count_ops=500_000,
            targets={("", 1): _peer(4)}),
        Row("park.ready", "one round trip of a token between two goroutines", procs=(1, 2), count_ops=20_000,
            targets={("", 1): _peer(1.5), ("", 2): _peer(4)}),
        Row("spawn", "one goroutine started, run and ended; batches of 1,000 waited for", procs=(1, 2),
            count_ops=20_000, targets={("", 1): _peer(1.5), ("", 2): _peer(4)}),
        Row("spawn.join", "one goroutine started and joined for its result, one at a time", procs=(1, 2),
            count_ops=20_000),
        Row("skynet", "a tree of goroutines with 1,000,000 leaves (--quick: 100,000), ten children each",
            procs=(1, 2), rounds=3, timeout=240,
            targets={("", 1): _peer(4), ("", 2): _peer(4), ("rss", 1): _peer(2), ("rss", 2): _peer(2)}),
        Row("parked.bytes.100000", "memory with page tables per parked goroutine, of 100,000", source="parked.bytes",
            args=("100000",), rounds=3, timeout=120),
        Row("parked.bytes.1000000", "memory with page tables per parked goroutine, of 1,000,000", source="parked.bytes",
            args=("1000000",), rounds=2, timeout=240, quick=False),
        Row("start", "process start until its end, with one line written by the main goroutine", method="start",
            rounds=5,
            targets={("", 1): _peer(1.4), ("line", 1): _peer(1.4), ("syscalls", 1): Target(at_most=59)}),
        Row("idle", "wake-ups of all threads in 10 s (--quick: 2 s) after the first second, with one goroutine parked "
            "for an hour", method="idle", procs=(2,), rounds=1, targets={("wakeups", 2): Target(at_most=0)}),
        Row("wake.latency", "from readying a parked goroutine of an idle M until it runs, the waker on another CPU",
            procs=(2,), rounds=5,
            targets={("p50", 2): Target(ratio=1.2, against="go"), ("p99", 2): Target(ratio=1.2, against="go")}),
        Row("sleepers", "1,000,000 goroutines (--quick: 100,000) that sleep for less than a second, each at its own time",
            procs=(1, 2), rounds=3, timeout=240),
        Row("timer", "a pending timer stopped and set again, among 1,000 others"),
        Row("syscall", "the cheapest system call, announced where there is somebody to tell"),
        # Later rows go here: channels, select, mutex, memory, network.
    )
}


class Unknown(Exception):
    """A name on the command line that is none of ours."""


def _chosen(kind, names, known):
    for name in names:
        if name not in known:
            raise Unknown(f"unknown {kind} {name!r}; there are: {', '.join(known)}")
    return names


def choose_rows(names):
    """The rows named; a common first part, such as yield or switch.deep3, names all below it."""
    wanted = []
    for name in names:
        below = [r for r in ROWS if r == name or r.startswith(name + ".") or ROWS[r].folder == name]
        wanted += below if below else _chosen("row", [name], ROWS)
    return [ROWS[r] for r in dict.fromkeys(wanted)] if names else list(ROWS.values())


def below(name, names):
    """Whether a figure's row, which may be a quantity such as skynet.rss, belongs to one of these."""
    return any(name == n or name.startswith(n + ".") for n in names)


def choose_implementations(peers):
    """All, or weft and the floor with only those peers of a comma-separated list; "none" is no peer."""
    if peers is None:
        return list(IMPLEMENTATIONS)
    named = [] if peers == "none" else [p.strip() for p in peers.split(",") if p.strip()]
    ours = [i for i in IMPLEMENTATIONS if i == "floor" or i.startswith("weft")]
    keep = {*ours, *_chosen("peer", named, [i for i in IMPLEMENTATIONS if i not in ours])}
    return [i for i in IMPLEMENTATIONS if i in keep]
