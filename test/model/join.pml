// SPDX-License-Identifier: MIT
// g.joining (runtime/sched/handle.cpp, retire in newproc.cpp): the goroutine E that ends, the handle's owner,
// who joins (J) or drops the handle (D).
//
// Claims: the descriptor is recycled once and not touched afterwards; a joiner continues once, with the result in
// place; a result that has to be destroyed is destroyed once, and neither on g0 nor while E writes it.
//
// -DBROKEN=1: E's last step is a load and a store instead of one exchange. 2: a result that nobody waits for stays
// where it is (no state "ended"). 3: the joiner does not look at the word again once it is off its stack.
#ifndef BROKEN
#define BROKEN 0
#endif
#define PENDING 0
#define FINISHED 1
#define ENDED 2
#define DETACHED 3
#define JOINER 4

byte joining = PENDING;
bool result;         // it stands in the descriptor
byte destroyed;
byte recycled;
bool parked, woken;
bool owner_done;

inline touch() { assert(recycled == 0) }
inline destroy() { touch(); assert(result); result = false; destroyed++ }
inline recycle() { touch(); assert(!result); recycled++ }

active proctype E() {
    byte before;
    touch();
    result = true;                                        // E1
#if BROKEN != 2
    atomic { before = joining; if :: before == PENDING -> joining = ENDED :: else fi }
    if
    :: before == DETACHED -> destroy()                    // on the goroutine's own stack
    :: else
    fi;
#endif
    touch();                                              // its stack is put away, on g0
    if
    :: joining == JOINER ->                               // exit_to_next: nobody else changes the word now
        touch();
        joining = FINISHED;
        woken = true
    :: true ->
#if BROKEN == 1
        before = joining;
        joining = FINISHED;
#else
        atomic { before = joining; joining = FINISHED }   // E2
#endif
        if
        :: before == DETACHED -> recycle()
        :: before == JOINER -> woken = true               // ready
        :: else
        fi
    fi
}

inline release_joined() { destroy(); recycle() }

active proctype owner() {
    byte seen;
    if
    :: // J1
        if
        :: joining == FINISHED
        :: else ->
            parked = true;
#if BROKEN == 3
            joining = JOINER; seen = JOINER;
#else
            atomic { seen = joining; if :: seen == PENDING || seen == ENDED -> joining = JOINER; seen = JOINER :: else fi }
#endif
            if
            :: seen == JOINER -> woken
            :: else -> assert(seen == FINISHED)
            fi
        fi;
        assert(joining == FINISHED && result);
        release_joined()
    :: // D1
        atomic { seen = joining; if :: seen == PENDING -> joining = DETACHED :: else fi }
        if
        :: seen == PENDING
        :: seen == FINISHED -> release_joined()
        :: seen == ENDED ->
            destroy();
            atomic { seen = joining; if :: seen == ENDED -> joining = DETACHED :: else fi }
            if
            :: seen == ENDED
            :: else -> assert(seen == FINISHED); recycle()
            fi
        fi
    fi;
    owner_done = true
}

active proctype end() {
    timeout;
    assert(owner_done);
    assert(recycled == 1);
    assert(destroyed == 1)
}
