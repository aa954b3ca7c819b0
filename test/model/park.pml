// SPDX-License-Identifier: MIT
// Parking and readying (runtime/sched/park.cpp) with direct switches: three goroutines on two threads. Each
// parks on a word of its own, as a parker does, wakes the others, or yields.
//
// Claims: no goroutine is run while its stack is in use, or before its registers are saved; ready finds only
// goroutines that wait; each is on a queue at most once; nobody stays parked with a permit.
//
// A switch is: save the registers; leave the stack for the next goroutine's or for g0's; publish, that is unlockf
// (a park) or the queue's tail (a yield). -DBROKEN=1: a park publishes before the stack is left. 2: a yield does.
// 3: unlockf stores its goroutine without looking whether a permit came meanwhile. 4: ready does not wait for one that
// parks by an inline crossing, which publishes first and is entered until the stack is left.
#ifndef BROKEN
#define BROKEN 0
#endif
#define NG 3
#define NM 2
#define STEPS 5 // what all goroutines do together
#define NONE 7
#define NOBODY 14
#define PERMIT 15

mtype = { running, entered, runnable, waiting };
mtype status[NG];
bool on_stack[NG];    // some thread uses it
bool saved[NG];       // its registers are where gogo finds them
byte word[NG];        // NOBODY, PERMIT, or the goroutine that is parked
bool queued[NG];
bool owed[NG];        // a permit was given that no park has taken
byte steps;
byte curg[NM];

inline enqueue(g) { atomic { assert(!queued[g]); queued[g] = true } }

// Any queued goroutine, or NONE: which queue it is on does not matter here.
inline dequeue(g) {
    atomic {
        if
        :: queued[0] -> g = 0
        :: queued[1] -> g = 1
        :: queued[2] -> g = 2
        :: else -> g = NONE
        fi;
        if :: g != NONE -> queued[g] = false :: else fi
    }
}

// Continues next on this thread.
inline gogo(next) {
    assert(saved[next]);
    assert(!on_stack[next]);
    on_stack[next] = true;
    saved[next] = false;
    status[next] = running
}

inline ready(g) {
#if BROKEN != 4
    status[g] != entered;
#endif
    assert(status[g] == waiting);
    status[g] = runnable;
    enqueue(g)
}

inline unpark(target) {
    atomic {
        was = word[target];
        if
        :: was == NOBODY -> word[target] = PERMIT; owed[target] = true
        :: was == PERMIT
        :: else -> word[target] = NOBODY
        fi
    }
    if
    :: was == NOBODY || was == PERMIT
    :: else -> ready(was)
    fi
}

// P3 and P4.
inline commit_park(g) {
    status[g] = waiting;
#if BROKEN == 3
    atomic { was = NOBODY; word[g] = g }
#else
    atomic { was = word[g]; if :: was == NOBODY -> word[g] = g :: else fi }
#endif
    if
    :: was == NOBODY
    :: else -> word[g] = NOBODY; owed[g] = false; status[g] = runnable; enqueue(g)
    fi
}

proctype m(byte self) {
    byte g, next, was;
    g = self; // goroutine 0 on m0, 1 on m1; 2 is queued

go_on:
    atomic { if :: steps < STEPS -> steps++ :: else -> goto finish fi }
    if
    :: goto park
    :: goto yield
    :: unpark(0); goto go_on
    :: unpark(1); goto go_on
    :: unpark(2); goto go_on
    fi;

park:
    atomic { was = word[g]; if :: was == PERMIT -> word[g] = NOBODY; owed[g] = false :: else fi }
    if :: was == PERMIT -> goto go_on :: else fi;
    dequeue(next);
#if BROKEN == 1
    saved[g] = true;
    commit_park(g);
    on_stack[g] = false;
#else
    if
    :: next != NONE -> // an inline crossing
        status[g] = entered;
        atomic { was = word[g]; if :: was == NOBODY -> word[g] = g :: else fi }
        if
        :: was == NOBODY -> saved[g] = true; on_stack[g] = false; status[g] = waiting; goto enter
        :: else -> status[g] = running; enqueue(next); goto park // a permit came
        fi
    :: true
    fi;
    saved[g] = true;
    on_stack[g] = false; // now on next's stack, or on g0's
    commit_park(g);
#endif
    goto enter;

yield:
    dequeue(next);
    if :: next == NONE -> goto go_on :: else fi;
    status[g] = runnable;
#if BROKEN == 2
    enqueue(g);
    saved[g] = true;
    on_stack[g] = false;
#else
    saved[g] = true;
    on_stack[g] = false;
    enqueue(g);
#endif

enter:
    if
    :: next != NONE -> g = next; gogo(g); goto go_on
    :: else -> goto idle
    fi;

finish: // the goroutine ends; so that nobody waits for it, it lets all go
    unpark(0);
    unpark(1);
    unpark(2);
    on_stack[g] = false;

idle: // g0 looks for work
end_idle:
    atomic { queued[0] || queued[1] || queued[2] -> dequeue(next) }
    goto enter
}

init {
    atomic {
        word[0] = NOBODY;
        word[1] = NOBODY;
        word[2] = NOBODY;
        status[0] = running;
        status[1] = running;
        on_stack[0] = true;
        on_stack[1] = true;
        status[2] = runnable;
        saved[2] = true;
        queued[2] = true;
        run m(0);
        run m(1)
    }
    timeout;
    // Goroutines may well be parked for ever; but not with a permit at hand, and none is left runnable.
    assert(!(owed[0] && status[0] == waiting));
    assert(!(owed[1] && status[1] == waiting));
    assert(!(owed[2] && status[2] == waiting));
    assert(!queued[0] && !queued[1] && !queued[2])
}
